import FoundationEssentials
import Glibc
import Synchronization

/// Writing for people and scripts. Whole pieces go out at once, so that lines of concurrent writers do not mix.
package enum Terminal {
    /// Whether standard output is a terminal.
    package static let isTerminal = isatty(1) == 1

    /// Colours only on a terminal, not when `NO_COLOR` is set (to anything but nothing) or the terminal is dumb.
    package static let colours = useColours(terminal: isTerminal, environment: ProcessInfo.processInfo.environment)

    package static func useColours(terminal: Bool, environment: [String: String]) -> Bool {
        terminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    /// One line on standard output, where it can be written: for `up`, which others count on when nobody reads it any more.
    package static func say(_ text: String) {
        lock.withLock { _ in _ = FileIO.writeAll(Array((text + "\n").utf8), to: 1) }
    }

    /// One line on standard output. Where it can't be written, the process ends.
    package static func print(_ text: String) {
        write(Array((text + "\n").utf8), to: 1)
    }

    /// Bytes on standard output, as they are.
    package static func writeRaw(_ bytes: [UInt8]) {
        write(bytes, to: 1)
    }

    /// One line on standard error.
    package static func note(_ text: String) {
        write(Array((text + "\n").utf8), to: 2)
    }

    private static let lock = Mutex(())

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        lock.withLock { _ in
            if FileIO.writeAll(bytes, to: descriptor) { return }
            // A note that nobody reads changes nothing.
            guard descriptor == 1 else { return }
            // The reader (`head`, a pager) has gone: end as SIGPIPE would have, but NIO ignores that signal.
            if errno == EPIPE { exit(141) }
            // What was asked for is not where it was to go: that is no success.
            let text = "error: Standard output cannot be written: \(FileIO.reason()).\n"
            _ = FileIO.writeAll(Array(text.utf8), to: 2)
            exit(ClientFailure.Kind.serverFailed.rawValue)
        }
    }
}

package enum Colour: String, Sendable {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case blue = "34"
    case magenta = "35"
    case cyan = "36"
    case grey = "90"
    case bold = "1"
}

/// Text with colours, or without where none are wanted.
package struct Style: Sendable {
    package var colours: Bool

    package init(colours: Bool = Terminal.colours) {
        self.colours = colours
    }

    package func paint(_ text: String, _ colour: Colour) -> String {
        colours ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// A status word in its colour.
    package func status(_ word: String) -> String {
        switch word {
        case "success", "healthy", "online", "connected", "ready": paint(word, .green)
        case "failed", "lost", "error", "timed_out", "invalid", "revoked", "unreachable": paint(word, .red)
        case "warning", "cancelled", "paused", "draining", "offline": paint(word, .yellow)
        case "running", "starting", "stopping": paint(word, .cyan)
        default: paint(word, .grey)
        }
    }

    /// A colour for a name, always the same one.
    package func named(_ name: String) -> String {
        let palette: [Colour] = [.cyan, .magenta, .blue, .green, .yellow]
        let sum = name.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF }
        return paint(name, palette[sum % palette.count])
    }
}
