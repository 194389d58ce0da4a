#if canImport(Glibc)
    import Glibc
#endif

/// The programs that were built together with the tests.
package enum BuiltProducts {
    /// The folder of the running test program, which is where the build puts every product.
    package static var directory: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own =
            count > 0
            ? String(decoding: buffer[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            : CommandLine.arguments[0]
        return own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    /// The absolute path of a program, for example `ansflow-shim`.
    package static func path(_ name: String) -> String { "\(directory)/\(name)" }
}
