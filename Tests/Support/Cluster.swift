import Foundation

/// A real controller and real agents on loopback, for one test.
package final class Cluster: @unchecked Sendable {
    package struct AgentOptions: Sendable {
        package var name: String
        package var labels: [String: String]
        package var slots: Int
        /// Whether a ``FaultProxy`` stands between it and the controller.
        package var isProxied: Bool

        package init(_ name: String = "a1", labels: [String: String] = [:], slots: Int = 2, isProxied: Bool = false) {
            self.name = name
            self.labels = labels
            self.slots = slots
            self.isProxied = isProxied
        }
    }

    package let root: String
    /// Where steps of the test write what the test reads.
    package let work: String
    package let controller: ControllerProcess
    package private(set) var agents: [AgentProcess] = []
    /// By the agent's name.
    package private(set) var proxies: [String: FaultProxy] = [:]
    package let api: APIClient
    private var others: [ChildProcess] = []
    private var mounts: [String] = []

    package var agent: AgentProcess { agents[0] }
    /// The first agent's proxy.
    package var proxy: FaultProxy {
        guard let proxy = proxies[agents[0].name] else { preconditionFailure("the first agent has no proxy") }
        return proxy
    }

    /// Short, because paths of Unix sockets are.
    package static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/afXXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TestFailure("No directory could be made in /tmp: errno \(errno).")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private init(root: String, template: ClusterTemplate.Made) throws {
        self.root = root
        work = root + "/w"
        controller = try ControllerProcess(dataDirectory: root + "/c", log: root + "/controller.log")
        api = APIClient(port: controller.port, token: template.key)
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
    }

    /// Runs `body` with a cluster whose agents are connected, and ends all of it afterwards. A failure prints the ends of the logs.
    ///
    /// - Parameter prepare: Called before the controller starts, with its data directory made.
    package static func with(
        _ agents: [AgentOptions] = [AgentOptions()], prepare: @escaping @Sendable (Cluster) throws -> Void = { _ in },
        _ body: @escaping @Sendable (Cluster) throws -> Void
    ) async throws {
        await Gate.clusters.enter()
        do {
            let template = try await ClusterTemplate.shared.get()
            try await BlockingTask.run { try run(agents, template, prepare, body) }
        } catch {
            await Gate.clusters.leave()
            throw error
        }
        await Gate.clusters.leave()
    }

    private static func run(
        _ agents: [AgentOptions], _ template: ClusterTemplate.Made, _ prepare: (Cluster) throws -> Void,
        _ body: (Cluster) throws -> Void
    ) throws {
        let cluster = try Cluster(root: try temporaryDirectory(), template: template)
        do {
            try prepare(cluster)
            let copy = try ChildProcess.run(
                "/bin/cp", ["-a", template.directory + "/.", cluster.controller.dataDirectory])
            guard copy.code == 0 else { throw TestFailure("The template can't be copied: \(copy.errors)") }
            try cluster.controller.start()
            for options in agents { try cluster.add(options) }
            for agent in cluster.agents { try cluster.waitConnected(agent.name) }
            try body(cluster)
            cluster.end(keep: false)
        } catch {
            cluster.printLogs(error)
            cluster.end(keep: Binaries.keepsFiles)
            throw error
        }
    }

    /// Enrols and starts one more agent.
    @discardableResult
    package func add(_ options: AgentOptions) throws -> AgentProcess {
        var port = controller.agentPort
        if options.isProxied {
            let proxy = try FaultProxy(target: port)
            proxies[options.name] = proxy
            port = proxy.port
        }
        let agent = AgentProcess(
            name: options.name, dataDirectory: "\(root)/\(options.name)", log: "\(root)/\(options.name).log")
        agents.append(agent)
        try agent.enrol(port: port, token: try enrolmentToken(), labels: options.labels, slots: options.slots)
        try agent.start()
        return agent
    }

    package func enrolmentToken() throws -> String {
        let answer = try api.call("POST", "/api/v1/agents/enrolment-tokens", [:])
        guard let token = answer["token"].text else { throw TestFailure("No token: \(answer)") }
        return token
    }

    /// Ends with the cluster.
    package func keep(_ process: ChildProcess) { others.append(process) }

    /// Mounts a small file system at `path`, which goes with the cluster. False where that is not allowed.
    package func mountMemory(_ path: String, megabytes: Int) throws -> Bool {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard geteuid() == 0,
            try ChildProcess.run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path]).code == 0
        else { return false }
        mounts.append(path)
        return true
    }

    // MARK: End

    private func end(keep: Bool) {
        api.disconnect()
        controller.kill()
        for agent in agents { agent.destroy() }
        for process in others { process.destroy() }
        for proxy in proxies.values { proxy.stop() }
        // Steps whose shim was killed, where no cgroup held them.
        _ = try? eventually(within: 5, "steps are gone") { () -> Bool in
            let left = ProcessTable.living(under: root)
            for pid in left { kill(pid, SIGKILL) }
            return left.isEmpty
        }
        for path in mounts { _ = try? ChildProcess.run("/bin/umount", ["-l", path]) }
        if !keep { try? FileManager.default.removeItem(atPath: root) }
    }

    private func printLogs(_ error: any Error) {
        var text = "--- a test of processes failed: \(error)\n"
        for log in [controller.log] + agents.map(\.log) {
            text += "--- the end of \(log)\n"
            text +=
                TextFile.lines(log).filter { !$0.contains("\"http request\"") }.suffix(25).joined(separator: "\n")
                + "\n"
        }
        FileHandle.standardError.write(Data(text.utf8))
    }
}
