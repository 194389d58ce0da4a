import CZstd
package import ControllerCore

/// Bodies as they are stored: packed where that makes them smaller.
package enum StoredBody {
    /// Smaller ones are not worth it.
    private static let packedFrom = 512

    static func pack(_ body: [UInt8]) -> (bytes: [UInt8], isCompressed: Bool) {
        guard body.count >= packedFrom, let compressor = ansflow_zstd_compressor_create() else { return (body, false) }
        defer { ansflow_zstd_compressor_free(compressor) }
        let capacity = ansflow_zstd_bound(body.count)
        let frame = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            count = ansflow_zstd_compress(compressor, buffer.baseAddress, capacity, body, body.count, 1)
        }
        return frame.isEmpty || frame.count >= body.count ? (body, false) : (frame, true)
    }

    /// The body as it came; `nil` where it is not kept, or damaged: SQLite has no sums of its own, and what nobody signed starts nothing.
    package static func open(_ row: DeliveryRow) -> [UInt8]? {
        guard let body = unpacked(row), Signature.hash(body) == row.bodyHash else { return nil }
        return body
    }

    private static func unpacked(_ row: DeliveryRow) -> [UInt8]? {
        guard let stored = row.body else { return nil }
        guard row.isCompressed else { return stored }
        guard row.bodyBytes <= WebhookLimits.bodyBytesMax else { return nil }
        var isFine = false
        let size = row.bodyBytes
        let body = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            isFine = ansflow_zstd_decompress(buffer.baseAddress, size, stored, stored.count) == 0
            count = isFine ? size : 0
        }
        return isFine ? body : nil
    }
}
