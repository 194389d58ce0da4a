/// Heads of files in a tar archive, in the POSIX form (IEEE 1003.1-2001, `pax`).
enum TarEntry {
    private static let block = 512

    /// What stands behind the last file.
    static let end = [UInt8](repeating: 0, count: 2 * block)

    /// Zero bytes behind a file's content.
    static func padding(_ size: UInt64) -> Int { (block - Int(size % UInt64(block))) % block }

    /// One or more blocks that say what follows.
    ///
    /// - Parameter timeMs: Milliseconds since 1970.
    static func head(path: String, size: UInt64, executable: Bool, timeMs: Int64) -> [UInt8] {
        let name = Array(path.utf8)
        let seconds = UInt64(max(0, timeMs / 1000))
        let fits = name.count <= 100 && name.allSatisfy { $0 < 128 } && size < 1 << 33
        var bytes: [UInt8] = []
        if !fits {
            let records = record("path", path) + (size < 1 << 33 ? [] : record("size", String(size)))
            bytes += header("pax-head", UInt64(records.count), mode: 0o644, seconds, type: "x")
            bytes += records + [UInt8](repeating: 0, count: padding(UInt64(records.count)))
        }
        let mode: UInt64 = executable ? 0o755 : 0o644
        let shown = fits ? path : String(decoding: name.suffix(100).map { $0 < 128 ? $0 : 95 }, as: UTF8.self)
        return bytes + header(shown, size < 1 << 33 ? size : 0, mode: mode, seconds, type: "0")
    }

    /// `LENGTH key=value\n`, where the length counts itself.
    private static func record(_ key: String, _ value: String) -> [UInt8] {
        let bare = key.utf8.count + value.utf8.count + 3
        var length = bare + 1
        while String(length).utf8.count + bare != length { length = String(length).utf8.count + bare }
        return Array("\(length) \(key)=\(value)\n".utf8)
    }

    private static func header(
        _ name: String, _ size: UInt64, mode: UInt64, _ seconds: UInt64, type: Character
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: block)
        func put(_ text: some Sequence<UInt8>, at place: Int) {
            for (index, byte) in text.enumerated() { bytes[place + index] = byte }
        }
        put(name.utf8.prefix(100), at: 0)
        put(octal(mode, 7).utf8, at: 100)
        put(octal(0, 7).utf8, at: 108)
        put(octal(0, 7).utf8, at: 116)
        put(octal(size, 11).utf8, at: 124)
        put(octal(seconds, 11).utf8, at: 136)
        put("        ".utf8, at: 148)
        put(String(type).utf8, at: 156)
        put("ustar".utf8, at: 257)
        put("00".utf8, at: 263)
        let sum = bytes.reduce(UInt64(0)) { $0 + UInt64($1) }
        put(octal(sum, 6).utf8, at: 148)
        bytes[154] = 0
        return bytes
    }

    private static func octal(_ value: UInt64, _ width: Int) -> String {
        let digits = String(value, radix: 8)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
