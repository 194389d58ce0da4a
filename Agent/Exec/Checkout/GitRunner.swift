import Glibc
import Subprocess

/// Runs git: arguments as an array, a clean environment, a limit of time, and its words on this process's standard error.
struct GitRunner: Sendable {
    /// What git may speak.
    var protocols: String
    var host: [String: String]

    struct Outcome: Sendable {
        var succeeded: Bool
        var output: String
    }

    private static let kept = [
        "PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy",
        "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "GIT_SSH_COMMAND", "GIT_ASKPASS",
        "GIT_SSL_CAINFO",
    ]

    private var environment: [String: String] {
        var values = host.filter { Self.kept.contains($0.key) }
        values["PATH"] = values["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        values["GIT_TERMINAL_PROMPT"] = "0"
        values["GIT_ALLOW_PROTOCOL"] = protocols
        values["GIT_CONFIG_NOSYSTEM"] = "1"
        values["GIT_LFS_SKIP_SMUDGE"] = "1"
        values["GIT_HTTP_LOW_SPEED_LIMIT"] = "1000"
        values["GIT_HTTP_LOW_SPEED_TIME"] = "60"
        values["GIT_SSH_COMMAND"] =
            values["GIT_SSH_COMMAND"] ?? "ssh -oBatchMode=yes -oConnectTimeout=20 -oServerAliveInterval=15"
        return values
    }

    /// The step that runs this checks out what it was told to; whose directories these are does not matter, and nothing that
    /// a repository configures may run.
    private static let settings = [
        "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false", "-c",
        "gc.auto=0",
        "-c", "core.fsmonitor=false", "-c", "protocol.allow=user",
    ]

    /// Runs git with its output shown.
    ///
    /// - Parameter hiding: An argument that may hold credentials, and what is shown instead.
    /// - Returns: Whether it ended with 0.
    func show(_ arguments: [String], limit: Duration, hiding: RepositoryAddress? = nil) async throws -> Bool {
        let shown = arguments.map { $0 == hiding?.text ? hiding?.shown ?? "" : $0 }
        let line = "$ git \(shown.joined(separator: " "))\n"
        _ = Files.writeAll(1, Array(line.utf8))
        return try await within(limit) {
            let result = try await Subprocess.run(
                .name("git"), arguments: Arguments(Self.settings + arguments), environment: .custom(keyed(environment)),
                output: .currentStandardOutput, error: .currentStandardError)
            return result.terminationStatus.isSuccess
        } ?? false
    }

    /// Runs git for what it prints, at most 1 MiB.
    func ask(_ arguments: [String], limit: Duration = .seconds(60)) async throws -> Outcome {
        let outcome = try await within(limit) {
            let result = try await Subprocess.run(
                .name("git"), arguments: Arguments(Self.settings + arguments), environment: .custom(keyed(environment)),
                output: .string(limit: 1 << 20), error: .discarded)
            return Outcome(succeeded: result.terminationStatus.isSuccess, output: result.standardOutput)
        }
        return outcome ?? Outcome(succeeded: false, output: "")
    }

    private func keyed(_ values: [String: String]) -> [Environment.Key: String] {
        var keyed: [Environment.Key: String] = [:]
        for (name, value) in values { if let key = Environment.Key(rawValue: name) { keyed[key] = value } }
        return keyed
    }

    /// - Returns: `nil` where the time was up; the child is then ended.
    private func within<Value: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            let first = try await group.next() ?? nil
            if first == nil { _ = Files.writeAll(2, Array("git took longer than \(limit) and was stopped.\n".utf8)) }
            return first
        }
    }
}
