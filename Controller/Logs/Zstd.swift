import CZstd

/// libzstd, one frame at a time.
enum Zstd {
    /// `nil` where the frame is damaged or does not give exactly `size` bytes.
    static func decompress(_ frame: [UInt8], size: Int) -> [UInt8]? {
        var fine = false
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            fine = ansflow_zstd_decompress(buffer.baseAddress, size, frame, frame.count) == 0
            count = fine ? size : 0
        }
        return fine ? bytes : nil
    }

    /// Packs many blocks one after the other; about 1.5 MiB of memory while it lives. Not for two threads at once.
    final class Compressor {
        private let handle: OpaquePointer
        private let level: Int32

        /// `nil` where no memory is left.
        init?(level: Int32) {
            guard let handle = ansflow_zstd_compressor_create() else { return nil }
            self.handle = handle
            self.level = level
        }

        deinit { ansflow_zstd_compressor_free(handle) }

        /// `nil` where no memory is left.
        func compress(_ bytes: [UInt8]) -> [UInt8]? {
            let capacity = ansflow_zstd_bound(bytes.count)
            let frame = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                count = ansflow_zstd_compress(handle, buffer.baseAddress, capacity, bytes, bytes.count, level)
            }
            return frame.isEmpty ? nil : frame
        }
    }
}
