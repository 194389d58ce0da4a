import AnsFlowProtocol
import ControllerCore

extension DeliveryRow {
    static func select(body: Bool) -> String {
        """
        SELECT d.id, d.hook, d.project, d.source, d.source_name, d.delivery, d.event, d.headers, d.content_type,
            d.remote, d.proof, d.body_hash, d.body_bytes, \(body ? "d.body" : "NULL"), d.compressed, d.received_at,
            d.state, d.tries, d.retry_at, d.judged_at, d.message, d.replay_of, d.duplicates, d.last_duplicate_at
        FROM deliveries d
        """
    }

    static let insert = """
        INSERT INTO deliveries (hook, project, source, source_name, delivery, event, headers, content_type, remote,
            proof, body_hash, body_bytes, body, stored_bytes, compressed, received_at, state, tries, retry_at,
            judged_at, message, replay_of, duplicates)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
        """

    func fill(_ arguments: inout Arguments) {
        arguments.add(hook)
        arguments.add(project)
        arguments.add(source)
        arguments.add(sourceName)
        arguments.add(delivery)
        arguments.add(event)
        arguments.add(headers)
        arguments.add(contentType)
        arguments.add(remote)
        arguments.add(proof)
        arguments.add(bodyHash)
        arguments.add(bodyBytes)
        if let body { arguments.add(body) } else { arguments.add(Int64?.none) }
        arguments.add(body?.count ?? 0)
        arguments.add(isCompressed)
        arguments.add(receivedAt)
        arguments.add(state)
        arguments.add(tries)
        arguments.add(retryAt)
        arguments.add(judgedAt)
        arguments.add(message)
        arguments.add(replayOf)
    }

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.id(), hook: columns.id(), project: columns.id(), source: try columns.word(),
            sourceName: columns.text(), delivery: columns.text(), event: columns.text(), headers: try columns.map(),
            contentType: columns.text(), remote: columns.text(), proof: columns.text(), bodyHash: columns.bytes(),
            bodyBytes: columns.int(), body: columns.bytesOrNil(), isCompressed: columns.bool(),
            receivedAt: columns.int64(), state: try columns.word(), tries: columns.int(),
            retryAt: columns.int64OrNil(), judgedAt: columns.int64OrNil(), message: columns.text(),
            replayOf: columns.idOrNil(), duplicates: columns.int(), lastDuplicateAt: columns.int64OrNil())
    }
}
