import ControllerCore
package import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One JSON line for each request, gathered and written a few times a second, so that a request never waits for a terminal.
/// Queries, headers and bodies are never logged: they may hold tokens.
package final class AccessLog: Sendable {
    private struct State {
        var lines = ByteBuffer()
        var left = 0
    }

    static let bytesMax = 4 * 1024 * 1024

    private let sink: (@Sendable (ByteBuffer) -> Void)?
    private let state = Mutex(State())

    init(_ sink: (@Sendable (ByteBuffer) -> Void)?) {
        self.sink = sink
    }

    package static let standardError: @Sendable (ByteBuffer) -> Void = { lines in
        lines.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = UnsafeRawBufferPointer(rebasing: rest).withMemoryRebound(to: UInt8.self) {
                    write(2, $0.baseAddress, $0.count)
                }
                guard written > 0 else { return }
                rest = rest.dropFirst(written)
            }
        }
    }

    struct Entry {
        var at: Int64
        var method: String
        var path: String
        var operation: String
        var status: Int
        var microseconds: Int64
        var remote: String
        var caller: String?
        var requestID: String
        var trace: String?
    }

    func note(_ entry: Entry) {
        guard sink != nil else { return }
        var json = JSONWriter(capacity: 320)
        json.object { json in
            json.field("at", time: entry.at)
            json.field("level", "info")
            json.field("message", "request")
            json.field("method", entry.method)
            json.field("path", entry.path)
            json.field("operation", entry.operation)
            json.field("status", entry.status)
            json.field("duration_us", entry.microseconds)
            json.field("remote", entry.remote)
            if let caller = entry.caller { json.field("user", caller) }
            json.field("request_id", entry.requestID)
            if let trace = entry.trace { json.field("traceparent", trace) }
        }
        state.withLock { state in
            guard state.lines.readableBytes < Self.bytesMax else {
                state.left += 1
                return
            }
            state.lines.writeBytes(json.bytes)
            state.lines.writeInteger(UInt8(ascii: "\n"))
        }
    }

    /// Writes what has gathered. Called by the server's own task, and once at its end.
    func flush() {
        guard let sink else { return }
        let (lines, left) = state.withLock { state in
            defer { state = State() }
            return (state.lines, state.left)
        }
        if lines.readableBytes > 0 { sink(lines) }
        if left > 0 {
            sink(
                ByteBuffer(
                    string: "{\"level\":\"warning\",\"message\":\"access log lines left out\",\"count\":\(left)}\n"))
        }
    }
}
