import AnsFlowProtocol
import ControllerCore
import Foundation

extension ForgeConnection {
    static let columns = "id, project, pipeline, kind, api, repository, secret, enabled, created_at, updated_at"
    static let qualifiedColumns =
        "c.id, c.project, c.pipeline, c.kind, c.api, c.repository, c.secret, c.enabled, c.created_at, c.updated_at"

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.int64(), project: columns.id(), pipeline: columns.idOrNil(), kind: try columns.word(),
            api: columns.text(), repository: columns.text(), secret: columns.text(), enabled: columns.bool(),
            createdAt: columns.int64(), updatedAt: columns.int64())
    }
}

extension CommitStatus {
    static let columns = "s.connection, s.\"commit\", s.context, s.run, s.seq, s.word, s.summary, s.ref"

    init(_ columns: inout Columns) throws {
        self.init(
            connection: columns.int64(), commit: columns.text(), context: columns.text(), run: columns.int64(),
            seq: columns.int64(), state: try columns.word(), summary: columns.text(), ref: columns.text())
    }
}

extension DeliveryLifecycle {
    static func columns(_ table: String) -> String {
        "\(table).state, \(table).tries, \(table).due_at, \(table).error"
    }

    init(_ columns: inout Columns) throws {
        self.init(
            state: try columns.word(), tries: columns.int(), dueAt: columns.int64(), error: columns.textOrNil())
    }

    func fill(_ arguments: inout Arguments) {
        arguments.add(state)
        arguments.add(tries)
        arguments.add(dueAt)
        arguments.add(error)
    }
}

extension NotificationTarget {
    static let columns =
        "id, project, name, format, url, url_secret, signing_secret, enabled, created_at, updated_at"
    static let qualifiedColumns = columns.split(separator: ", ").map { "t.\($0)" }.joined(separator: ", ")

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.int64(), project: columns.id(), name: columns.text(), format: try columns.word(),
            url: columns.text(), urlSecret: columns.text(), signingSecret: columns.text(), enabled: columns.bool(),
            createdAt: columns.int64(), updatedAt: columns.int64())
    }
}

extension NotificationRule {
    static let columns =
        "id, project, pipeline, name, events, in_app, target, enabled, created_at, updated_at"

    init(_ columns: inout Columns) throws {
        let (id, project, pipeline): (Int64, ProjectID, PipelineID?) = (
            columns.int64(), columns.id(), columns.idOrNil()
        )
        let name = columns.text()
        let events = try columns.list().compactMap { NoticeEvent(rawValue: $0) }
        self.init(
            id: id, project: project, pipeline: pipeline, name: name, events: events, inApp: columns.bool(),
            target: columns.int64OrNil(), enabled: columns.bool(), createdAt: columns.int64(),
            updatedAt: columns.int64())
    }
}

extension Notice {
    var stored: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("A notice of texts and numbers always has a JSON text.")
        }
        return [UInt8](data)
    }

    init(stored bytes: [UInt8]) throws {
        do {
            self = try JSONDecoder().decode(Notice.self, from: Data(bytes))
        } catch {
            throw StoreFailure.damaged(
                "A stored notice can't be read (\(error)). Use the AnsFlow that wrote it, or restore a backup.")
        }
    }
}

extension NoticeDeliveryView {
    static let columns =
        "d.id, d.target, d.rule, d.notice, \(DeliveryLifecycle.columns("d")), d.answer, d.created_at, d.updated_at"

    init(_ columns: inout Columns) throws {
        let (id, target, rule) = (columns.int64(), columns.int64(), columns.int64OrNil())
        let notice = try Notice(stored: columns.bytes())
        let delivery = try DeliveryLifecycle(&columns)
        self.init(
            id: id, target: target, rule: rule, notice: notice, delivery: delivery,
            answer: columns.int64OrNil().map { Int($0) }, createdAt: columns.int64(), updatedAt: columns.int64())
    }
}
