import ControllerCore

/// The SQL of one page of the list of runs. Only fixed text is put together; every value is an argument.
struct RunListQuery {
    private let conditions: [String]
    private let arguments: Arguments
    private let filter: RunFilter

    init(_ filter: RunFilter) {
        var conditions: [String] = []
        var arguments = Arguments()
        if let pipeline = filter.pipeline {
            conditions.append("pipeline = ?")
            arguments.add(pipeline)
        }
        if filter.pipeline != nil, let number = filter.number {
            conditions.append("number = ?")
            arguments.add(number)
        }
        if filter.pipeline != nil, filter.visible != .all {
            // A pipeline never changes its project: asked once, not for each run.
            arguments.add(filter.pipeline)
            let place = "(SELECT project FROM pipelines WHERE id = ?)"
            conditions.append(filter.visible.condition(place, project: filter.project, &arguments) ?? "1")
        } else if let seen = filter.visible.condition("project", project: filter.project, &arguments) {
            conditions.append(seen)
        }
        if let status = filter.status {
            conditions.append("status = ?")
            arguments.add(status)
        }
        if let branch = filter.branch {
            conditions.append("branch = ?")
            arguments.add(branch)
        }
        if let event = filter.event {
            conditions.append("event = ?")
            arguments.add(event)
        }
        if let actor = filter.actor {
            conditions.append("actor = ?")
            arguments.add(actor)
        }
        if let since = filter.since {
            conditions.append("created_at >= ?")
            arguments.add(since)
        }
        if let until = filter.until {
            conditions.append("created_at <= ?")
            arguments.add(until)
        }
        if let text = filter.text, !text.isEmpty {
            conditions.append(
                "(pipeline_name LIKE ? ESCAPE '\\' OR branch LIKE ? ESCAPE '\\' OR \"commit\" LIKE ? ESCAPE '\\')")
            let pattern = LikePattern.part(text)
            for _ in 0..<3 { arguments.add(pattern) }
        }
        if let after = filter.after {
            conditions.append(filter.isOldestFirst ? "id > ?" : "id < ?")
            arguments.add(after)
        }
        self.conditions = conditions
        self.arguments = arguments
        self.filter = filter
    }

    private var match: String { conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ") }

    /// Left alone, SQLite walks the whole table for what these indexes answer with few pages.
    private var table: String {
        let count = conditions.count - (filter.after == nil ? 0 : 1)
        if count == 1, filter.text?.isEmpty == false { return "runs INDEXED BY runs_text" }
        let bounds = (filter.since == nil ? 0 : 1) + (filter.until == nil ? 0 : 1)
        return bounds > 0 && count == bounds ? "runs INDEXED BY runs_created_at" : "runs"
    }

    private var direction: String { filter.isOldestFirst ? "ASC" : "DESC" }

    /// By time of making. Of one pipeline the numbers ascend as the ids do, and they are in the index that finds its runs.
    private var order: String { filter.pipeline == nil ? "id" : "number" }

    /// The ids of the page come from an index alone; then only the rows of the page are read.
    var pageSQL: String {
        """
        SELECT \(RunRow.qualifiedColumns) FROM
            (SELECT id FROM \(table) \(match) ORDER BY \(order) \(direction) LIMIT ? OFFSET ?) AS page
            CROSS JOIN runs r ON r.id = page.id ORDER BY r.id \(direction)
        """
    }

    func fillPage(_ arguments: inout Arguments, limit: Int, offset: Int64) {
        arguments = self.arguments
        arguments.add(limit)
        arguments.add(offset)
    }

    /// Nil bounds and texts: the total is kept by triggers and needs no counting.
    private var isCounted: Bool {
        filter.number == nil && filter.after == nil && filter.branch == nil && filter.event == nil
            && filter.actor == nil
            && filter.since == nil && filter.until == nil
            && (filter.text ?? "").isEmpty && (filter.project == nil || filter.pipeline == nil)
    }

    func total(_ db: Connection) throws -> Int {
        guard isCounted else {
            return try db.first("SELECT count(*) FROM \(table) \(match)", { $0 = arguments }) { $0.int() } ?? 0
        }
        var given = Arguments()
        var match: String
        if let pipeline = filter.pipeline {
            match = "scope = 2 AND scope_id = ?"
            given.add(pipeline)
            if filter.visible != .all {
                given.add(pipeline)
                let place = "(SELECT project FROM pipelines WHERE id = ?)"
                match += " AND " + (filter.visible.condition(place, &given) ?? "1")
            }
        } else if let seen = filter.visible.condition("scope_id", project: filter.project, &given) {
            match = "scope = 1 AND " + seen
        } else {
            match = "scope = 0 AND scope_id = 0"
        }
        if let status = filter.status {
            match += " AND status = ?"
            given.add(status)
        }
        let final = given
        return try db.first("SELECT coalesce(sum(n), 0) FROM run_counts WHERE \(match)", { $0 = final }) { $0.int() }
            ?? 0
    }
}

/// Search texts for `LIKE … ESCAPE '\'`.
enum LikePattern {
    /// Matches what holds `text` anywhere, without regard to ASCII case.
    static func part(_ text: String) -> String {
        var pattern = "%"
        for character in text.unicodeScalars.prefix(256) {
            if character == "%" || character == "_" || character == "\\" { pattern.unicodeScalars.append("\\") }
            pattern.unicodeScalars.append(character)
        }
        return pattern + "%"
    }
}

/// Where a page lies; anything out of range is brought into it.
struct PageRange {
    static let perPageMax = 100
    let limit: Int
    let offset: Int64

    init(page: Int, perPage: Int) {
        limit = min(max(perPage, 1), Self.perPageMax)
        let (offset, overflow) = Int64(max(page, 1) - 1).multipliedReportingOverflow(by: Int64(limit))
        self.offset = overflow ? .max : offset
    }
}
