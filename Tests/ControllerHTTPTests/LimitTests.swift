import ControllerCore
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ControllerHTTP

@Suite struct LimitTests {
    private static let few = RateRule(perSecond: 0.01, burst: 3)

    @Test func usersAndKeysHaveTheirOwn() async throws {
        try await withServer(
            change: {
                $0.rateLimits.user = Self.few
                $0.rateLimits.key = Self.few
            }
        ) { _, _, client in
            for left in ["2", "1", "0"] {
                let answer = try await client.get("/api/v1/auth/me")
                #expect(answer.status == 200)
                #expect(answer.headers["ratelimit-limit"] == "3" && answer.headers["ratelimit-remaining"] == left)
                #expect(answer.headers["ratelimit-reset"] != nil)
            }
            let refused = try await client.get("/api/v1/auth/me")
            #expect(refused.status == 429)
            #expect((1...100).contains(Int(refused.headers["retry-after"] ?? "") ?? 0))
            #expect(refused.headers["ratelimit-remaining"] == "0")
            #expect(refused.headers["content-type"] == "application/problem+json")
            let other = try await client.send("GET", "/api/v1/auth/me", token: "reader-token")
            #expect(other.status == 200)
            // What needs no login has no limit of a user's.
            for _ in 0..<10 { #expect(try await client.send("GET", "/health/live", token: nil).status == 200) }
        }
    }

    @Test func loginsAreLimitedByAddress() async throws {
        try await withServer(change: { $0.rateLimits.login = Self.few }) { world, _, client in
            world.state.withLock { $0.loginsLeft = 1_000 }
            var statuses: [Int] = []
            for user in ["a", "b", "c", "d", "e"] {
                let body = #"{"username":"\#(user)","password":"wrong"}"#
                statuses.append(try await client.send("POST", "/api/v1/auth/login", token: nil, body: body).status)
            }
            #expect(statuses == [401, 401, 401, 429, 429])
            #expect(try await client.get("/api/v1/auth/me").status == 200)
        }
    }

    @Test func networksShareALimit() {
        #expect(RateLimits.addressKey("192.0.2.7") == "192.0.2.7")
        #expect(RateLimits.addressKey("2001:db8:1:2:3:4:5:6") == RateLimits.addressKey("2001:db8:1:2:ffff::1"))
        #expect(RateLimits.addressKey("2001:db8:1:2::1") != RateLimits.addressKey("2001:db8:1:3::1"))
    }

    @Test func listedSitesMayCall() async throws {
        let site = "https://tools.example.org"
        try await withServer(change: { $0.corsOrigins = [site] }) { _, _, client in
            let question = try await client.send(
                "OPTIONS", "/api/v1/pipelines/1", token: nil,
                headers: [
                    ("Origin", site), ("Access-Control-Request-Method", "DELETE"),
                    ("Access-Control-Request-Headers", "authorization"),
                ])
            #expect(question.status == 204)
            #expect(question.headers["access-control-allow-origin"] == site)
            #expect(question.headers["access-control-allow-methods"] == "DELETE")
            #expect(question.headers["access-control-allow-headers"]?.contains("Authorization") == true)
            #expect(question.headers["access-control-allow-credentials"] == nil)
            #expect(question.headers["vary"] == "Origin")
            let answer = try await client.get("/api/v1/auth/me", headers: [("Origin", site)])
            #expect(answer.headers["access-control-allow-origin"] == site)
            #expect(answer.headers["access-control-expose-headers"]?.contains("ETag") == true)
            let other = try await client.get("/api/v1/auth/me", headers: [("Origin", "https://evil.example.org")])
            #expect(other.status == 200 && other.headers["access-control-allow-origin"] == nil)
            #expect(other.headers["vary"] == "Origin")
            for (origin, method) in [("https://evil.example.org", "DELETE"), (site, "TRACE"), (site + ".evil", "GET")] {
                let refused = try await client.send(
                    "OPTIONS", "/api/v1/pipelines/1", token: nil,
                    headers: [("Origin", origin), ("Access-Control-Request-Method", method)])
                #expect(refused.status == 405, "\(origin) \(method)")
                #expect(refused.headers["access-control-allow-methods"] == nil)
            }
        }
        try await withServer(change: { $0.corsOrigins = ["*"] }) { _, _, client in
            let answer = try await client.get("/api/v1/auth/me", headers: [("Origin", "https://any.example.org")])
            #expect(answer.headers["access-control-allow-origin"] == "*")
            #expect(answer.headers["access-control-allow-credentials"] == nil)
        }
    }

    @Test func nobodyMayCallWhereNobodyIsListed() async throws {
        try await withServer { _, _, client in
            let answer = try await client.get("/api/v1/auth/me", headers: [("Origin", "https://tools.example.org")])
            #expect(answer.headers["access-control-allow-origin"] == nil && answer.headers["vary"] == nil)
        }
    }
}

/// Writers and readers race through the real server: no answer is older than a commit that was over before it was asked for.
@Suite struct CacheRaceTests {
    @Test func noAnswerIsStale() async throws {
        let pipelines = Tally()
        try await withServer(
            services: {
                $0.pipelinesVersion = { UInt64(pipelines.count) }
                $0.agentsVersion = { 1 }
            }
        ) { world, _, client in
            let done = Tally()
            let ended = Tally()
            let reads = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    defer { ended.add() }
                    for id in 1...3_000 where id <= 300 || reads.count < 200 {
                        world.addRun(Int64(id), phase: id % 2 == 0 ? .finished : .running)
                        done.add()
                        _ = try await world.create(
                            PipelineDraft(name: "p\(id)", definition: "jobs: {}"), by: "x", at: 1)
                        pipelines.add()
                        await Task.yield()
                    }
                }
                for reader in 0..<4 {
                    group.addTask {
                        while ended.count == 0 {
                            reads.add()
                            let known = done.count
                            let seen = pipelines.count
                            if reader % 2 == 0 {
                                let total = try await client.get("/api/v1/pipeline-runs?per_page=5").json()["total"]
                                #expect((total as? Int ?? -1) >= known)
                            } else {
                                let total = try await client.get("/api/v1/pipelines?per_page=1").json()["total"]
                                // One is there from the start.
                                #expect((total as? Int ?? -1) >= seen + 1)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let caches = try #require(
                try await client.get("/api/v1/system/cache").json()["caches"] as? [[String: Any]])
            let runs = try #require(caches.first { $0["name"] as? String == "runs" })
            #expect((runs["hits"] as? Int ?? 0) + (runs["misses"] as? Int ?? 0) > 50)
            for _ in 0..<20 { _ = try await client.get("/api/v1/pipeline-runs/2") }
            let after = try #require(
                try await client.get("/api/v1/system/cache").json()["caches"] as? [[String: Any]])
            #expect((after.first { $0["name"] as? String == "run" }?["hits"] as? Int ?? 0) >= 19)
            #expect(try await client.send("DELETE", "/api/v1/system/cache", token: "reader-token").status == 403)
            #expect(try await client.send("DELETE", "/api/v1/system/cache").status == 204)
            let empty = try #require(
                try await client.get("/api/v1/system/cache").json()["caches"] as? [[String: Any]])
            #expect(empty.allSatisfy { $0["entries"] as? Int == 0 })
        }
    }
}
