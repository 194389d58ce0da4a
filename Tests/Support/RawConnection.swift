import Glibc

/// A TCP connection on loopback that sends whatever bytes a test likes.
package final class RawConnection {
    private let descriptor: Int32

    /// - Parameter timeout: Seconds that one read or write may block.
    package init(port: Int, timeout: Int = 10) throws {
        descriptor = try Sockets.connect(port: port, timeout: timeout)
    }

    deinit { close(descriptor) }

    /// - Returns: false where the other side has closed.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool { (try? Sockets.write(descriptor, bytes)) != nil }

    @discardableResult
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// What comes next; empty at the end, and where nothing comes in time.
    package func read(max: Int = 64 * 1024) -> [UInt8] { (try? Sockets.read(descriptor, max: max)) ?? [] }

    /// Everything until the other side closes or is silent, at most `max` bytes.
    package func readAll(max: Int = 1024 * 1024) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < max {
            let more = read()
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    /// Says that nothing more is sent.
    package func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Reads one answer with its body.
    ///
    /// - Returns: its status; nil where the connection ends before one has come.
    package func answer() -> Int? {
        var bytes: [UInt8] = []
        var end: Int?
        while end == nil, bytes.count < 64 * 1024 {
            let more = read(max: 16 * 1024)
            if more.isEmpty { return nil }
            bytes += more
            end = (3..<Swift.max(3, bytes.count)).first { bytes[($0 - 3)...$0].elementsEqual([13, 10, 13, 10]) }
        }
        guard let end else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        let length = lines.lazy.compactMap { line -> Int? in
            let sides = line.split(separator: ":", maxSplits: 1)
            guard sides.count == 2, sides[0].lowercased() == "content-length" else { return nil }
            return Int(sides[1].drop { $0 == " " })
        }.first
        var left = (length ?? 0) - (bytes.count - end - 1)
        while left > 0 {
            let more = read()
            if more.isEmpty { return nil }
            left -= more.count
        }
        return status
    }
}
