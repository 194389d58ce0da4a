import CLogText
import ControllerCore

/// What is known of a log's sections, levels and colours so far. It goes on where it stopped when more has come.
struct LogSurvey {
    static let sectionsMax = 2000
    static let linesMax = 5000
    static let stylesMax = 20_000
    static let depthMax = 8

    private(set) var sections: [LogSection] = []
    private(set) var errors: [UInt64] = []
    private(set) var warnings: [UInt64] = []
    private(set) var errorCount: UInt64 = 0
    private(set) var warningCount: UInt64 = 0
    private(set) var styles: [LogOverview.Style] = []
    /// Lines that were looked at.
    private(set) var scanned = 0
    private var look = LookState()
    /// Open sections: their places and names.
    private var open: [(index: Int, name: String?)] = []
    /// A `---` line, until the next line shows that it is no difference of files.
    private var pending: (line: UInt64, timeMs: UInt64, title: String, opens: Bool?)?
    private var lastMs: UInt64 = 0

    /// Reads on for about `bytesMax` bytes.
    mutating func scan(_ source: LogSource, _ cache: BlockCache, bytesMax: Int) throws(LogStoreError) {
        var walk = LineWalk(source: source, cache: cache)
        walk.bytesMax = bytesMax
        let next = try walk.run(from: scanned + 1) { (line) throws(LogStoreError) -> Bool in
            guard !line.isPartial else { return true }
            take(line)
            return true
        }
        // Holes are lines that are not gone through.
        let whole = source.count.begun - (source.info.complete || source.count.atStart ? 0 : 1)
        scanned = max(scanned, next.map { $0 - 1 } ?? whole)
    }

    /// As it is shown: what is open ends with a log that has ended.
    func overview(_ info: LogInfo) -> LogOverview {
        var copy = self
        copy.settle()
        var overview = LogOverview(info: info)
        if info.complete, copy.scanned >= Int(clamping: info.lines) {
            for (index, _) in copy.open {
                copy.sections[index].end = max(copy.sections[index].start, info.lines)
                copy.sections[index].toMs = lastMs
            }
        }
        overview.sections = copy.sections
        overview.errors = errors
        overview.warnings = warnings
        overview.errorCount = errorCount
        overview.warningCount = warningCount
        overview.styles = styles
        overview.scanned = UInt64(scanned)
        return overview
    }

    private mutating func take(_ line: LineWalk.Line) {
        scanned = line.number
        lastMs = line.timeMs
        let marker = SectionMarker(line.bytes)
        if marker != nil || pending != nil { take(marker, line) }
        if VisibleText.isPlain(line.bytes) {
            level(line.bytes, line.number)
        } else {
            let text = VisibleText.of(line.bytes) { look.apply($0) }
            text.withUnsafeBytes { level($0, line.number) }
        }
        if line.number % LogViewLimits.blockLines == 0, !look.isPlain, styles.count < Self.stylesMax {
            styles.append(LogOverview.Style(block: line.number / LogViewLimits.blockLines, sgr: look.parameters))
        }
    }

    private mutating func level(_ text: UnsafeRawBufferPointer, _ number: Int) {
        guard !text.isEmpty, let level = LineLevel(text) else { return }
        switch level {
        case .error:
            errorCount += 1
            if errors.count < Self.linesMax { errors.append(UInt64(number)) }
        case .warning:
            warningCount += 1
            if warnings.count < Self.linesMax { warnings.append(UInt64(number)) }
        }
    }

    // MARK: Sections

    private mutating func take(_ marker: SectionMarker?, _ line: LineWalk.Line) {
        if let waiting = pending {
            pending = nil
            // Neither line of a difference's head begins a section.
            if let marker, marker.isPlus, waiting.line + 1 == UInt64(line.number) { return }
            beginFlat(waiting.line, waiting.timeMs, waiting.title, waiting.opens)
        }
        let number = UInt64(line.number)
        switch marker {
        case nil: break
        case .begin(let title): begin(number, line.timeMs, title, nil, name: nil)
        case .beginNamed(let name, let title, let opens): begin(number, line.timeMs, title, opens, name: name)
        case .end: if let last = open.popLast() { end(last.index, number, line.timeMs) }
        case .endNamed(let name):
            guard let place = open.lastIndex(where: { $0.name == name }) else { return }
            for (index, _) in open[place...] { end(index, number, line.timeMs) }
            open.removeSubrange(place...)
        case .flat(let title, nil): pending = (number, line.timeMs, title, nil)
        case .flat(let title, let opens): beginFlat(number, line.timeMs, title, opens)
        }
    }

    /// What waits for the next line counts as if none came.
    private mutating func settle() {
        guard let waiting = pending else { return }
        pending = nil
        beginFlat(waiting.line, waiting.timeMs, waiting.title, waiting.opens)
    }

    private mutating func beginFlat(_ line: UInt64, _ timeMs: UInt64, _ title: String, _ opens: Bool?) {
        for (index, _) in open { end(index, line - 1, timeMs) }
        open = []
        begin(line, timeMs, title, opens, name: nil)
    }

    private mutating func begin(_ line: UInt64, _ timeMs: UInt64, _ title: String, _ opens: Bool?, name: String?) {
        guard sections.count < Self.sectionsMax, open.count < Self.depthMax else { return }
        sections.append(
            LogSection(
                start: line, title: title.isEmpty ? name ?? "Section" : title, level: open.count + 1, opens: opens,
                fromMs: timeMs))
        open.append((sections.count - 1, name))
    }

    private mutating func end(_ index: Int, _ line: UInt64, _ timeMs: UInt64) {
        sections[index].end = max(sections[index].start, line)
        sections[index].toMs = timeMs
    }
}
