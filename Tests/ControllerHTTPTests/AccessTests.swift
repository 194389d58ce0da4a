import AnsFlowProtocol
import ControllerCore
import ControllerRealtime
import Foundation
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import ControllerHTTP

@Suite struct AccessTests {
    @Test func whoIsNoMemberGetsWhatAnUnknownIdGives() async throws {
        try await withServer { world, _, client in
            world.addRun(1)
            world.addLifeRun(2)
            world.set(nil, of: 4)
            for (method, path) in [
                ("GET", "/api/v1/pipeline-runs/1"), ("GET", "/api/v1/pipeline-runs/1/events"),
                ("GET", "/api/v1/pipeline-runs/1/graph"), ("GET", "/api/v1/pipeline-runs/1/steps/compile/log"),
                ("POST", "/api/v1/pipeline-runs/1/cancel"), ("POST", "/api/v1/pipeline-runs/1/rerun"),
                ("POST", "/api/v1/pipeline-runs/2/approve"), ("POST", "/api/v1/pipeline-runs/2/decline"),
                ("GET", "/api/v1/pipelines/1"), ("GET", "/api/v1/pipelines/1/status"),
                ("GET", "/api/v1/pipelines/1/versions"), ("POST", "/api/v1/pipelines/1/runs"),
                ("GET", "/api/v1/projects/1/environments"), ("GET", "/api/v1/projects/1/environments/x/deployments"),
            ] {
                let body = method == "POST" ? "{}" : nil
                let foreign = try await client.send(method, path, token: "runner-token", body: body)
                let missing = path.replacing("/1", with: "/999").replacing("/2", with: "/999")
                let unknown = try await client.send(method, missing, token: "admin-token", body: body)
                #expect(foreign.status == 404, "\(method) \(path)")
                #expect(unknown.status == 404, "\(method) \(missing): \(unknown.body)")
                #expect(
                    try foreign.json()["detail"] as? String == unknown.json()["detail"] as? String, "\(method) \(path)")
            }
            #expect(world.state.withLock { $0.cancelled.isEmpty && $0.requests.isEmpty && $0.answers.isEmpty })
        }
    }

    @Test func aMemberWithASmallRoleIsToldWhichItNeeds() async throws {
        try await withServer { world, _, client in
            world.addRun(1)
            world.set(.viewer, of: 4)
            let refused = try await client.send("POST", "/api/v1/pipelines/1/runs", token: "runner-token", body: "{}")
            #expect(refused.status == 403)
            #expect(refused.body.contains("`developer`"))
            #expect(try await client.send("GET", "/api/v1/pipeline-runs/1", token: "runner-token").status == 200)
            world.set(.developer, of: 4)
            let started = try await client.send("POST", "/api/v1/pipelines/1/runs", token: "runner-token", body: "{}")
            #expect(started.status == 201)
            // The role would do; the key's scope does not.
            world.set(.owner, of: 2)
            let key = try await client.send("POST", "/api/v1/pipelines/1/runs", token: "reader-token", body: "{}")
            #expect(key.status == 403)
            #expect(key.body.contains("`run`"))
        }
    }

    @Test func listsAndTheirCacheShowEachCallerItsOwn() async throws {
        try await withServer { world, _, client in
            for id in 1...3 { world.addRun(Int64(id)) }
            world.addLifeRun(4)
            for _ in 0..<2 {
                for path in ["/api/v1/pipeline-runs", "/api/v1/pipelines", "/api/v1/approvals"] {
                    world.set(.viewer, of: 4)
                    let seen = try await client.send("GET", path, token: "runner-token").json()["total"] as? Int
                    let all = try await client.get(path).json()["total"] as? Int
                    #expect(seen == all && (seen ?? 0) > 0, "\(path)")
                    world.set(nil, of: 4)
                    let none = try await client.send("GET", path, token: "runner-token").json()
                    #expect(none["total"] as? Int == 0, "\(path)")
                    #expect((none["items"] as? [Any])?.isEmpty == true, "\(path)")
                }
            }
        }
    }

    @Test func anArchivedProjectIsReadAndNothingElse() async throws {
        try await withServer { world, _, client in
            world.addRun(1)
            world.state.withLock { $0.projectState = .archived }
            #expect(try await client.get("/api/v1/pipeline-runs/1").status == 200)
            for path in ["/api/v1/pipelines/1/runs", "/api/v1/pipeline-runs/1/rerun"] {
                let refused = try await client.send("POST", path, body: "{}")
                #expect(refused.status == 409 && refused.body.contains("archived"), "\(path): \(refused.body)")
            }
            #expect(try await client.send("DELETE", "/api/v1/pipelines/1").status == 409)
            // What still runs can be stopped.
            #expect(try await client.send("POST", "/api/v1/pipeline-runs/1/cancel", body: "{}").status == 200)
        }
    }

    @Test func anAnswerOfARouteThatForgotToAskIsRefused() async throws {
        let world = World()
        let services = world.services(world.hub())
        let route = Route(.get, "/x", .read, "forgetful", "Forgets", role: .viewer) { _ in .noContent }
        let call = Call(
            method: .get, parameters: [], query: try Query("", known: []), headers: [:], body: .init(), requestID: "r",
            remote: "::1", caller: World.admin, audit: nil)
        _ = try await route.handler(call)
        #expect(!call.grants.wereAsked, "the dispatcher refuses this")
        _ = call.visible
        #expect(call.grants.wereAsked)
        // Every route that names a project's thing has a role.
        let configuration = HTTPConfiguration(now: { 0 })
        let all = Routes.all(services, configuration, SharedParts(operations: [], configuration))
        let missing = all.filter { route in
            let belongs = ["/pipelines", "/pipeline-runs", "/projects", "/approvals"].contains {
                route.path.contains($0)
            }
            return belongs && route.role == nil && route.permission != .public
        }.map(\.operation)
        #expect(Set(missing).isSubset(of: ["validatePipeline", "listProjects", "createProject"]), "\(missing)")
    }

    @Test func liveTopicsOfOthersDoNotExistAndEndWithTheRole() async throws {
        try await withServer(change: { $0.webSocketRecheck = .milliseconds(50) }) { world, hub, client in
            world.addRun(1)
            world.set(nil, of: 4)
            for path in ["/ws/executions/1", "/ws/pipeline/1", "/ws/project/1", "/ws/executions/999"] {
                let wire = try await client.connect()
                wire.send(Array(LiveClient.request(path, port: client.port, token: "runner-token").utf8))
                let status = try await wire.until("a status") { bytes -> Int? in
                    bytes.count > 12 ? Int(String(decoding: bytes[9..<12], as: UTF8.self)) : nil
                }
                wire.close()
                #expect(status == 404, "\(path)")
            }
            world.set(.viewer, of: 4)
            let live = try await LiveClient.open(client, "/ws", token: "runner-token")
            live.say(#"{"type":"subscribe","topic":"run:1"}"#)
            #expect(try await live.message("the snapshot")["type"] as? String == "snapshot")
            live.say(#"{"type":"subscribe","topic":"system"}"#)
            #expect(try await live.message("the system's snapshot")["type"] as? String == "snapshot")
            hub.publish([world.commit(1)])
            for _ in 0..<2 {
                #expect(try await live.message("an event")["type"] as? String == "execution_update")
            }
            world.set(nil, of: 4)
            #expect(try await live.message("the end of the topic")["type"] as? String == "error")
            hub.publish([world.commit(1)])
            live.say(#"{"type":"ping"}"#)
            #expect(try await live.message("no event, but the pong")["type"] as? String == "pong")
        }
    }
}
