import AnsFlowRecords

/// What an agent hands to a warm shim: one attempt to run. It holds secrets, so it crosses the shim's socket and never a file.
package struct ShimSpec: Equatable, Sendable {
    package var attempt: Int64
    /// The program and its arguments; the program is looked up in the step's own `PATH` when it holds no slash.
    package var arguments: [String]
    /// `NAME=value` each. The shim adds `ANSFLOW_CONTROL`, the path of its socket.
    package var environment: [String]
    /// All paths are absolute.
    package var workingDirectory: String
    /// `starts/<attempt>`: whoever makes this file decides whether the attempt runs.
    package var startFile: String
    package var spoolFile: String
    package var recordFile: String
    /// From the child's start until TERM, in milliseconds.
    package var timeoutMs: UInt64
    /// Between TERM and KILL at the deadline, in milliseconds.
    package var graceMs: UInt64
    /// Stored bytes of output.
    package var logLimitBytes: UInt64
    /// Masked in all output.
    package var secrets: [[UInt8]]

    package init(
        attempt: Int64, arguments: [String], environment: [String], workingDirectory: String, startFile: String,
        spoolFile: String, recordFile: String, timeoutMs: UInt64, graceMs: UInt64, logLimitBytes: UInt64,
        secrets: [[UInt8]] = []
    ) {
        self.attempt = attempt
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.startFile = startFile
        self.spoolFile = spoolFile
        self.recordFile = recordFile
        self.timeoutMs = timeoutMs
        self.graceMs = graceMs
        self.logLimitBytes = logLimitBytes
        self.secrets = secrets
    }

    /// What makes the specification unfit to run, as a sentence; `nil` where nothing does.
    package var fault: String? {
        if attempt < 1 { return "The attempt's number must be at least 1." }
        if arguments.isEmpty || arguments.count > ShimLimits.argumentsMax {
            return "A step needs 1 to \(ShimLimits.argumentsMax) arguments."
        }
        if environment.count > ShimLimits.environmentMax {
            return "A step has at most \(ShimLimits.environmentMax) variables."
        }
        for path in [workingDirectory, startFile, spoolFile, recordFile] where !path.utf8.starts(with: "/".utf8) {
            return "Every path of a step must be absolute."
        }
        let texts = arguments + environment + [workingDirectory, startFile, spoolFile, recordFile]
        for text in texts where text.utf8.contains(0) {
            return "An argument, variable or path of a step holds a zero byte."
        }
        if environment.contains(where: { !$0.utf8.dropFirst().contains(UInt8(ascii: "=")) }) {
            return "A variable of a step is not of the form NAME=value."
        }
        return nil
    }

    func encode(to buffer: inout [UInt8]) {
        buffer.append(integer: attempt)
        Self.append(arguments, to: &buffer)
        Self.append(environment, to: &buffer)
        for text in [workingDirectory, startFile, spoolFile, recordFile] { buffer.append(text: text) }
        buffer.append(integer: timeoutMs)
        buffer.append(integer: graceMs)
        buffer.append(integer: logLimitBytes)
        buffer.append(integer: UInt32(secrets.count))
        for secret in secrets { buffer.append(sized: secret) }
    }

    init?(_ reader: inout ByteReader) {
        let limit = ShimLimits.textBytesMax
        guard let attempt = reader.integer(Int64.self),
            let arguments = Self.texts(&reader, max: ShimLimits.argumentsMax),
            let environment = Self.texts(&reader, max: ShimLimits.environmentMax),
            let workingDirectory = reader.text(limit: limit), let startFile = reader.text(limit: limit),
            let spoolFile = reader.text(limit: limit), let recordFile = reader.text(limit: limit),
            let timeoutMs = reader.integer(UInt64.self), let graceMs = reader.integer(UInt64.self),
            let logLimitBytes = reader.integer(UInt64.self), let count = reader.integer(UInt32.self),
            count <= ShimLimits.secretsMax
        else { return nil }
        var secrets: [[UInt8]] = []
        for _ in 0..<count {
            guard let secret = reader.sized(limit: ShimLimits.secretBytesMax) else { return nil }
            secrets.append([UInt8](secret))
        }
        self.init(
            attempt: attempt, arguments: arguments, environment: environment, workingDirectory: workingDirectory,
            startFile: startFile, spoolFile: spoolFile, recordFile: recordFile, timeoutMs: timeoutMs, graceMs: graceMs,
            logLimitBytes: logLimitBytes, secrets: secrets)
    }

    private static func append(_ texts: [String], to buffer: inout [UInt8]) {
        buffer.append(integer: UInt32(texts.count))
        for text in texts { buffer.append(text: text) }
    }

    private static func texts(_ reader: inout ByteReader, max: Int) -> [String]? {
        guard let count = reader.integer(UInt32.self), count <= max else { return nil }
        var texts: [String] = []
        for _ in 0..<count {
            guard let text = reader.text(limit: ShimLimits.textBytesMax) else { return nil }
            texts.append(text)
        }
        return texts
    }
}
