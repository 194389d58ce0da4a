import AnsFlowProtocol
import ControllerCore
import ControllerRealtime
import Foundation
import NIOCore
import Synchronization
import Testing

@testable import ControllerHTTP

/// Approvals, environments, what starts a run, and what a run shows of its life.
@Suite struct LifeTests {
    private static let run = "/api/v1/pipeline-runs/1"

    @Test func aRunShowsItsOriginGroupsRetriesAndApprovals() async throws {
        try await withServer { world, _, client in
            world.addLifeRun(1)
            let json = try await client.get(Self.run).json()
            #expect(json["origin_id"] as? Int == 90 && json["rerun"] as? String == "failed")
            #expect(json["trusted"] as? Bool == false && json["group"] as? String == "ci-main")
            #expect((json["concurrency"] as? [String: Any])?["on_new"] as? String == "cancel_running")
            let jobs = try #require(json["jobs"] as? [[String: Any]])
            #expect(jobs[0]["group"] as? String == "build")
            let matrix = try #require(jobs[0]["matrix"] as? [String: Any])
            #expect(matrix["mode"] as? String == "debug" && matrix["n"] as? Int == 2)
            #expect(jobs[1]["carried_from"] as? Int == 3)
            #expect(jobs[1]["outputs"] as? [String: String] == ["version": "1"])
            #expect(jobs[2]["environment"] as? String == "production")
            #expect(jobs[2]["needs_may_fail"] as? [String] == ["build[mode=debug,n=2]"])
            let steps = try #require(jobs[0]["steps"] as? [[String: Any]])
            #expect(steps[0]["retries"] as? Int == 1)
            #expect(steps[0]["allow_failure"] as? [Int] == [42])
            #expect((steps[0]["retry"] as? [String: Any])?["backoff_ms"] as? Int == 5000)
            #expect(steps[1]["stage"] as? String == "finally")
            #expect((steps[0]["attempts"] as? [[String: Any]])?.first?["exit_code"] as? Int == 75)
            let approval = try #require((json["approvals"] as? [[String: Any]])?.first)
            #expect(approval["job"] as? String == "deploy" && approval["state"] as? String == "waiting")
            #expect(approval["message"] as? String == "Ship it?" && approval["by"] as? [String] == ["maintainer"])
            let input = try #require((approval["inputs"] as? [[String: Any]])?.first)
            #expect(input["type"] as? String == "choice" && input["options"] as? [String] == ["eu", "us"])
        }
    }

    @Test func theGraphGroupsTheCellsOfAMatrix() async throws {
        try await withServer { world, _, client in
            world.addLifeRun(1)
            let graph = try await client.get(Self.run + "/graph").json()
            let group = try #require((graph["groups"] as? [[String: Any]])?.first)
            #expect(group["id"] as? String == "build" && group["axes"] as? [String] == ["mode", "n"])
            #expect((group["cells"] as? [String])?.count == 2)
            #expect(group["statuses"] as? [String: Int] == ["running": 1, "success": 1])
            let edges = try #require(graph["edges"] as? [[String: Any]])
            #expect(edges.filter { $0["allow_failure"] as? Bool == true }.count == 1)
            let nodes = try #require(graph["nodes"] as? [[String: Any]])
            #expect(nodes.count == 8)
            #expect(nodes.first { $0["id"] as? String == "deploy" }?["approval"] as? Bool == true)
        }
    }

    @Test func anApprovalIsTheMaintainersWord() async throws {
        try await withServer { world, _, client in
            world.addLifeRun(1)
            let path = Self.run + "/approve"
            let runner = try await client.send("POST", path, token: "runner-token", body: "{}")
            #expect(runner.status == 403)
            #expect(runner.body.contains("maintainer"))
            let moon = try await client.send("POST", path, body: #"{"inputs":{"region":"moon"}}"#)
            #expect(moon.status == 422)
            #expect((try moon.json()["errors"] as? [[String: Any]])?.first?["path"] as? String == "inputs.region")
            #expect(world.state.withLock { $0.answers.isEmpty })
            let yes = try await client.send(
                "POST", path, body: #"{"inputs":{"region":"eu","n":1,"b":true},"reason":"fine"}"#)
            #expect(yes.status == 200)
            let answer = try yes.json()
            #expect(answer["state"] as? String == "approved" && answer["answered_by"] as? String == "admin")
            #expect(answer["run_id"] as? Int == 1 && answer["job"] as? String == "deploy")
            let seen = try #require(world.state.withLock { $0.answers.first })
            #expect(
                seen
                    == World.Answered(
                        run: RunID(1), job: "deploy", yes: true, by: "admin",
                        inputs: ["region": .text("eu"), "n": .number(1), "b": .boolean(true)], reason: "fine"))
            // The same answer again means the same job.
            #expect(try await client.send("POST", path, body: "{}").status == 200)
            let no = try await client.send("POST", Self.run + "/decline", body: #"{"job":"deploy","reason":"late"}"#)
            #expect(try no.json()["state"] as? String == "declined")
        }
    }

    @Test func whatIsMeantMustBePlain() async throws {
        try await withServer { world, _, client in
            world.addLifeRun(1)
            world.addRun(2)
            let path = Self.run + "/approve"
            #expect(try await client.send("POST", path, body: #"{"job":"other"}"#).status == 422)
            #expect(try await client.send("POST", path, body: #"{"job":"build[mode=debug,n=2]"}"#).status == 409)
            #expect(try await client.send("POST", path, body: #"{"odd":1}"#).status == 422)
            #expect(try await client.send("POST", "/api/v1/pipeline-runs/2/approve", body: "{}").status == 409)
            #expect(try await client.send("POST", "/api/v1/pipeline-runs/9/approve", body: "{}").status == 404)
            world.state.withLock { state in
                state.runs[RunID(1)]?.plan.jobs[0].approval = ApprovalPlan()
                state.runs[RunID(1)]?.approvals.append(
                    ApprovalRow(run: RunID(1), job: JobID(10), askedAt: 1, deadline: 2))
            }
            let several = try await client.send("POST", path, body: "{}")
            #expect(several.status == 422)
            #expect(several.body.contains("deploy") && several.body.contains("build[mode=debug,n=2]"))
            // Nobody is named there: whoever may start runs may answer.
            let runner = try await client.send(
                "POST", path, token: "runner-token", body: #"{"job":"build[mode=debug,n=2]"}"#)
            #expect(runner.status == 200)
        }
    }

    /// Code from outside is let in by a maintainer only.
    @Test func aWholeRunThatWaitsComesFirst() async throws {
        try await withServer { world, _, client in
            world.addLifeRun(1)
            world.state.withLock { state in
                state.runs[RunID(1)]?.approvals.insert(ApprovalRow(run: RunID(1), askedAt: 1, deadline: 2), at: 0)
            }
            let path = Self.run + "/approve"
            let runner = try await client.send("POST", path, token: "runner-token", body: "{}")
            #expect(runner.status == 403)
            let maintainer = try await client.send("POST", path, body: "{}")
            #expect(maintainer.status == 200)
            #expect(world.state.withLock { $0.answers.map(\.job) } == [nil])
        }
    }

    @Test func aViewerSeesWhatWaitsAndTheAnswer() async throws {
        try await withServer { world, hub, client in
            world.addLifeRun(1)
            let live = try await LiveClient.open(client, "/ws/executions/1")
            let snapshot = try await live.message("the snapshot")
            let run = try #require((snapshot["data"] as? [String: Any])?["run"] as? [String: Any])
            #expect((run["approvals"] as? [[String: Any]])?.first?["state"] as? String == "waiting")
            #expect((run["waiting"] as? [[String: Any]])?.first?["message"] as? String == "It waits for build.")
            #expect(try await client.send("POST", Self.run + "/approve", body: "{}").status == 200)
            hub.publish([world.commit(1)])
            #expect(try await live.message("the event")["type"] as? String == "execution_update")
            let again = try await LiveClient.open(client, "/ws/executions/1")
            let later = try await again.message("the snapshot")
            let approved = (later["data"] as? [String: Any])?["run"] as? [String: Any]
            #expect((approved?["approvals"] as? [[String: Any]])?.first?["state"] as? String == "approved")
        }
    }

    @Test func waitingApprovalsAreListed() async throws {
        try await withServer { world, _, client in
            world.addLifeRun(1)
            world.addLifeRun(2)
            let json = try await client.get("/api/v1/approvals?per_page=1&project_id=1").json()
            #expect(json["total"] as? Int == 2)
            let item = try #require((json["items"] as? [[String: Any]])?.first)
            #expect(item["run_id"] as? Int == 1 && item["job"] as? String == "deploy")
            #expect(item["expires_in_ms"] as? Int == 40_000)
            #expect(item["environment"] as? String == "production")
            #expect(try await client.get("/api/v1/approvals?state=all").status == 400)
        }
    }

    @Test func environmentsHaveTheirHistory() async throws {
        try await withServer { world, _, client in
            world.addLifeRun(1)
            let path = "/api/v1/projects/1/environments"
            let all = try await client.get(path).json()
            let first = try #require((all["items"] as? [[String: Any]])?.first)
            #expect(first["name"] as? String == "production")
            #expect((first["newest"] as? [String: Any])?["job"] as? String == "deploy")
            #expect(first["current"] is NSNull)
            let history = try await client.get(path + "/production/deployments").json()
            #expect(history["total"] as? Int == 1)
            let deployment = try #require((history["items"] as? [[String: Any]])?.first)
            #expect((deployment["approval"] as? [String: Any])?["state"] as? String == "waiting")
            #expect(try await client.get(path + "/nowhere/deployments").status == 404)
            #expect(try await client.get("/api/v1/projects/2/environments").json()["total"] as? Int == 0)
        }
    }

    @Test func theSchemaIsForEveryone() async throws {
        try await withServer { _, _, client in
            let schema = try await client.send("GET", "/api/v1/pipelines/schema", token: nil)
            #expect(schema.status == 200)
            #expect(schema.headers["content-type"] == "application/schema+json")
            #expect(try schema.json()["title"] as? String == "pipeline")
        }
    }

    @Test func everyWrongInputIsNamedAtOnce() async throws {
        try await withServer { world, _, client in
            world.state.withLock { state in
                state.givenFaults = [
                    Diagnostic(code: .inputInvalid, message: "The input `level` is wrong.", path: "inputs.level"),
                    Diagnostic(code: .inputMissing, message: "The input `name` is missing.", path: "inputs.name"),
                    Diagnostic(code: .inputUnknown, message: "There is no `nme`.", path: "inputs.nme", hint: "`name`?"),
                ]
            }
            let answer = try await client.send("POST", "/api/v1/pipelines/1/runs", body: #"{"inputs":{"level":"x"}}"#)
            #expect(answer.status == 422)
            #expect(answer.headers["content-type"] == "application/problem+json")
            let errors = try #require(try answer.json()["errors"] as? [[String: Any]])
            #expect(errors.compactMap { $0["path"] as? String } == ["inputs.level", "inputs.name", "inputs.nme"])
            #expect(errors[2]["message"] as? String == "There is no `nme`. `name`?")
            #expect((try answer.json()["detail"] as? String)?.hasSuffix("And 2 more.") == true)
            #expect(world.state.withLock { $0.requests.isEmpty })
        }
    }

    @Test func aRunTakesBranchTagAndTrust() async throws {
        try await withServer { world, _, client in
            let path = "/api/v1/pipelines/1/runs"
            #expect(try await client.send("POST", path, body: #"{"branch":"x","untrusted":true}"#).status == 201)
            #expect(try await client.send("POST", path, body: #"{"tag":"v1"}"#).status == 201)
            #expect(try await client.send("POST", path, body: #"{"priority":7}"#).status == 201)
            let both = try await client.send("POST", path, body: #"{"branch":"x","tag":"-y","priority":1000}"#)
            #expect(both.status == 422)
            let fields = (try both.json()["errors"] as? [[String: Any]])?.compactMap { $0["path"] as? String }
            #expect(Set(fields ?? []) == ["tag", "priority"])
            let requests = world.state.withLock { $0.requests }
            #expect(requests.map(\.branch) == ["x", "", "main"])
            #expect(requests.map(\.tag) == ["", "v1", ""])
            #expect(requests.map(\.ref) == ["refs/heads/x", "refs/tags/v1", "main"])
            #expect(requests.map(\.plan.facts.trusted) == [false, true, true])
            #expect(requests.map(\.priority) == [0, 0, 7])
        }
    }

    @Test func aRerunUsesTheStoredPlan() async throws {
        try await withServer { world, _, client in
            world.addLifeRun(1)
            let path = Self.run + "/rerun"
            let early = try await client.send("POST", path, body: "{}")
            #expect(early.status == 409)
            #expect(early.body.contains("has not ended"))
            world.state.withLock { state in
                state.runs[RunID(1)]?.run.phase = .finished
                state.runs[RunID(1)]?.run.outcome = .failed
                for job in [0, 2] {
                    state.runs[RunID(1)]?.jobs[job].phase = .finished
                    state.runs[RunID(1)]?.jobs[job].outcome = .failed
                }
            }
            let all = try await client.send("POST", path, body: nil, headers: [("Idempotency-Key", "r1")])
            #expect(all.status == 201)
            #expect(all.headers["location"] == "/api/v1/pipeline-runs/2")
            #expect(try await client.send("POST", path, body: #"{"mode":"failed"}"#).status == 201)
            let from = try await client.send("POST", path, body: #"{"mode":"from","job":"deploy","step":"go"}"#)
            // It needs a cell that failed and may, and one that did not.
            #expect(from.status == 201, "\(from.body)")
            #expect(try await client.send("POST", path, body: #"{"latest":true}"#).status == 201)
            let requests = world.state.withLock { $0.requests }
            #expect(requests.map(\.origin?.kind) == [.all, .failed, .from, .all])
            #expect(requests.map(\.origin?.run) == Array(repeating: RunID(1), count: 4))
            #expect(requests.map { $0.origin?.carried.count } == [0, 1, 2, 0])
            #expect(requests.map(\.plan.jobs.count) == [3, 3, 3, 2])
            #expect(requests[3].plan.facts.trusted == false)
            for wrong in [
                #"{"mode":"some"}"#, #"{"mode":"from"}"#, #"{"mode":"all","job":"x"}"#, #"{"odd":1}"#,
                #"{"mode":"failed","latest":true}"#,
            ] {
                #expect(try await client.send("POST", path, body: wrong).status == 422, "\(wrong)")
            }
            #expect(try await client.send("POST", path, body: #"{"mode":"from","job":"no"}"#).status == 409)
            #expect(try await client.send("POST", "/api/v1/pipeline-runs/9/rerun", body: "{}").status == 404)
        }
    }

    @Test func cleanUpIsSkippedWhereThatIsAsked() async throws {
        try await withServer { world, _, client in
            world.addRun(1)
            let plain = try await client.send("POST", Self.run + "/cancel", body: "{}")
            #expect(plain.status == 200)
            #expect(world.state.withLock { $0.skippedFinally.isEmpty })
            let skipping = try await client.send("POST", Self.run + "/cancel", body: #"{"skip_finally":true}"#)
            #expect(skipping.status == 200)
            #expect(world.state.withLock { $0.skippedFinally } == [RunID(1)])
        }
    }
}
