import Glibc

/// An open file. Reads and writes name their position; the descriptor is closed with the last reference, so that a reader keeps
/// what it reads even when the file is replaced or removed.
final class LogFile: Sendable {
    let descriptor: Int32

    /// - Returns: `nil` where it can't be opened; `errno` says why.
    init?(path: String, flags: Int32) {
        var opened: Int32
        repeat { opened = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600) } while opened < 0 && errno == EINTR
        guard opened >= 0 else { return nil }
        descriptor = opened
    }

    deinit { Glibc.close(descriptor) }

    /// Reads until the buffer is full or the file ends.
    ///
    /// - Returns: Bytes read, or `nil` on an error.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int? {
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let got = pread(descriptor, base + done, buffer.count - done, Int(offset) + done)
            if got == 0 { break }
            if got > 0 {
                done += got
            } else if errno != EINTR {
                return nil
            }
        }
        return done
    }

    /// Reads `count` bytes; fewer where the file ends, `nil` on an error.
    func read(_ count: Int, at offset: UInt64) -> [UInt8]? {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            let got = read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            failed = got == nil
            length = got ?? 0
        }
        return failed ? nil : bytes
    }

    /// Writes everything.
    ///
    /// - Returns: 0, or the error number; then a part may have been written.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) -> Int32 {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let put = pwrite(descriptor, base + done, bytes.count - done, Int(offset) + done)
            if put > 0 {
                done += put
            } else if put == 0 {
                return ENOSPC
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }

    func write(_ bytes: [UInt8], at offset: UInt64) -> Int32 {
        bytes.withUnsafeBytes { write($0, at: offset) }
    }

    /// Cuts the file; 0 or the error number.
    func truncate(to length: UInt64) -> Int32 {
        ftruncate(descriptor, Int(length)) == 0 ? 0 : errno
    }

    /// The file's length, or `nil` on an error.
    var length: UInt64? {
        var facts = stat()
        return fstat(descriptor, &facts) == 0 ? UInt64(facts.st_size) : nil
    }
}
