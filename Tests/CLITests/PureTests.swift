import ArgumentParser
import Testing

@testable import ansflow

/// The parts of the client that need no controller.
@Suite struct PureTests {
    private func lines(_ range: ClosedRange<Int64>) -> [LogLineModel] {
        range.map { LogLineModel(n: $0, text: "\($0)") }
    }

    /// A name that is made from the type's costs a search through all conformances of the program: half of the time of a start.
    @Test func everyCommandNamesItself() {
        var open: [any ParsableCommand.Type] = [AnsFlowCommand.self]
        var count = 0
        while let command = open.popLast() {
            count += 1
            #expect(command.configuration.commandName != nil, "\(command)")
            open += command.configuration.subcommands
        }
        #expect(count > 100)
    }

    @Test func cursorTakesEveryLineOnce() {
        var cursor = LogCursor()
        #expect(cursor.take(lines(1...3)) == .lines(lines(1...3)))
        #expect(cursor.take(lines(2...5)) == .lines(lines(4...5)))
        #expect(cursor.take(lines(1...5)) == .lines([]))
        #expect(cursor.take(lines(7...9)) == .gap)
        #expect(cursor.take(lines(6...6)) == .lines(lines(6...6)))
        #expect(cursor.next == 7)
        #expect(cursor.close() == nil)
        #expect(cursor.take(lines(7...9)) == .lines([]))
    }

    @Test func anUnfinishedLineIsShownWhenItIsWholeOrTheLast() {
        var cursor = LogCursor()
        let half = LogLineModel(n: 2, text: "ha", partial: true)
        let longer = LogLineModel(n: 2, text: "half", partial: true)
        #expect(cursor.take(lines(1...1) + [half]) == .lines(lines(1...1)))
        #expect(cursor.take([longer]) == .lines([]))
        var ended = cursor
        #expect(ended.close() == longer)
        #expect(ended.close() == nil)
        #expect(cursor.take(lines(2...3)) == .lines(lines(2...3)))
        #expect(cursor.close() == nil)
    }

    private func step(_ name: String, attempt: Int, started: String?, finished: String? = nil) -> StepModel {
        StepModel(
            name: name, status: finished == nil ? "running" : "success", attempt: attempt, startedAt: started,
            finishedAt: finished)
    }

    private func run(_ steps: [StepModel]) -> RunModel {
        RunModel(id: 1, status: "running", jobs: [JobModel(name: "a", status: "running", agent: "one", steps: steps)])
    }

    @Test func anEndIsShownBeforeWhatWaitedForIt() {
        var state = FollowState()
        let first = StepPlace(job: "a", step: "first")
        let second = StepPlace(job: "a", step: "second")
        // The first line may come before the state says that its step began: then it says so itself, once.
        #expect(state.look(at: run([step("first", attempt: 1, started: nil)]), all: false) == [])
        let key = LogKey(place: first, attempt: 1)
        #expect(state.begin(key) == .stepBegan(first, attempt: 1, agent: "one"))
        #expect(state.begin(key) == nil)
        let both = run([
            step("second", attempt: 1, started: "2026-01-02T03:04:06Z"),
            step("first", attempt: 1, started: "2026-01-02T03:04:05Z", finished: "2026-01-02T03:04:06Z"),
        ])
        #expect(
            state.look(at: both, all: true) == [
                .pull(key, over: true),
                .show(.stepEnded(first, status: "success", note: "", duration: "1.0s")),
                .show(.stepBegan(second, attempt: 1, agent: "one")),
                .pull(LogKey(place: second, attempt: 1), over: false),
            ])
        #expect(state.look(at: both, all: false) == [.pull(key, over: true)])
        #expect(state.close(key) == nil)
        #expect(state.look(at: both, all: false) == [])
    }

    @Test func aFieldThatTheSentenceNamesIsNotSaidTwice() {
        let body =
            #"{"title":"x","detail":"It is wrong. a is no number.","errors":[{"path":"a","message":"a is no number."},{"path":"b","message":"other"}]}"#
        let failure = Problem.failure(status: 422, body: Array(body.utf8), url: "http://x", thing: "")
        #expect(failure.details == ["b: other"])
    }

    @Test func terminalTextLosesControlCharacters() {
        #expect(SafeText.line("plain \t text", colours: false) == "plain \t text")
        #expect(SafeText.line("\u{1B}[31mred\u{1B}[0m", colours: true) == "\u{1B}[31mred\u{1B}[0m")
        #expect(SafeText.line("\u{1B}[31mred\u{1B}[0m", colours: false) == "red")
        #expect(SafeText.line("a\u{1B}]0;title\u{07}b\u{1B}[2Jc\u{1B}Pq\u{1B}\\d", colours: true) == "abcd")
        #expect(SafeText.line("10%\r50%\rdone", colours: true) == "done")
        #expect(SafeText.line("a\u{9B}31mb\u{7F}\u{08}", colours: true) == "a31mb")
        #expect(SafeText.line("open \u{1B}[", colours: true) == "open ")
        #expect(SafeText.line("\u{1B}", colours: true) == "")
    }

    @Test func durations() {
        #expect(Durations.text(ms: 450) == "0.4s")
        #expect(Durations.text(ms: 65_000) == "1m 05s")
        #expect(Durations.text(ms: 3_780_000) == "1h 03m")
        #expect(Durations.between("2026-01-02T03:04:05.250Z", "2026-01-02T03:04:06.350Z") == "1.1s")
        #expect(Durations.between("2026-01-02T03:04:05Z", nil) == "")
        #expect(Durations.between("yesterday", "2026-01-02T03:04:05Z") == "")
    }

    @Test func endpointsComeFromOptionThenVariableThenLogin() throws {
        func url(_ option: String?, _ variable: String?, _ current: String?) throws -> String {
            try Endpoint.resolve(
                option: option, caFile: nil, environment: variable.map { ["ANSFLOW_URL": $0] } ?? [:], current: current
            ).url
        }
        #expect(try url("http://a:1/", "http://b:2", "http://c:3") == "http://a:1")
        #expect(try url(nil, "http://b:2", "http://c:3") == "http://b:2")
        #expect(try url(nil, nil, "http://c:3") == "http://c:3")
        #expect(try url(nil, "", nil) == "http://127.0.0.1:8080")
        #expect(throws: ClientFailure.self) { try url("b:2", nil, nil) }
        let address = try Endpoint(url: "https://[::1]/ci", token: nil, caFile: nil).address()
        #expect(address == Endpoint.Address(host: "::1", port: 443, tls: true, prefix: "/ci"))
    }

    @Test func coloursOnlyOnATerminal() {
        #expect(Terminal.useColours(terminal: true, environment: [:]))
        #expect(Terminal.useColours(terminal: true, environment: ["NO_COLOR": ""]))
        #expect(!Terminal.useColours(terminal: true, environment: ["NO_COLOR": "1"]))
        #expect(!Terminal.useColours(terminal: true, environment: ["TERM": "dumb"]))
        #expect(!Terminal.useColours(terminal: false, environment: [:]))
    }

    @Test func listenAddresses() {
        #expect(ListenAddress("127.0.0.1:80") == ListenAddress(host: "127.0.0.1", port: 80))
        #expect(ListenAddress("[::]:80")?.reachable == ListenAddress(host: "::1", port: 80))
        #expect(ListenAddress("0.0.0.0:80")?.reachable.text == "127.0.0.1:80")
        for wrong in ["80", ":80", "host:0", "host:65536", "host:x"] { #expect(ListenAddress(wrong) == nil) }
    }

    @Test func queriesAreEscaped() {
        #expect(APIClient.queryText([]) == "")
        #expect(APIClient.queryText([("q", "a b&c"), ("branch", "f/ü")]) == "?q=a%20b%26c&branch=f%2F%C3%BC")
    }

    @Test func tablesAlignAndAreSafe() {
        var table = Table(["A", "LONG"])
        table.add(["wide\u{1B}[2J one", "x"])
        table.add(["b", "y"])
        #expect(table.text() == "A         LONG\nwide one  x\nb         y")
    }

    @Test func passwordsAreLongAndDiffer() {
        let made = (0..<50).map { _ in LocalStack.randomPassword() }
        #expect(Set(made).count == 50)
        #expect(made.allSatisfy { $0.count == 20 })
    }
}
