import AnsFlowProtocol

/// Which bytes of one attempt's output go out next.
///
/// It sends at once when nothing waits for an acknowledgement, so that a slow log is seen without delay; otherwise it gathers until a
/// message is full. Offsets are absolute; `acked <= sent`.
package struct LogSender: Equatable, Sendable {
    package struct Read: Equatable, Sendable {
        package var from: UInt64
        package var upTo: UInt64
    }

    /// Bytes before this are durable at the controller.
    package private(set) var acked: UInt64 = 0
    package private(set) var sent: UInt64 = 0
    /// Bytes that the spool holds.
    package private(set) var spooled: UInt64 = 0
    /// No more will come.
    package private(set) var isComplete = false
    /// Some bytes could not be read, so the hash of the whole can't be vouched for.
    package private(set) var isDamaged = false
    /// When an acknowledgement last brought something, or the log began anew.
    package private(set) var progressAt: UInt64 = 0
    private var reading = false

    package init(spooled: UInt64 = 0) {
        self.spooled = spooled
    }

    /// Whether everything that the spool holds is on its way.
    package var isSent: Bool { isComplete && sent >= spooled }

    mutating func spooled(_ bytes: UInt64) {
        if bytes > spooled, !isComplete { spooled = bytes }
    }

    mutating func complete(total: UInt64) {
        spooled = total
        isComplete = true
    }

    /// A link is ready, and the controller holds `next` bytes.
    mutating func resume(next: UInt64, now: UInt64) {
        acked = next
        sent = next
        reading = false
        progressAt = now
    }

    /// The link is gone: nothing is under way any more.
    mutating func interrupt() {
        reading = false
        sent = acked
    }

    mutating func acknowledged(next: UInt64, now: UInt64) {
        if next < acked || next > sent {
            // The controller cut its file, or holds more than was said: its bytes stand.
            rewind(to: next, now: now)
        } else if next > acked {
            acked = next
            progressAt = now
        }
    }

    mutating func rewind(to next: UInt64, now: UInt64) {
        acked = next
        sent = next
        progressAt = now
    }

    /// Nothing was acknowledged for long although bytes are under way: they are sent again.
    mutating func resendIfStuck(now: UInt64) {
        guard sent > acked, !reading, now >= progressAt + stuckMs else { return }
        sent = acked
        progressAt = now
    }

    mutating func next() -> Read? {
        guard !reading, spooled > sent else { return nil }
        let full = UInt64(ProtocolLimits.logPayloadBytesMax)
        guard sent - acked + full <= UInt64(ProtocolLimits.logCreditBytes) else { return nil }
        guard sent == acked || isComplete || spooled - sent >= full else { return nil }
        reading = true
        return Read(from: sent, upTo: spooled)
    }

    mutating func wasSent(from: UInt64, end: UInt64) {
        reading = false
        if from == sent, end > sent { sent = end }
    }

    /// - Returns: Whether a GAP is to be sent.
    mutating func wasUnreadable(from: UInt64, length: UInt64) -> Bool {
        reading = false
        guard from == sent, length > 0 else { return false }
        sent = from + length
        isDamaged = true
        return true
    }

    /// Whether the controller has taken nothing for long.
    func isStalled(since: UInt64, now: UInt64) -> Bool {
        now >= max(since, progressAt) + stuckMs
    }
}

private let stuckMs: UInt64 = 30_000
