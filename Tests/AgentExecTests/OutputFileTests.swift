import AnsFlowProtocol
import Foundation
import Testing

@testable import AgentExec

@Suite struct OutputFileTests {
    private func parse(_ text: String) -> (values: [String: String], complaint: String?) {
        OutputFile.parse(Array(text.utf8))
    }

    @Test func linesAndValuesOfSeveralLinesAreRead() {
        let read = parse(
            """
            version=1.2
            empty=
            sum=a=b
            notes<<EOF
            first

              EOF
            second=2
            EOF
            none<<X
            X
            one<< END_1
            a
            END_1

            version=1.3
            _last-1=ä
            """)
        #expect(read.complaint == nil)
        #expect(
            read.values == [
                "version": "1.3", "empty": "", "sum": "a=b", "notes": "first\n\n  EOF\nsecond=2", "none": "",
                "one": "a", "_last-1": "ä",
            ])
        #expect(parse("").values.isEmpty && parse("\n \n").complaint == nil)
    }

    @Test(arguments: [
        ("1a=x", "\"1a\" is not a name of an output"), ("-a=x", "\"-a\" is not a name"), ("a b=x", "\"a b\" is not"),
        ("=x", "\"\" is not a name"), ("nothing", "not name=value: \"nothing\""), ("a<b", "not name=value: \"a<b\""),
        ("a<<", "not name=value: \"a<<\""), ("a<<EOF\nx", "\"a\" has no closing line \"EOF\""),
        (String(repeating: "n", count: 129) + "=x", "is not a name of an output"),
    ])
    func whatIsNoOutputIsSaid(_ text: String, _ complaint: String) {
        let read = parse("good=1\n\(text)")
        #expect(read.values == ["good": "1"])
        #expect(read.complaint?.contains(complaint) == true, "\(read.complaint ?? "none")")
    }

    @Test func theLimitIsOfAllTogether() throws {
        let half = String(repeating: "x", count: ProtocolLimits.outputsBytesMax / 2 - 1)
        let fits = parse("a=\(half)\nb=\(half)")
        #expect(fits.values.count == 2 && fits.complaint == nil)
        let over = parse("a=\(half)\nb=\(half)x\nc=")
        #expect(over.values.keys.sorted() == ["a", "c"], "what still fits is kept")
        #expect(over.complaint?.contains("65536 bytes together") == true)
        #expect(parse("a=\(half)\nb=\(half)\na=short\nc=1").complaint == nil, "what was replaced does not count")
        let path = FileManager.default.temporaryDirectory.path + "/outputs-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("a=1\nb=\(String(repeating: "y", count: 200_000))".utf8).write(to: URL(fileURLWithPath: path))
        let read = OutputFile.read(path)
        #expect(read.values == ["a": "1"] && read.complaint != nil)
    }
}
