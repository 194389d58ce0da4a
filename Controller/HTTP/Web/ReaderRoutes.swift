import ControllerCore
import HTTPTypes

/// A step's log as plain pages without a script: for screen readers, for paper, and for browsers that run none.
struct ReaderRoutes {
    let services: HTTPServices
    let shell: Shell

    static let linesPerPage: UInt64 = 2_000
    private static let pagesMax: Int64 = 10_000_000

    var routes: [Route] {
        var route = Route(
            .get, "/runs/{id}/steps/{step}/reader", .read, "readerPage", "The page: a step's log without a script",
            role: .viewer,
            query: [
                QueryParameter("page", "Which \(Self.linesPerPage) lines", .integer(1...Self.pagesMax), default: "1"),
                QueryParameter("attempt", "The step's attempt; without it the newest", .integer(1...Int64.max)),
            ], acceptsEncodedSlash: true, parameters: ["step": .text(max: 512)],
            describes: Description(
                .pages, "Headings are the sections of the log; lines have their numbers and no colours.",
                answers: [.content("text/html")], problems: [409, 410]), handler: read)
        route.isPage = true
        return [route]
    }

    @Sendable private func read(_ call: Call) async throws -> Reply {
        let step = call.parameters[1]
        let logs = LogRoutes(services: services)
        let row = try await logs.kept(call, step)
        let number = UInt64(try call.query.integer("page", 1...Self.pagesMax) ?? 1)
        guard let run = try await services.queries.run(row.run) else { throw Problem.notFound("There is no such run.") }
        let (page, sections) = try await LogRoutes.reading {
            let from = (number - 1) * Self.linesPerPage + 1
            let page = try await services.logs.lines(row.id, from: from, count: Int(Self.linesPerPage))
            return (page, try await services.logSearch?.overview(row.id).sections ?? [])
        }
        let pages = max(1, (page.info.lines + Self.linesPerPage - 1) / Self.linesPerPage)
        guard number <= pages else { throw Problem.notFound("The log has \(pages) pages.") }
        let view = ReaderView(
            title: "\(run.pipelineName) #\(run.number): \(step)", run: run.id.rawValue, attempt: row.number,
            isOver: page.info.complete || row.outcome != nil, page: page, number: number, pages: pages,
            sections: sections)
        return shell.page(
            .ok, title: view.title, look: PageLook(cookie: call.headers[.cookie]), current: "/runs",
            user: call.principal, boot: nil
        ) { view.write(&$0) }
    }
}

/// One page of a log.
private struct ReaderView {
    var title: String
    var run: Int64
    var attempt: Int
    var isOver: Bool
    var page: LogPage
    var number: UInt64
    var pages: UInt64
    var sections: [LogSection]

    func write(_ html: inout HTML) {
        html.element("div", ["class": "page reader"]) { html in
            html.element("h1", title)
            html.element("p", ["class": "muted"], summary)
            html.element("p", ["class": "actions"]) { html in
                html.element("a", ["class": "button", "href": "/executions/\(run)"], "The run")
            }
            turn(&html, "Pages above the lines")
            lines(&html)
            turn(&html, "Pages below the lines")
        }
    }

    private var summary: String {
        let total = page.info.lines == 1 ? "1 line" : "\(page.info.lines) lines"
        let place = pages > 1 ? ", page \(number) of \(pages)" : ""
        let rest = isOver ? "" : " so far: the step goes on, and this page does not change by itself"
        return "Attempt \(attempt), \(total)\(place)\(rest)."
    }

    private func turn(_ html: inout HTML, _ label: String) {
        guard pages > 1 else { return }
        html.element("nav", ["class": "actions", "aria-label": label]) { html in
            if number > 1 {
                link(&html, 1, "First page")
                link(&html, number - 1, "Page before")
            }
            if number < pages {
                link(&html, number + 1, "Next page")
                link(&html, pages, "Last page")
            }
        }
    }

    private func link(_ html: inout HTML, _ page: UInt64, _ text: String) {
        html.element("a", ["class": "button", "href": "?attempt=\(attempt)&page=\(page)"], text)
    }

    /// The lines, cut where sections begin; the marker itself is the heading.
    private func lines(_ html: inout HTML) {
        var heads: [UInt64: LogSection] = [:]
        for section in sections { heads[section.start] = section }
        var part: ArraySlice<LogLine> = []
        for (index, line) in page.lines.enumerated() {
            guard let section = heads[line.number] else {
                part = part.isEmpty ? page.lines[index...index] : page.lines[part.startIndex...index]
                continue
            }
            list(part, &html)
            part = []
            heading(section, &html)
        }
        list(part, &html)
        if page.lines.isEmpty { html.element("p", isOver ? "The step wrote nothing." : "Nothing was written yet.") }
    }

    private func heading(_ section: LogSection, _ html: inout HTML) {
        let title = PlainText.seen(of: section.title)
        switch section.level {
        case ...1: html.element("h2", title)
        case 2: html.element("h3", title)
        case 3: html.element("h4", title)
        default: html.element("h5", title)
        }
    }

    private func list(_ lines: ArraySlice<LogLine>, _ html: inout HTML) {
        guard let first = lines.first else { return }
        html.element("ol", ["start": "\(first.number)"]) { html in
            for line in lines {
                html.element("li", PlainText.seen(of: line.text) + (line.cut ? " … (the line goes on)" : ""))
            }
        }
    }
}
