import Glibc

/// Asks on the controlling terminal, without echo.
package enum PasswordPrompt {
    /// At most this many bytes are read.
    private static let limit = 1024

    package static func ask(_ prompt: String) throws -> String {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else {
            throw ClientFailure(
                .usage, "There is no terminal to ask for the password.", cure: "Use --password-stdin.")
        }
        defer { close(terminal) }
        var before = termios()
        guard tcgetattr(terminal, &before) == 0 else {
            throw ClientFailure(.usage, "The terminal cannot be asked.", cure: "Use --password-stdin.")
        }
        // Without signals too: an interrupt must not leave the terminal without echo.
        var quiet = before
        quiet.c_lflag &= ~tcflag_t(ECHO | ISIG)
        guard tcsetattr(terminal, TCSAFLUSH, &quiet) == 0 else {
            throw ClientFailure(.usage, "The terminal's echo cannot be turned off.", cure: "Use --password-stdin.")
        }
        defer {
            tcsetattr(terminal, TCSAFLUSH, &before)
            _ = FileIO.writeAll([UInt8(ascii: "\n")], to: terminal)
        }
        _ = FileIO.writeAll(Array(prompt.utf8), to: terminal)
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count < limit {
            let count = read(terminal, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1, byte != UInt8(ascii: "\n") else { break }
            if byte == 3 { throw ClientFailure(.usage, "Interrupted.") }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
