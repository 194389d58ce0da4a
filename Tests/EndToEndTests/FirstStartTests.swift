import Foundation
import TestSupport
import Testing

/// From nothing to a followed run, with the programs and addresses that scripts rely on.
@Suite struct FirstStartTests {
    @Test func fromNothingToARun() async throws {
        await Gate.clusters.enter()
        defer { Task { await Gate.clusters.leave() } }
        try await BlockingTask.run { try Self.walk() }
    }

    private static func walk() throws {
        let root = try Cluster.temporaryDirectory()
        var running: [ChildProcess] = []
        let agent = AgentProcess(name: "first", dataDirectory: root + "/a", log: root + "/a.log")
        defer {
            agent.destroy()
            for process in running { process.destroy() }
            try? FileManager.default.removeItem(atPath: root)
        }
        let controller = try ChildProcess(
            Binaries.controller,
            ["serve", "--data-dir", root + "/c", "--listen", "127.0.0.1:0", "--agent-listen", "127.0.0.1:0"],
            environment: ["ANSFLOW_ADMIN_PASSWORD": "a password of the test"], output: root + "/out",
            errors: root + "/err")
        running.append(controller)
        func address(_ prefix: String) throws -> String {
            try eventually(within: 60, "the controller says `\(prefix)`; it said \(TextFile.read(root + "/err"))") {
                if let code = controller.ended() {
                    throw TestFailure("It ended: \(code). \(TextFile.read(root + "/err"))")
                }
                return TextFile.lines(root + "/out").first { $0.hasPrefix(prefix) }.map {
                    String($0.dropFirst(prefix.count))
                }
            }
        }
        let url = try address("listening: ")
        let agents = try address("agents: ")
        #expect(url.hasPrefix("http://127.0.0.1:") && agents.hasPrefix("https://127.0.0.1:"))
        try TextFile.write(root + "/password", "a password of the test\n")
        let environment = ["ANSFLOW_URL": url, "XDG_CONFIG_HOME": root + "/config"]
        func ansflow(_ arguments: String...) throws -> (code: Int32, output: String, errors: String) {
            try ChildProcess.run(Binaries.client, arguments, environment: environment)
        }
        #expect(try ansflow("runs").code == 4, "nobody is logged in")
        let login = try ChildProcess.run(
            "/bin/sh", ["-c", "\(Binaries.client) login --url \(url) --password-stdin < \(root)/password"],
            environment: environment)
        try #require(login.code == 0, "\(login)")
        let token = try ansflow("agent-token", "create")
        try #require(token.code == 0, "\(token)")
        let port = try #require(agents.split(separator: ":").last.flatMap { Int($0) })
        let text = token.output.filter { !$0.isWhitespace }
        try agent.enrol(port: port, token: text, labels: ["gpu": "none"], slots: 2)
        try agent.start()
        try eventually(within: 30, "the agent is idle") { try ansflow("agents").output.contains("idle") }
        try TextFile.write(root + "/p.yml", "steps:\n  - { id: hello, run: echo hello from a step }\n")
        let created = try ansflow("pipeline", "create", "--file", root + "/p.yml", "--name", "first")
        try #require(created.code == 0, "\(created)")
        let run = try ansflow("run", "first", "--follow")
        #expect(run.code == 0, "\(run)")
        #expect(run.output.contains("hello from a step"), "\(run.output)")
        #expect(run.output.contains("success"), "\(run.output)")
        let second = AgentProcess(name: "second", dataDirectory: root + "/b", log: root + "/b.log")
        #expect(throws: TestFailure.self, "a token works once") {
            try second.enrol(port: port, token: text, labels: [:], slots: 1)
        }
        controller.signal(SIGTERM)
        #expect(try controller.wait(within: 30) == 0)
    }
}
