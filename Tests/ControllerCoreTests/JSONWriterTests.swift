import ControllerCore
import Foundation
import Testing

@Suite struct JSONWriterTests {
    @Test func textsReadBack() throws {
        let texts = ["", "plain", "\"quoted\" \\ back", "\u{0}\u{1}\u{1F}\n\r\t", "\u{7F}äöü €", "😀", "</script>"]
        var json = JSONWriter()
        json.array(texts) { $0.string($1) }
        let read = try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String]
        #expect(read == texts)
    }

    @Test func membersAndNumbers() {
        var json = JSONWriter()
        json.object { json in
            json.field("a", Int64.min)
            json.field("b", UInt64.max)
            json.field("c", nil as Int?)
            json.field("d", ["y": "2", "x": "1"])
            json.field("e", Double.infinity)
            json.name("f")
            json.array([1, 2]) { json, value in json.object { $0.field("v", value) } }
            json.field("g", true)
        }
        #expect(
            String(decoding: json.bytes, as: UTF8.self)
                == #"{"a":-9223372036854775808,"b":18446744073709551615,"c":null,"d":{"x":"1","y":"2"},"e":null,"f":[{"v":1},{"v":2}],"g":true}"#
        )
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (1_800_000_000_000, "2027-01-15T08:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        ] as [(Int64, String)])
    func timesReadBack(milliseconds: Int64, text: String) {
        #expect(Timestamp.text(milliseconds) == text)
        #expect(Timestamp.parse(text) == milliseconds)
    }

    @Test func timesOfManyForms() {
        #expect(Timestamp.parse("1970-01-02") == 86_400_000)
        #expect(Timestamp.parse("1970-01-01T01:00:00+01:00") == 0)
        #expect(Timestamp.parse("1970-01-01T00:00:00.5Z") == 500)
        for text in ["", "1970", "1970-13-01", "1970-01-01T25:00:00Z", "1970-01-01T00:00:00", "x970-01-01"] {
            #expect(Timestamp.parse(text) == nil, "\(text)")
        }
    }
}
