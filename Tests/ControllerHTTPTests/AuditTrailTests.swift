import ControllerCore
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import ControllerHTTP

@Suite struct AuditTrailTests {
    private func withAudit(_ body: (World, MemoryAudit, Client) async throws -> Void) async throws {
        let audit = MemoryAudit()
        try await withServer(services: { $0.audit = audit }) { world, _, client in
            try await body(world, audit, client)
        }
    }

    @Test func actsAreToldAndReadsAreNot() async throws {
        try await withAudit { _, audit, client in
            _ = try await client.get("/api/v1/pipelines")
            #expect(audit.entries.isEmpty)
            let made = try await client.send(
                "POST", "/api/v1/pipelines", body: #"{"name":"new","definition":"jobs: {} # SECRET"}"#,
                headers: [("X-Request-ID", "abc")])
            #expect(made.status == 201)
            let entry = try #require(audit.entries.first)
            #expect(entry.actor == .user && entry.name == "admin" && entry.actorID == 1 && entry.key == nil)
            #expect(entry.operation == "createPipeline" && entry.objectType == "pipeline")
            #expect(made.headers["location"] == "/api/v1/pipelines/\(entry.objectID)")
            #expect(entry.result == .success && entry.status == 201 && entry.fields == ["definition", "name"])
            #expect(entry.remote == "127.0.0.1" && entry.requestID == "abc" && entry.at == World.now)
            #expect(!String(describing: audit.entries).contains("SECRET"))
        }
    }

    @Test func refusalsAreToldWithTheirKey() async throws {
        try await withAudit { _, audit, client in
            let refused = try await client.send("DELETE", "/api/v1/pipelines/1", token: "reader-token")
            #expect(refused.status == 403)
            let entry = try #require(audit.entries.first)
            #expect(entry.actor == .key && entry.name == "reader" && entry.key == 2)
            #expect(entry.operation == "deletePipeline" && entry.objectType == "pipeline" && entry.objectID == "1")
            #expect(entry.result == .refused && entry.status == 403 && entry.detail == "Forbidden")
            let nobody = try await client.send("DELETE", "/api/v1/pipelines/1", token: nil)
            #expect(nobody.status == 401)
            #expect(audit.entries.last?.actor == .nobody && audit.entries.last?.name == "")
        }
    }

    @Test func loginsAreToldWhetherTheyWorkOrNot() async throws {
        try await withAudit { _, audit, client in
            for password in ["right", "wrong"] {
                _ = try await client.send(
                    "POST", "/api/v1/auth/login", token: nil,
                    body: #"{"username":"admin","password":"\#(password)"}"#)
            }
            #expect(audit.entries.map(\.operation) == ["login", "login"])
            #expect(audit.entries.map(\.actor) == [.user, .nobody])
            #expect(audit.entries.map(\.result) == [.success, .refused])
            #expect(audit.entries.allSatisfy { $0.name == "admin" && $0.fields == ["password", "username"] })
            #expect(!String(describing: audit.entries).contains("wrong"))
        }
    }

    /// The engine writes it in the run's own transaction.
    @Test func aRunTakesItsEntryAlong() async throws {
        try await withAudit { world, audit, client in
            let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            let made = try await client.send(
                "POST", "/api/v1/pipelines/1/runs", body: #"{"branch":"main"}"#, headers: [("traceparent", trace)])
            #expect(made.status == 201 && made.headers["traceparent"] == trace)
            #expect(audit.entries.isEmpty)
            let request = try #require(world.state.withLock { $0.requests.first })
            #expect(request.audit?.name == "admin" && request.audit?.operation == "createRun")
            #expect(request.audit?.fields == ["branch"])
            #expect(request.plan.facts.trace == trace)
            #expect(request.plan.standardVariables["TRACEPARENT"] == trace)
            world.state.withLock { $0.halted = "the disk is full" }
            let failed = try await client.send("POST", "/api/v1/pipelines/1/runs", body: "{}")
            #expect(failed.status == 503)
            #expect(audit.entries.map(\.result) == [.failed])
        }
    }

    @Test func nothingIsSaidToBeDoneThatCouldNotBeTold() async throws {
        try await withAudit { _, audit, client in
            audit.fill()
            let answer = try await client.send("DELETE", "/api/v1/api-keys/1")
            #expect(answer.status == 503)
            #expect(answer.body.contains("audit log"))
        }
    }

    @Test func strangersCannotFillTheLog() async throws {
        try await withAudit { _, audit, client in
            for _ in 0..<300 { _ = try await client.send("DELETE", "/api/v1/pipelines/1", token: nil) }
            // What is free at once, and what comes free meanwhile.
            #expect(audit.entries.count >= Int(AuditTrail.strangersBurst))
            #expect(audit.entries.count < 300)
        }
    }

    @Test func theLogIsReadAndChecked() async throws {
        try await withAudit { _, audit, client in
            for _ in 0..<5 { _ = try await client.send("DELETE", "/api/v1/api-keys/1") }
            let page = try await client.get("/api/v1/audit-logs?limit=2").json()
            #expect((page["items"] as? [[String: Any]])?.map { $0["id"] as? Int } == [5, 4])
            #expect(page["next_before"] as? Int == 4)
            let rest = try await client.get("/api/v1/audit-logs?after=3").json()
            #expect((rest["items"] as? [[String: Any]])?.map { $0["id"] as? Int } == [4, 5])
            #expect(rest["next_after"] as? Int == 5)
            #expect(try await client.get("/api/v1/audit-logs?after=3&before=5").status == 400)
            #expect(try await client.get("/api/v1/audit-logs/verify").json()["ok"] as? Bool == true)
            let hash = String(repeating: "a", count: 64)
            let verdict = try await client.get("/api/v1/audit-logs/verify?id=4&hash=\(hash)").json()
            #expect(verdict["ok"] as? Bool == false && verdict["broken_id"] as? Int == 4)
            #expect(try await client.get("/api/v1/audit-logs/verify?id=4").status == 400)
            let other = try await client.send("GET", "/api/v1/audit-logs", token: "reader-token")
            #expect(other.status == 403)
        }
    }

    /// Every route that may change something is told, or stands in the list of those that are not.
    @Test func everyWritingRouteIsTold() async throws {
        try await withServer { _, _, client in
            let quiet = client.routes.filter { !AuditTrail.tells($0) && $0.method != .get }
            for route in quiet {
                #expect(
                    AuditTrail.unaudited.contains(route.operation) || route.path.hasPrefix("/webhooks/"),
                    "\(route.operation)")
            }
            #expect(client.routes.contains { AuditTrail.tells($0) })
        }
    }
}
