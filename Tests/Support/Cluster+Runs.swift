import Foundation

// Pipelines and runs of a test's cluster.
extension Cluster {
    /// A pipeline of one job `main` with one step `s`.
    ///
    /// - Parameters:
    ///   - labels: What the agent must have.
    ///   - words: More lines of the step, such as `timeout: 5s`.
    package static func definition(_ script: String, labels: [String: String] = [:], words: [String] = []) -> String {
        var lines: [String] = []
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.key): \($0.value)" }.sorted().joined(separator: ", ")
            lines.append("agents: { \(pairs) }")
        }
        lines += ["steps:", "  - id: s"]
        lines += words.map { "    \($0)" }
        lines.append("    run: |")
        lines += script.split(separator: "\n", omittingEmptySubsequences: false).map { "      \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    package func createPipeline(_ name: String, _ definition: String) throws -> Int64 {
        let answer = try api.call(
            "POST", "/api/v1/pipelines", ["name": .string(name), "definition": .string(definition)])
        guard let id = answer["id"].int else { throw TestFailure("No pipeline: \(answer)") }
        return id
    }

    package func startRun(_ pipeline: Int64, _ body: JSON = [:]) throws -> Int64 {
        let answer = try api.call("POST", "/api/v1/pipelines/\(pipeline)/runs", body)
        guard let id = answer["id"].int else { throw TestFailure("No run: \(answer)") }
        return id
    }

    /// Makes a pipeline of one step and starts it.
    package func start(
        _ script: String, labels: [String: String] = [:], words: [String] = [], name: String = "p"
    ) throws -> Int64 {
        try startRun(try createPipeline(name, Self.definition(script, labels: labels, words: words)))
    }

    package func show(_ run: Int64) throws -> JSON { try api.get("/api/v1/pipeline-runs/\(run)") }

    /// Waits until the run has ended, and gives it.
    @discardableResult
    package func finish(_ run: Int64, within seconds: Double = 60) throws -> JSON {
        var last = JSON.null
        return try eventually(within: seconds, "run \(run) ends; it is \(last)", pause: 50) {
            last = try show(run)
            return last["phase"].text == "finished" ? last : nil
        }
    }

    /// The only step of a run that was made by ``start(_:labels:words:name:)``.
    package static func step(_ run: JSON) -> JSON { run["jobs"][0]["steps"][0] }
    package static func attempt(_ run: JSON) -> JSON { step(run)["attempts"].items.last ?? .null }

    package func waitPhase(_ run: Int64, _ phase: String, within seconds: Double = 30) throws {
        var last = JSON.null
        try eventually(within: seconds, "the step is \(phase); it is \(last)") {
            last = Self.attempt(try show(run))
            return last["phase"].text == phase
        }
    }

    /// Waits until a file of the test's directory has so many lines.
    package func waitLines(_ name: String, _ count: Int = 1, within seconds: Double = 30) throws {
        try eventually(within: seconds, "\(name) has \(count) lines") { lines(name).count >= count }
    }

    /// What steps wrote into a file of the test's directory.
    package func lines(_ name: String) -> [String] { TextFile.lines("\(work)/\(name)") }

    package func touch(_ name: String) throws { try TextFile.write("\(work)/\(name)", "") }

    // MARK: Agents

    package func agentState(_ name: String) throws -> JSON {
        try api.get("/api/v1/agents")["items"].items.first { $0["name"].text == name } ?? .null
    }

    package func waitConnected(_ name: String, _ connected: Bool = true, within seconds: Double = 45) throws {
        try eventually(within: seconds, "agent \(name) is \(connected ? "" : "not ")connected", pause: 50) {
            let state = try agentState(name)
            return state["connected"].isTrue == connected && state != .null
        }
    }

    // MARK: Logs

    package func logPath(_ run: Int64, _ step: String = "main/s", _ query: String) -> String {
        "/api/v1/pipeline-runs/\(run)/steps/\(step)/log?\(query)"
    }

    package func rawLog(_ run: Int64, _ step: String = "main/s") throws -> [UInt8] {
        let response = try api.request("GET", logPath(run, step, "format=raw"))
        guard response.status == 200 else { throw TestFailure("The log answered \(response.status): \(response.text)") }
        return response.body
    }

    /// Bytes that are stored of the step's log; 0 before it has one.
    package func logBytes(_ run: Int64, _ step: String = "main/s") throws -> Int64 {
        let response = try api.request("GET", logPath(run, step, "format=json&lines=1"))
        return response.status == 200 ? try response.json()["bytes"].int ?? 0 : 0
    }

    /// What stands in a log before a step's own output: the command. Nil where the log does not begin with it.
    package func header(of run: Int64, _ script: String) throws -> Int? {
        let part = try api.request(
            "GET", logPath(run, "main/s", "format=raw"), headers: ["Range": "bytes=0-\(script.utf8.count + 3)"])
        let shown = Array("$ \(script)\n".utf8)
        guard part.body.starts(with: shown) else { return nil }
        // A text that ends with a line feed is followed by an empty line.
        return part.body.count > shown.count && part.body[shown.count] == 10 ? shown.count + 1 : shown.count
    }

    /// Compares a finished step's log with the file that the step itself wrote. Gives nil, or what differs.
    ///
    /// What stands before the step's own output begins with `$ ` and has at most 8 KiB.
    package func differs(_ run: JSON, from name: String) throws -> String? {
        let file = "\(work)/\(name)"
        let log = Self.attempt(run)["log"]
        let (size, sum) = (TextFile.size(file), try TextFile.sha256(file))
        let header = Int(log["bytes"].int ?? 0) - size
        if log["state"].text != "complete" { return "the log is \(log)" }
        if header < 2 || header > 8192 { return "the step wrote \(size) bytes; stored: \(log)" }
        let copy = "\(work)/\(name).downloaded"
        defer { unlink(copy) }
        try download(run["id"].int ?? 0, to: copy)
        let whole = try TextFile.sha256(copy)
        if whole != log["sha256"].text { return "the download has the hash \(whole); stored: \(log)" }
        let got = try ChildProcess.run(
            "/bin/sh", ["-c", "head -c 2 \(copy); tail -c +\(header + 1) \(copy) | sha256sum"])
        return got.output.prefix(66) == "$ \(sum)"
            ? nil : "the step's own hash is \(sum); the log's part: \(got.output)"
    }

    /// Writes a log's bytes into a file.
    package func download(_ run: Int64, _ step: String = "main/s", to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestFailure("\(path) can't be written.") }
        defer { close(descriptor) }
        let response = try api.request("GET", logPath(run, step, "format=raw"), sink: descriptor)
        guard response.status == 200 else { throw TestFailure("The download answered \(response.status).") }
    }
}
