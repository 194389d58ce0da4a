import AnsFlowRecords

/// What a step used, as far as the shim could tell.
package struct ShimUsage: Equatable, Sendable {
    package var cpuUserMs: UInt64
    package var cpuSystemMs: UInt64
    package var memoryPeakBytes: UInt64
    /// From the child's start to the end of its tree, by the boot clock.
    package var wallMs: UInt64

    package init(cpuUserMs: UInt64 = 0, cpuSystemMs: UInt64 = 0, memoryPeakBytes: UInt64 = 0, wallMs: UInt64 = 0) {
        self.cpuUserMs = cpuUserMs
        self.cpuSystemMs = cpuSystemMs
        self.memoryPeakBytes = memoryPeakBytes
        self.wallMs = wallMs
    }
}

/// An attempt's end as the shim wrote it. Its file is one block, allocated before the start, so that a full disk can't lose it.
///
/// Layout, little-endian: 8 bytes magic `ANSFEXIT`, 1 byte version, 4 bytes length of the body, the body, 4 bytes CRC-32C of
/// all before, zeros up to ``size``. A block of zeros is an attempt whose end is not known yet.
package struct ExitRecord: Equatable, Sendable {
    package static let size = 4096
    private static let magic = Array("ANSFEXIT".utf8)

    package var attempt: Int64
    package var ending: Ending
    /// Of the main process, where it exited by itself, also after a TERM.
    package var exitCode: Int32?
    /// The signal that ended the main process.
    package var signal: Int32?
    /// A sentence for people where the ending does not say enough; at most 1024 bytes are kept.
    package var message: String
    /// Bytes in the spool.
    package var spooled: UInt64
    /// Bytes that the step wrote and the spool does not hold; `nil` where nobody can know.
    package var dropped: UInt64?
    package var usage: ShimUsage
    package var startedAtBoottimeMs: UInt64
    /// Processes of the step had survived KILL when this was written.
    package var unkillable: Bool

    package init(
        attempt: Int64, ending: Ending, exitCode: Int32? = nil, signal: Int32? = nil, message: String = "",
        spooled: UInt64 = 0, dropped: UInt64? = 0, usage: ShimUsage = ShimUsage(), startedAtBoottimeMs: UInt64 = 0,
        unkillable: Bool = false
    ) {
        self.attempt = attempt
        self.ending = ending
        self.exitCode = exitCode
        self.signal = signal
        self.message = message
        self.spooled = spooled
        self.dropped = dropped
        self.usage = usage
        self.startedAtBoottimeMs = startedAtBoottimeMs
        self.unkillable = unkillable
    }

    /// The whole block, ``size`` bytes.
    package func encoded() -> [UInt8] {
        var body: [UInt8] = []
        encodeBody(to: &body)
        var block = Self.magic
        block.append(ShimLimits.version)
        block.append(sized: body)
        block.append(integer: CRC32C.checksum(block))
        precondition(block.count <= Self.size, "an exit record fits its block")
        block.append(contentsOf: repeatElement(0, count: Self.size - block.count))
        return block
    }

    /// `nil` where the bytes are not a whole, undamaged record of a known version.
    package init?(_ block: [UInt8]) {
        let record: ExitRecord? = block.withUnsafeBytes { raw in
            guard raw.count >= 17, raw.prefix(8).elementsEqual(Self.magic), raw[8] == 1 else { return nil }
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: raw[9...]))
            guard let body = reader.sized(limit: Self.size - 17), let crc = reader.integer(UInt32.self),
                crc == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: raw[0..<13 + body.count]))
            else { return nil }
            var fields = ByteReader(body)
            return ExitRecord(body: &fields)
        }
        guard let record else { return nil }
        self = record
    }

    func encodeBody(to buffer: inout [UInt8]) {
        buffer.append(integer: attempt)
        ending.encode(to: &buffer)
        let flags: UInt8 =
            (unkillable ? 1 : 0) | (exitCode == nil ? 0 : 2) | (signal == nil ? 0 : 4) | (dropped == nil ? 0 : 8)
        buffer.append(flags)
        buffer.append(integer: exitCode ?? 0)
        buffer.append(integer: signal ?? 0)
        buffer.append(integer: spooled)
        buffer.append(integer: dropped ?? 0)
        for value in [usage.cpuUserMs, usage.cpuSystemMs, usage.memoryPeakBytes, usage.wallMs, startedAtBoottimeMs] {
            buffer.append(integer: value)
        }
        buffer.append(text: message.prefix(utf8: ShimLimits.messageTextBytesMax))
    }

    init?(body reader: inout ByteReader) {
        guard let attempt = reader.integer(Int64.self), let ending = Ending(&reader),
            let flags = reader.integer(UInt8.self), let exitCode = reader.integer(Int32.self),
            let signal = reader.integer(Int32.self), let spooled = reader.integer(UInt64.self),
            let dropped = reader.integer(UInt64.self), let user = reader.integer(UInt64.self),
            let system = reader.integer(UInt64.self), let peak = reader.integer(UInt64.self),
            let wall = reader.integer(UInt64.self), let startedAt = reader.integer(UInt64.self),
            let message = reader.text(limit: ShimLimits.messageTextBytesMax)
        else { return nil }
        self.init(
            attempt: attempt, ending: ending, exitCode: flags & 2 == 0 ? nil : exitCode,
            signal: flags & 4 == 0 ? nil : signal, message: message, spooled: spooled,
            dropped: flags & 8 == 0 ? nil : dropped,
            usage: ShimUsage(cpuUserMs: user, cpuSystemMs: system, memoryPeakBytes: peak, wallMs: wall),
            startedAtBoottimeMs: startedAt, unkillable: flags & 1 != 0)
    }
}

extension String {
    /// The longest beginning of at most `max` bytes that cuts no character.
    func prefix(utf8 max: Int) -> String {
        guard utf8.count > max else { return self }
        var kept = ""
        var bytes = 0
        for character in self {
            bytes += character.utf8.count
            if bytes > max { break }
            kept.append(character)
        }
        return kept
    }
}
