import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import NIOCore

enum PipelineJSON {
    static func write(_ row: PipelineRow, _ json: inout JSONWriter) {
        json.object { json in
            json.field("id", row.id.rawValue)
            json.field("project_id", row.project.rawValue)
            json.field("name", row.name)
            json.field("definition", row.definition)
            json.name("repository")
            if row.repositoryURL.isEmpty {
                json.null()
            } else {
                json.object { json in
                    json.field("url", row.repositoryURL)
                    json.field("ref", row.ref)
                    json.field("path", row.path.isEmpty ? nil : row.path)
                    json.field("credential", row.credential.isEmpty ? nil : row.credential)
                }
            }
            json.field("enabled", row.enabled)
            json.field("version", row.version)
            json.field("created_at", time: row.createdAt)
            json.field("updated_at", time: row.updatedAt)
        }
    }

    static func write(_ version: PipelineVersion, _ json: inout JSONWriter) {
        json.object { json in
            json.field("version", version.version)
            json.field("definition", version.definition)
            json.field("saved_by", version.savedBy)
            json.field("saved_at", time: version.savedAt)
        }
    }

    static func diagnostics(_ diagnostics: [Diagnostic], _ json: inout JSONWriter) {
        json.array(diagnostics) { json, diagnostic in
            json.object { json in
                json.field("severity", diagnostic.severity.rawValue)
                json.field("code", diagnostic.code.rawValue)
                json.field("message", diagnostic.message)
                json.field("file", diagnostic.file)
                json.field("line", diagnostic.line)
                json.field("column", diagnostic.column)
                json.field("end_line", diagnostic.endLine)
                json.field("end_column", diagnostic.endColumn)
                json.field("path", diagnostic.path)
                json.field("hint", diagnostic.hint)
                json.field("text", diagnostic.description)
            }
        }
    }
}

enum AgentJSON {
    static func write(_ view: AgentView, _ json: inout JSONWriter) {
        let row = view.row
        json.object { json in
            json.field("id", row.id.rawValue)
            json.field("name", row.name)
            json.field("status", status(view))
            json.field("connected", view.connected)
            json.field("labels", row.labels)
            json.field("slots", row.slots)
            json.field("busy", view.busy)
            json.field("version", row.version)
            json.field("containment", row.containment)
            json.field("paused", row.paused)
            json.field("note", row.note)
            json.field("draining", row.draining)
            json.field("revoked", row.revoked)
            json.field("remote", view.remote)
            json.field("load", view.load)
            json.field("disk_free_bytes", view.diskFreeBytes)
            json.field("clock_ahead_ms", view.clockAheadMs)
            json.name("running")
            json.array(view.running) { $0.int($1.rawValue) }
            json.name("orphans")
            json.array(view.orphans) { $0.int($1.rawValue) }
            json.name("alarms")
            json.array(view.alarms) { json, alarm in
                json.object { json in
                    json.field("kind", alarm.kind.rawValue)
                    json.field("close_code", alarm.closeCode)
                    json.field("message", alarm.message)
                    json.field("at", time: alarm.at)
                    json.field("count", alarm.count)
                }
            }
            json.field("key_sha256", row.key)
            json.field("created_at", time: row.createdAt)
            json.field("last_seen_at", time: row.lastSeenAt)
        }
    }

    private static func status(_ view: AgentView) -> String {
        if view.row.revoked { return "revoked" }
        if !view.connected { return "offline" }
        if view.row.draining { return "draining" }
        if view.row.paused { return "paused" }
        return view.busy > 0 ? "busy" : "idle"
    }
}

extension Page {
    /// A page of a list that is read whole.
    init(slice all: [Item], number: Int, perPage: Int) {
        let (first, overflow) = (number - 1).multipliedReportingOverflow(by: perPage)
        self.init(items: overflow ? [] : Array(all.dropFirst(first).prefix(perPage)), total: all.count)
    }
}

enum ListJSON {
    /// A list that is short enough to come whole: one page, and it is the last; or the page that is asked for, where one is.
    ///
    /// - Throws: 400 for a page that can't be.
    static func whole<Item: Sendable>(
        _ items: [Item], _ call: Call, _ item: (inout JSONWriter, Item) -> Void
    ) throws -> Reply {
        let query = call.query.keptBesidePaging
        if call.query.text("page") != nil || call.query.text("per_page") != nil {
            let (page, perPage) = try call.query.page()
            return reply(
                Page(slice: items, number: page, perPage: perPage), number: page, perPage: perPage, path: call.path,
                query: query, item)
        }
        let perPage = max(items.count, 1)
        var reply = Reply.json(body(Page(items: items, total: items.count), number: 1, perPage: perPage, item))
        // It is all there. Whoever wants pages all the same finds them here, of a size that may be asked for.
        reply.headers[.link] = link(
            total: items.count, number: 1, perPage: min(perPage, 100), path: call.path, query: query)
        return reply
    }

    /// A page with its `Link` header.
    static func reply<Item>(
        _ page: Page<Item>, number: Int, perPage: Int, path: String, query: String = "",
        _ item: (inout JSONWriter, Item) -> Void
    ) -> Reply {
        var reply = Reply.json(body(page, number: number, perPage: perPage, item))
        reply.headers[.link] = link(total: page.total, number: number, perPage: perPage, path: path, query: query)
        return reply
    }

    static func body<Item>(
        _ page: Page<Item>, number: Int, perPage: Int, _ item: (inout JSONWriter, Item) -> Void
    ) -> ByteBuffer {
        var json = JSONWriter(capacity: 512 + page.items.count * 640)
        json.object { json in
            json.name("items")
            json.array(page.items, item)
            json.field("page", number)
            json.field("per_page", perPage)
            json.field("total", page.total)
        }
        return json.buffer
    }

    /// RFC 8288 links to the first, previous, next and last page.
    static func link(total: Int, number: Int, perPage: Int, path: String, query: String) -> String {
        let last = max(1, (total + perPage - 1) / perPage)
        var pages = [("first", 1), ("last", last)]
        if number > 1 { pages.append(("prev", min(number - 1, last))) }
        if number < last { pages.append(("next", number + 1)) }
        return pages.map { "<\(path)?\(query)page=\($0.1)&per_page=\(perPage)>; rel=\"\($0.0)\"" }
            .joined(separator: ", ")
    }
}
