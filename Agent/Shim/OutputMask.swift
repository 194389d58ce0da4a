import AgentShimCore
import Glibc

/// Takes secrets out of the file that a step wrote its outputs to, before anybody reads it: outputs are stored, shown and given to
/// other jobs, and they do not pass through the log's pipe.
enum OutputMask {
    /// More than the agent reads of such a file.
    private static let bytesMax = 256 * 1024
    static let note = "An output of this step held a secret; *** stands in its place.\n"

    /// The file that a step's environment names; the last of a name counts, as for the step.
    static func path(in environment: [String]) -> String? {
        let name = "ANSFLOW_OUTPUT="
        return environment.last { $0.hasPrefix(name) }.map { String($0.dropFirst(name.utf8.count)) }
    }

    /// Rewrites the file where it holds a secret.
    ///
    /// - Returns: Whether it did.
    static func apply(to path: String, _ mask: ([UInt8]) -> [UInt8]) -> Bool {
        // Non-blocking, so that a FIFO of that name holds nobody up.
        let file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return false }
        defer { close(file) }
        var info = stat()
        guard fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_size > 0 else { return false }
        var bytes = [UInt8](repeating: 0, count: Int(min(info.st_size, off_t(bytesMax))))
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return false }
        let original = Array(bytes[..<count])
        let masked = mask(original)
        guard masked != original else { return false }
        let written = masked.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        // What can't be masked is not kept.
        if ftruncate(file, off_t(max(0, written))) != 0 { unlink(path) }
        return true
    }
}
