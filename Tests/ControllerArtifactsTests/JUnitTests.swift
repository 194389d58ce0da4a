import ControllerCore
import Testing

@testable import ControllerArtifacts

@Suite struct JUnitTests {
    private func read(_ text: String, _ limits: JUnitReport.Limits = .init()) -> TestReport {
        JUnitReport.read(Array(text.utf8), step: "test", path: "r.xml", limits: limits)
    }

    @Test func allOutcomesAreRead() {
        let report = read(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="all"><testsuite name="unit" tests="5" time="1.5">
              <properties><property name="a" value="b"/></properties>
              <testcase classname="pkg.A" name="adds" time="0.0125"/>
              <testcase classname="pkg.A" name="fails" time="1,002.5">
                <failure message="expected 1, got 2" type="Assertion">expected 1, got 2
            at line 7</failure><system-out>noise</system-out>
              </testcase>
              <testcase classname="pkg.A" name="breaks"><failure message="f"/><error message="boom">stack</error></testcase>
              <testcase classname="pkg.A" name="later"><skipped message="not here"/></testcase>
              <testsuite name="inner"><testcase name="&lt;odd&gt; &quot;n&#228;me&quot;"></testcase></testsuite>
            </testsuite></testsuites>
            """)
        #expect(report.fault == nil)
        #expect(
            report.results == [
                TestResult(suite: "unit", className: "pkg.A", name: "adds", outcome: .passed, durationMs: 13),
                TestResult(
                    suite: "unit", className: "pkg.A", name: "fails", outcome: .failed, durationMs: 1_002_500,
                    message: "expected 1, got 2\nat line 7"),
                TestResult(
                    suite: "unit", className: "pkg.A", name: "breaks", outcome: .error, durationMs: 0,
                    message: "boom\nstack"),
                TestResult(
                    suite: "unit", className: "pkg.A", name: "later", outcome: .skipped, durationMs: 0,
                    message: "not here"),
                TestResult(suite: "inner", className: "", name: "<odd> \"näme\"", outcome: .passed, durationMs: 0),
            ])
    }

    @Test func aSingleSuiteAndOtherEncodingsAreRead() {
        #expect(read("<testsuite><testcase name='a'/></testsuite>").results.map(\.name) == ["a"])
        let latin =
            Array("<?xml version='1.0' encoding='ISO-8859-1'?><testsuite><testcase name='".utf8) + [0xE4]
            + Array("'/></testsuite>".utf8)
        #expect(JUnitReport.read(latin, step: "s", path: "p").results.map(\.name) == ["ä"])
        #expect(read("<testsuite name='none'/>").fault == nil)
    }

    /// Each would cost memory, time or files of the controller's host.
    @Test func entitiesAreRefused() {
        let laughs =
            "<!DOCTYPE t [<!ENTITY a \"ha\">"
            + (0..<20).map { "<!ENTITY b\($0) \"&\($0 == 0 ? "a" : "b\($0 - 1)");&\($0 == 0 ? "a" : "b\($0 - 1)");\">" }
            .joined() + "]><testsuite><testcase name=\"&b19;\"/></testsuite>"
        let outside =
            "<!DOCTYPE t [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><testsuite><testcase name='a'><failure>&x;</failure></testcase></testsuite>"
        let parameter = "<!DOCTYPE t [<!ENTITY % p SYSTEM \"http://127.0.0.1/\"> %p;]><testsuite/>"
        for text in [laughs, outside, parameter] {
            let report = read(text)
            #expect(report.fault == "It declares XML entities, which are not allowed.")
            #expect(report.results.isEmpty)
        }
    }

    @Test func limitsHold() {
        var limits = JUnitReport.Limits()
        limits.testsMax = 3
        let many = "<testsuite>" + String(repeating: "<testcase name='a'/>", count: 5) + "</testsuite>"
        let report = read(many, limits)
        #expect(report.results.count == 3)
        #expect(report.fault == "A job has at most 3 test results; the rest was left out.")
        let deep = String(repeating: "<testsuite>", count: 100_000)
        #expect(read(deep).fault == "Its elements are nested more than 64 deep.")
        limits = .init()
        limits.nameBytesMax = 10
        limits.messageBytesMax = 20
        limits.messagesBytesMax = 30
        let long = String(repeating: "ä", count: 50)
        let results = read(
            "<testsuite>"
                + String(repeating: "<testcase name='\(long)'><failure>\(long)</failure></testcase>", count: 2)
                + "</testsuite>", limits
        ).results
        #expect(results.map(\.name.utf8.count) == [10, 10])
        #expect(results.map { $0.message?.utf8.count } == [20, nil])
    }

    @Test func aBrokenReportSaysWhereAndKeepsWhatStandsBefore() {
        let report = read("<testsuite><testcase name='a'/>\n<testcase name='b'></testsuite>")
        #expect(report.results.map(\.name) == ["a"])
        #expect(report.fault?.contains("in line 2, column") == true)
        #expect(read("").fault != nil)
        #expect(read("not xml").fault != nil)
        #expect(read("<html><body/></html>").fault == "It holds no testsuite: it is not a JUnit report.")
    }

    /// Cut and changed at every place: nothing traps, and a fault or results come out.
    @Test func damagedReportsTrapNothing() {
        let text = Array(
            "<testsuites><testsuite name='s'><testcase name='n' classname='c' time='1.0'><failure message='m'>t</failure></testcase></testsuite></testsuites>"
                .utf8)
        for cut in 0..<text.count {
            _ = JUnitReport.read(Array(text[..<cut]), step: "s", path: "p")
            for byte in [0, 0x26, 0x3C, 0x80, 0xFF] as [UInt8] {
                var changed = text
                changed[cut] = byte
                let report = JUnitReport.read(changed, step: "s", path: "p")
                #expect(report.results.count <= 1)
            }
        }
    }
}
