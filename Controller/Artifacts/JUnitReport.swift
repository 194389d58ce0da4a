import CExpat
import ControllerCore

/// Reads JUnit's XML, as the common test tools write it: `testsuites`, `testsuite`, `testcase`, with `failure`, `error` and `skipped`.
///
/// A report comes from a step, so it is hostile: no entity may be declared, nothing outside is loaded, depth, tests and texts have
/// limits. What stands before a fault counts.
enum JUnitReport {
    struct Limits: Sendable {
        var depthMax = 64
        var testsMax = 100_000
        /// Bytes of a suite's, class's or test's name.
        var nameBytesMax = 1024
        /// Bytes of one message.
        var messageBytesMax = 8 * 1024
        /// Bytes of all messages together; those behind are cut to nothing.
        var messagesBytesMax = 16 * 1024 * 1024
    }

    /// - Parameters:
    ///   - step: The step that wrote it.
    ///   - path: Of the file, for people.
    static func read(_ bytes: [UInt8], step: String, path: String, limits: Limits = Limits()) -> TestReport {
        guard let parser = XML_ParserCreate(nil) else {
            return TestReport(step: step, path: path, fault: "There is no memory to read it.")
        }
        defer { XML_ParserFree(parser) }
        let builder = JUnitBuilder(limits, parser: parser)
        let fault = withExtendedLifetime(builder) { parse(bytes, parser, builder) }
        return TestReport(step: step, path: path, fault: fault, results: builder.results)
    }

    /// - Returns: What is wrong, as a sentence.
    private static func parse(_ bytes: [UInt8], _ parser: XML_Parser, _ builder: JUnitBuilder) -> String? {
        XML_SetUserData(parser, Unmanaged.passUnretained(builder).toOpaque())
        XML_SetElementHandler(
            parser,
            { data, name, attributes in
                guard let data, let name else { return }
                Unmanaged<JUnitBuilder>.fromOpaque(data).takeUnretainedValue().begin(name, attributes)
            },
            { data, _ in
                guard let data else { return }
                Unmanaged<JUnitBuilder>.fromOpaque(data).takeUnretainedValue().end()
            })
        XML_SetCharacterDataHandler(parser) { data, text, count in
            guard let data, let text, count > 0 else { return }
            text.withMemoryRebound(to: UInt8.self, capacity: Int(count)) {
                Unmanaged<JUnitBuilder>.fromOpaque(data).takeUnretainedValue()
                    .text(UnsafeBufferPointer(start: $0, count: Int(count)))
            }
        }
        XML_SetEntityDeclHandler(parser) { data, _, _, _, _, _, _, _, _ in
            guard let data else { return }
            Unmanaged<JUnitBuilder>.fromOpaque(data).takeUnretainedValue()
                .stop("It declares XML entities, which are not allowed.")
        }
        XML_SetExternalEntityRefHandler(parser) { _, _, _, _, _ in 0 }
        return feed(bytes, parser, builder)
    }

    private static func feed(_ bytes: [UInt8], _ parser: XML_Parser, _ builder: JUnitBuilder) -> String? {
        let size = 1 << 20
        var start = 0
        repeat {
            let count = min(size, bytes.count - start)
            let status = bytes.withUnsafeBytes { raw in
                XML_Parse(
                    parser, raw.baseAddress.map { $0.assumingMemoryBound(to: CChar.self) + start }, Int32(count),
                    start + count == bytes.count ? 1 : 0)
            }
            guard status == XML_STATUS_OK else {
                if let fault = builder.fault { return fault }
                let reason = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "unknown error"
                return
                    "It is not well-formed XML: \(reason) in line \(XML_GetCurrentLineNumber(parser)), column \(XML_GetCurrentColumnNumber(parser) + 1)."
            }
            start += count
        } while start < bytes.count
        return builder.isReport ? nil : "It holds no testsuite: it is not a JUnit report."
    }
}
