/// The XOR masking of RFC 6455, section 5.3, in words of eight bytes.
///
/// NIOWebSocket masks byte by byte, which is the largest cost of a log stream; that is why frames are coded here.
package enum Masking {
    /// Applies `key` to all of `bytes`, from the key's first byte on. Doing it twice gives back the input.
    ///
    /// - Parameter key: The key as it stands on the wire, read as a big-endian number.
    package static func apply(_ key: UInt32, to bytes: UnsafeMutableRawBufferPointer) {
        guard key != 0 else { return }
        let wide = UInt64(key) << 32 | UInt64(key)
        let word = UInt64(bigEndian: wide)
        let whole = bytes.count & ~7
        var index = 0
        while index < whole {
            let value = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            bytes.storeBytes(of: value ^ word, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < bytes.count {
            bytes[index] ^= UInt8(truncatingIfNeeded: key >> UInt32(24 - 8 * (index & 3)))
            index += 1
        }
    }
}
