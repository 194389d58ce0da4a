import Crypto
import Glibc

/// Brings a file from the controller to disk or standard output. What was cut off goes on where it broke.
struct FileDownload: Sendable {
    let client: APIClient
    let path: String
    let query: [(String, String)]
    let thing: String

    /// Tries in a row that brought nothing.
    private static let triesMax = 5

    /// - Parameters:
    ///   - target: A path, or - for standard output.
    ///   - size: Bytes that must come; nil where nobody knows before.
    ///   - sha256: What they must have, in lower-case hex; without it nothing goes on where it broke.
    func run(to target: String, size: UInt64? = nil, sha256: String? = nil, executable: Bool = false) async throws {
        let part = target + ".part"
        let output =
            target == "-" ? 1 : open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, executable ? 0o755 : 0o644)
        guard output >= 0 else { throw ClientFailure(.usage, "\(part) cannot be written: \(FileIO.reason()).") }
        defer { if output != 1 { close(output) } }
        let state = Progress(output, resumes: target != "-" && sha256 != nil)
        // All of it may be there, where an earlier try was cut off behind its last byte; or more, of an older version.
        let isThere = state.length > 0 && state.length == size && state.digest == sha256
        if let size, state.length >= size, !isThere { try state.restart() }
        if !isThere { try await fetch(state, sha256) }
        if let size, state.length != size {
            throw ClientFailure(.serverFailed, "\(state.length) of \(size) bytes came.", cure: "Try again.")
        }
        if let sha256, state.digest != sha256 {
            if output != 1 { unlink(part) }
            throw ClientFailure(
                .serverFailed, "What came is damaged: its SHA-256 is not the one that was kept.", cure: "Try again.")
        }
        guard output != 1 else { return }
        guard fsync(output) == 0, rename(part, target) == 0 else {
            throw ClientFailure(.usage, "\(target) cannot be written: \(FileIO.reason()).")
        }
    }

    private func fetch(_ state: Progress, _ sha256: String?) async throws {
        var tries = 0
        while true {
            let before = state.length
            do {
                return try await client.stream(
                    path, query: query, from: state.length, etag: sha256.map { "\"\($0)\"" }, thing: thing,
                    begin: { if !$0 { try state.restart() } }, piece: { try state.append($0) })
            } catch let failure as ClientFailure where failure.kind == .unreachable && state.resumes {
                tries = state.length > before ? 1 : tries + 1
                guard tries < Self.triesMax else { throw failure }
                try await Task.sleep(for: .milliseconds(500 << tries))
            }
        }
    }

    /// What has come. Used by one task.
    private final class Progress: @unchecked Sendable {
        private let output: Int32
        let resumes: Bool
        private var hasher = SHA256()
        private(set) var length: UInt64 = 0

        /// Reads what an earlier try has left.
        init(_ output: Int32, resumes: Bool) {
            self.output = output
            self.resumes = resumes
            guard resumes else {
                if output != 1 { ftruncate(output, 0) }
                return
            }
            var chunk = [UInt8](repeating: 0, count: 1 << 20)
            while case let count = read(output, &chunk, chunk.count), count > 0 {
                hasher.update(data: chunk[..<count])
                length += UInt64(count)
            }
        }

        func restart() throws {
            guard length > 0 else { return }
            guard output != 1, ftruncate(output, 0) == 0, lseek(output, 0, SEEK_SET) == 0 else {
                throw ClientFailure(.serverFailed, "The file changed while it was fetched.", cure: "Try again.")
            }
            hasher = SHA256()
            length = 0
        }

        func append(_ bytes: [UInt8]) throws {
            guard FileIO.writeAll(bytes, to: output) else {
                throw ClientFailure(.usage, "The file cannot be written: \(FileIO.reason()).")
            }
            hasher.update(data: bytes)
            length += UInt64(bytes.count)
        }

        var digest: String {
            hasher.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }
}
