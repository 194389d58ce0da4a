import Foundation
import Synchronization
import Testing

/// `run --follow` and `logs --follow` against a controller that drops connections, repeats lines and leaves lines out.
@Suite struct FollowTests {
    /// A run with one job of one step, whose log has `total` lines and grows as the test says.
    private final class Script: Sendable {
        struct State {
            var lines = 0
            var finished = false
            var seq = 1
            var connections = 0
        }
        let state = Mutex(State())
        let total: Int
        let result: String

        init(total: Int, result: String = "success") {
            self.total = total
            self.result = result
        }

        func line(_ n: Int) -> String { #"{"n":\#(n),"t_ms":\#(n),"text":"line \#(n)"}"# }

        func answer(_ request: FakeController.Request) -> FakeController.Response {
            let state = state.withLock { $0 }
            switch (request.method, request.path) {
            case ("GET", "/api/v1/pipelines/2"): return .json(#"{"id":2,"name":"app"}"#)
            case ("POST", "/api/v1/pipelines/2/runs"): return .json(#"{"id":7,"status":"pending"}"#, status: 201)
            case ("GET", "/api/v1/pipeline-runs/7"): return .json(run(state))
            case ("GET", "/api/v1/pipeline-runs/7/steps/build%2Ftest/log"):
                let from = Int(request.query["from_line"] ?? "1") ?? 1
                let count = min(50, Int(request.query["lines"] ?? "50") ?? 50)
                let last = min(state.lines, from + count - 1)
                let lines = from <= last ? (from...last).map(line).joined(separator: ",") : ""
                return .json(
                    #"{"first_line":\#(from),"total":\#(state.lines),"complete":\#(state.finished),"lines":[\#(lines)]}"#
                )
            default: return .problem(404, "no")
            }
        }

        func run(_ state: State) -> String {
            let start = #""started_at":"2026-01-02T03:04:05.000Z""#
            let end = state.finished ? #","finished_at":"2026-01-02T03:04:08.200Z","result":"\#(result)""# : ""
            let phase = state.finished ? "finished" : "running"
            let status = state.finished ? result : "running"
            let step =
                #"{"id":4,"name":"test","status":"\#(status)","phase":"\#(phase)","attempt":1,\#(start)\#(end)}"#
            let job =
                #"{"id":1,"name":"build","status":"\#(status)","phase":"\#(phase)","agent":"local",\#(start)\#(end),"steps":[\#(step)]}"#
            return
                #"{"id":7,"number":1,"pipeline_name":"app","status":"\#(status)","phase":"\#(phase)","seq":\#(state.seq),"#
                + #""created_at":"2026-01-02T03:04:05.000Z",\#(start)\#(end),"jobs":[\#(job)],"waiting":[]}"#
        }

        func push(_ socket: FakeController.Socket, _ range: ClosedRange<Int>) {
            let seq = state.withLock { $0.seq }
            let lines = range.map(line).joined(separator: ",")
            socket.send(
                #"{"type":"log_update","seq":\#(seq),"at":"x","data":{"execution_id":7,"step":"build/test","attempt":1,"#
                    + #""first_line":\#(range.lowerBound),"lines":[\#(lines)]}}"#)
        }

        /// Each connection brings the log a part further, in a way that a careless client would get wrong.
        func opened(_ socket: FakeController.Socket) {
            let number = state.withLock { state in
                state.connections += 1
                return state.connections
            }
            let third = total / 3
            switch number {
            case 1:
                // In order, then a hole in the pushes, then dropped.
                state.withLock { $0.lines = third }
                push(socket, 1...5)
                push(socket, 9...third)
                socket.drop()
            case 2:
                // The same lines again, then more, then garbage and a message of a later version.
                state.withLock { $0.lines = third * 2 }
                push(socket, 1...third * 2)
                push(socket, third...third * 2)
                socket.send("not json")
                socket.send(#"{"type":"something_new","seq":3,"data":{"step":5}}"#)
                socket.drop()
            default:
                // The end comes before the last lines were pushed.
                state.withLock {
                    $0.lines = total
                    $0.finished = true
                    $0.seq += 5
                }
                socket.send(
                    #"{"type":"execution_update","seq":\#(state.withLock { $0.seq }),"at":"x","data":{"execution_id":7}}"#
                )
            }
        }
    }

    @Test func everyLineOnceOverLostConnections() async throws {
        let script = Script(total: 300)
        let server = try await FakeController(
            answer: { script.answer($0) }, opened: { socket, _ in script.opened(socket) })
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let result = try await client.run(["run", "2", "--follow"])
        #expect(result.code == 0, "\(result.errors)")
        let lines = result.output.split(separator: "\n").filter { $0.hasPrefix("build/test | ") }
        #expect(lines.map(String.init) == (1...300).map { "build/test | line \($0)" })
        #expect(result.output.contains("== build/test: started on local"))
        #expect(result.output.contains("== build/test: success in 3.2s"))
        #expect(result.output.contains("run 7 (app #1): success in 3.2s"))
        #expect(result.output.contains("\(server.url)/api/v1/pipeline-runs/7"))
        let sockets = server.requests.filter { $0.path == "/ws/executions/7/" }
        #expect(sockets.count == 3)
        #expect(sockets.allSatisfy { $0.query["after"] == "1" && $0.headers["authorization"] == "Bearer k" })
        await server.close()
    }

    @Test func aFailedRunExitsWithOne() async throws {
        let script = Script(total: 9, result: "failed")
        script.state.withLock { $0.connections = 2 }
        let server = try await FakeController(
            answer: { script.answer($0) }, opened: { socket, _ in script.opened(socket) })
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let shown = try await client.run(["run", "2", "--follow"])
        #expect(shown.code == 1)
        #expect(shown.output.contains("== build/test: failed"))
        let json = try await client.run(["run", "2", "--follow", "--json"])
        #expect(json.code == 1)
        #expect(json.output.hasPrefix(#"{"id":7,"#))
        #expect(json.output.split(separator: "\n").count == 1)
        await server.close()
    }

    @Test func logsFollowFromALine() async throws {
        let script = Script(total: 60)
        let server = try await FakeController(
            answer: { script.answer($0) }, opened: { socket, _ in script.opened(socket) })
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let result = try await client.run(["logs", "7", "build/test", "--follow", "--from-line", "11"])
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output == (11...60).map { "line \($0)\n" }.joined())
        await server.close()
    }

    @Test func withoutWebSocketsItReadsOverHTTP() async throws {
        let script = Script(total: 20)
        let server = try await FakeController(
            answer: { request in
                if request.method == "GET", request.path == "/api/v1/pipeline-runs/7" {
                    script.state.withLock { state in
                        state.lines = min(20, state.lines + 7)
                        state.finished = state.lines == 20
                    }
                }
                return script.answer(request)
            })
        let client = try Client(environment: ["ANSFLOW_URL": server.url, "ANSFLOW_TOKEN": "k"])
        defer { client.removeHome() }
        let result = try await client.run(["logs", "7", "test", "--follow"])
        #expect(result.output == (1...20).map { "line \($0)\n" }.joined())
        await server.close()
    }
}
