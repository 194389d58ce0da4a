/// Shows a followed run on standard output.
package struct FollowPrinter: Sendable {
    package enum Mode: Sendable {
        /// Lines with `job/step |` before them, and changes of state.
        case run
        /// Lines only, with `job/step |` where there is more than one step.
        case logs(prefix: Bool)
        /// Lines as JSON objects, one a line.
        case json
        /// Nothing.
        case quiet
    }

    package var mode: Mode
    package var style: Style

    package init(mode: Mode, style: Style = Style()) {
        self.mode = mode
        self.style = style
    }

    package func show(_ output: FollowState.Output) {
        guard case .run = mode else { return }
        Terminal.print(text(of: output))
    }

    package func text(of output: FollowState.Output) -> String {
        switch output {
        case .stepBegan(let place, let attempt, let agent):
            let again = attempt > 1 ? ", attempt \(attempt)" : ""
            let where_ = agent.map { " on \(SafeText.line($0, colours: false))" } ?? ""
            return style.paint("==", .grey) + " \(style.named(place.text)): started\(where_)\(again)"
        case .stepEnded(let place, let status, let note, let duration):
            let time = duration.isEmpty ? "" : " in \(duration)"
            let why = note.isEmpty ? "" : " (\(SafeText.line(note, colours: false)))"
            return style.paint("==", .grey) + " \(style.named(place.text)): \(style.status(status))\(time)\(why)"
        case .attemptEnded(let key, let status, let note, let duration):
            let time = duration.isEmpty ? "" : " in \(duration)"
            let why = note.isEmpty ? "" : " (\(SafeText.line(note, colours: false)))"
            return style.paint("==", .grey) + " \(style.named(key.place.text)): attempt \(key.attempt) "
                + "\(style.status(status))\(time)\(why)"
        case .waiting(let reason):
            return style.paint("==", .grey) + " waits: " + SafeText.line(reason, colours: false)
        }
    }

    package func show(_ lines: [LogLineModel], of key: LogKey) {
        guard !lines.isEmpty else { return }
        var bytes: [UInt8] = []
        for line in lines {
            bytes += Array(text(of: line, key: key).utf8)
        }
        if case .quiet = mode { return }
        Terminal.writeRaw(bytes)
    }

    /// One line as it is shown, with its line feed.
    package func text(of line: LogLineModel, key: LogKey) -> String {
        let shown = Terminal.isTerminal ? SafeText.line(line.text, colours: style.colours) : line.text
        let again = key.attempt > 1 ? "#\(key.attempt)" : ""
        switch mode {
        case .run, .logs(prefix: true):
            return "\(style.named(key.place.text + again)) \(style.paint("|", .grey)) \(shown)\n"
        case .logs(prefix: false):
            return shown + "\n"
        case .json:
            let value = JSONValue.object([
                "step": .string(key.place.text), "attempt": .int(Int64(key.attempt)), "n": .int(line.n),
                "t_ms": .int(line.tMs ?? 0), "text": .string(line.text),
            ])
            return String(decoding: (try? value.bytes()) ?? [], as: UTF8.self) + "\n"
        case .quiet:
            return ""
        }
    }
}
