package import AnsFlowProtocol
package import NIOCore
import Synchronization

/// Lines that were added to a log, made once and shared by all who follow it.
package final class LogBatch: Sendable {
    package let attempt: AttemptID
    /// Number of the first line in ``lines``.
    package let firstLine: Int
    /// Where a follower that has this goes on: the number of an unfinished last line, else the one behind the last.
    package let nextLine: Int
    package let lines: [LogLine]
    /// About what the batch costs in memory and on the wire.
    package let size: Int

    private let encoded = Mutex<ByteBuffer?>(nil)

    package init(attempt: AttemptID, firstLine: Int, nextLine: Int, lines: [LogLine]) {
        self.attempt = attempt
        self.firstLine = firstLine
        self.nextLine = nextLine
        self.lines = lines
        size = lines.reduce(64) { $0 + $1.text.count + 48 }
    }

    /// The lines as a JSON array of `{"n":1,"t_ms":0,"text":"…"}`, with `"partial":true` on an unfinished line, `"cut":true` on one
    /// that is not shown whole, `"hole":"missing"` or `"damaged"` on a marker. Encoded once, whoever asks first.
    package var json: ByteBuffer {
        encoded.withLock { kept in
            if let kept { return kept }
            let made = LogJSON.array(lines)
            kept = made
            return made
        }
    }

    /// The same without the lines before `number`.
    func from(_ number: Int) -> LogBatch {
        let rest = lines.filter { $0.number >= number }
        return LogBatch(attempt: attempt, firstLine: rest.first?.number ?? nextLine, nextLine: nextLine, lines: rest)
    }
}
