import AnsFlowRecords

/// Messages of the shim's socket to bytes and back.
///
/// Each is a length (32 bits, of what follows; at most ``ShimLimits/messageBytesMax``), a kind (1 byte) and a body, all
/// little-endian. ``ShimFrameReader`` cuts a stream into them. Kinds are never given a new meaning.
package enum ShimCodec {
    private enum Kind {
        static let attach: UInt8 = 1
        static let start: UInt8 = 2
        static let stop: UInt8 = 3
        static let mask: UInt8 = 4
        static let forget: UInt8 = 5
        static let state: UInt8 = 65
        static let started: UInt8 = 66
        static let startRefused: UInt8 = 67
        static let spooled: UInt8 = 68
        static let ended: UInt8 = 69
        static let emptied: UInt8 = 70
        static let masked: UInt8 = 71
    }

    /// - Throws: Where the message is larger than the other end would take.
    package static func encode(_ command: ShimCommand) throws(ShimCodecError) -> [UInt8] {
        var frame = Frame()
        switch command {
        case .attach(let version):
            frame.kind = Kind.attach
            frame.bytes.append(version)
        case .start(let spec):
            frame.kind = Kind.start
            spec.encode(to: &frame.bytes)
        case .stop(let reason, let graceMs):
            frame.kind = Kind.stop
            frame.bytes.append(reason.rawValue)
            frame.bytes.append(integer: graceMs)
        case .mask(let secret):
            frame.kind = Kind.mask
            frame.bytes.append(contentsOf: secret)
        case .forget: frame.kind = Kind.forget
        }
        return try frame.closed()
    }

    package static func encode(_ report: ShimReport) throws(ShimCodecError) -> [UInt8] {
        var frame = Frame()
        switch report {
        case .state(let state):
            frame.kind = Kind.state
            state.encode(to: &frame.bytes)
        case .started(let attempt, let startedAt):
            frame.kind = Kind.started
            frame.bytes.append(integer: attempt)
            frame.bytes.append(integer: startedAt)
        case .startRefused(let attempt, let reason, let message):
            frame.kind = Kind.startRefused
            frame.bytes.append(integer: attempt)
            frame.bytes.append(reason.rawValue)
            frame.bytes.append(text: message.prefix(utf8: ShimLimits.messageTextBytesMax))
        case .spooled(let bytes, let dropped):
            frame.kind = Kind.spooled
            frame.bytes.append(integer: bytes)
            frame.bytes.append(integer: dropped)
        case .ended(let record):
            frame.kind = Kind.ended
            record.encodeBody(to: &frame.bytes)
        case .emptied(let attempt):
            frame.kind = Kind.emptied
            frame.bytes.append(integer: attempt)
        case .masked(let done):
            frame.kind = Kind.masked
            frame.bytes.append(done ? 1 : 0)
        }
        return try frame.closed()
    }

    /// - Parameter message: Kind and body, without the length.
    package static func command(_ message: [UInt8]) throws(ShimCodecError) -> ShimCommand {
        guard let kind = message.first else { throw ShimCodecError("An empty message came.") }
        let command: ShimCommand? = message.withUnsafeBytes { raw in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: raw.dropFirst()))
            let decoded: ShimCommand?
            switch kind {
            case Kind.attach: decoded = reader.integer(UInt8.self).map { .attach(version: $0) }
            case Kind.start: decoded = ShimSpec(&reader).map { .start($0) }
            case Kind.stop:
                guard let reason = reader.integer(UInt8.self).flatMap(ShimStopReason.init(rawValue:)),
                    let grace = reader.integer(UInt64.self)
                else { return nil }
                decoded = .stop(reason, graceMs: grace)
            case Kind.mask:
                guard reader.remaining <= ShimLimits.secretBytesMax else { return nil }
                decoded = reader.slice(reader.remaining).map { .mask([UInt8]($0)) }
            case Kind.forget: decoded = .forget
            default: return nil
            }
            return reader.remaining == 0 ? decoded : nil
        }
        guard let command else { throw ShimCodecError("A command of kind \(kind) can't be read.") }
        return command
    }

    /// - Parameter message: Kind and body, without the length.
    package static func report(_ message: [UInt8]) throws(ShimCodecError) -> ShimReport {
        guard let kind = message.first else { throw ShimCodecError("An empty message came.") }
        let report: ShimReport? = message.withUnsafeBytes { raw in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: raw.dropFirst()))
            let decoded = Self.report(kind, &reader)
            return reader.remaining == 0 ? decoded : nil
        }
        guard let report else { throw ShimCodecError("A report of kind \(kind) can't be read.") }
        return report
    }

    private static func report(_ kind: UInt8, _ reader: inout ByteReader) -> ShimReport? {
        switch kind {
        case Kind.state: return ShimState(&reader).map { .state($0) }
        case Kind.started:
            guard let attempt = reader.integer(Int64.self), let startedAt = reader.integer(UInt64.self) else {
                return nil
            }
            return .started(attempt: attempt, startedAtBoottimeMs: startedAt)
        case Kind.startRefused:
            guard let attempt = reader.integer(Int64.self),
                let reason = reader.integer(UInt8.self).flatMap(StartRefusal.init(rawValue:)),
                let message = reader.text(limit: ShimLimits.messageTextBytesMax)
            else { return nil }
            return .startRefused(attempt: attempt, reason, message: message)
        case Kind.spooled:
            guard let bytes = reader.integer(UInt64.self), let dropped = reader.integer(UInt64.self) else { return nil }
            return .spooled(bytes: bytes, dropped: dropped)
        case Kind.ended: return ExitRecord(body: &reader).map { .ended($0) }
        case Kind.emptied: return reader.integer(Int64.self).map { .emptied(attempt: $0) }
        case Kind.masked: return reader.integer(UInt8.self).map { .masked($0 != 0) }
        default: return nil
        }
    }

    private struct Frame {
        var bytes: [UInt8] = [0, 0, 0, 0, 0]
        var kind: UInt8 {
            get { bytes[4] }
            set { bytes[4] = newValue }
        }

        func closed() throws(ShimCodecError) -> [UInt8] {
            let count = bytes.count - 4
            guard count <= ShimLimits.messageBytesMax else {
                throw ShimCodecError(
                    "A message of \(count) bytes is too large: make the step's environment and secrets smaller.")
            }
            var whole = bytes
            withUnsafeBytes(of: UInt32(count).littleEndian) { whole.replaceSubrange(0..<4, with: $0) }
            return whole
        }
    }
}

extension ShimState {
    func encode(to buffer: inout [UInt8]) {
        buffer.append(version)
        buffer.append(containment.rawValue)
        buffer.append(integer: spooled)
        buffer.append(integer: dropped)
        switch phase {
        case .warm: buffer.append(1)
        case .running(let attempt, let pid, let startedAt, let stopping):
            buffer.append(2)
            buffer.append(integer: attempt)
            buffer.append(integer: pid)
            buffer.append(integer: startedAt)
            buffer.append(stopping ? 1 : 0)
        case .ended(let record, let treeEmpty):
            buffer.append(3)
            buffer.append(treeEmpty ? 1 : 0)
            record.encodeBody(to: &buffer)
        }
    }

    init?(_ reader: inout ByteReader) {
        guard let version = reader.integer(UInt8.self),
            let containment = reader.integer(UInt8.self).flatMap(Containment.init(rawValue:)),
            let spooled = reader.integer(UInt64.self), let dropped = reader.integer(UInt64.self),
            let kind = reader.integer(UInt8.self)
        else { return nil }
        let phase: Phase
        switch kind {
        case 1: phase = .warm
        case 2:
            guard let attempt = reader.integer(Int64.self), let pid = reader.integer(Int32.self),
                let startedAt = reader.integer(UInt64.self), let stopping = reader.integer(UInt8.self)
            else { return nil }
            phase = .running(attempt: attempt, pid: pid, startedAtBoottimeMs: startedAt, stopping: stopping != 0)
        case 3:
            guard let empty = reader.integer(UInt8.self), let record = ExitRecord(body: &reader) else { return nil }
            phase = .ended(record, treeEmpty: empty != 0)
        default: return nil
        }
        self.init(version: version, containment: containment, phase: phase, spooled: spooled, dropped: dropped)
    }
}
