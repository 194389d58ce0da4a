import Testing

@testable import ControllerHTTP

@Suite struct PlainTextTests {
    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("a\tb", "a\tb"), ("\u{1B}[31mred\u{1B}[0m", "red"),
        ("\u{1B}]0;title\u{07}seen", "seen"), ("\u{1B}]8;;https://example.org\u{1B}\\link", "link"),
        (" 10%\r 50%\rdone", "done"), ("windows\r", "windows"), ("\r", ""), ("\r\r", ""),
        ("cut \u{1B}[3", "cut "), ("cut \u{1B}", "cut "), ("\u{1B}]never ended", ""), ("a\u{0}b\u{7F}c", "abc"),
        ("<b>\u{E9}</b>", "<b>\u{E9}</b>"),
    ]) func whatIsSeen(line: String, seen: String) {
        #expect(PlainText.seen(of: line) == seen)
    }
}
