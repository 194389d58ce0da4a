package import ControllerCore
import GRDB

extension Database: IdempotencyRepository {
    package func claim(
        _ request: IdempotentRequest, at: Int64, since: Int64
    ) async throws -> IdempotencyClaim {
        try await write { db in
            try db.run("DELETE FROM kept_answers WHERE at < ?") { $0.add(since) }
            let known = try db.first(
                """
                SELECT digest, status, location, content_type, coalesce(body, x'') FROM kept_answers
                WHERE caller = ? AND key = ?
                """,
                {
                    $0.add(request.caller)
                    $0.add(request.key)
                }
            ) { columns -> IdempotencyClaim in
                let digest = columns.text()
                let status = columns.int64OrNil()
                let answer = KeptAnswer(
                    status: Int(status ?? 0), location: columns.textOrNil(), contentType: columns.textOrNil(),
                    body: columns.bytes())
                if digest != request.digest { return .different }
                return status == nil ? .unfinished : .answered(answer)
            }
            if let known { return known }
            try db.run(
                """
                DELETE FROM kept_answers WHERE rowid IN (
                    SELECT rowid FROM kept_answers WHERE caller = ? ORDER BY at DESC, rowid DESC LIMIT -1 OFFSET ?)
                """
            ) {
                $0.add(request.caller)
                $0.add(IdempotencyLimits.keysMax - 1)
            }
            try db.run("INSERT INTO kept_answers (caller, key, digest, at) VALUES (?, ?, ?, ?)") {
                $0.add(request.caller)
                $0.add(request.key)
                $0.add(request.digest)
                $0.add(at)
            }
            return .new
        }
    }

    package func finish(_ request: IdempotentRequest, _ answer: KeptAnswer) async throws {
        try await write { db in
            try db.run(
                """
                UPDATE kept_answers SET status = ?, location = ?, content_type = ?, body = ?
                WHERE caller = ? AND key = ? AND digest = ?
                """
            ) {
                $0.add(answer.status)
                $0.add(answer.location)
                $0.add(answer.contentType)
                $0.add(answer.body)
                $0.add(request.caller)
                $0.add(request.key)
                $0.add(request.digest)
            }
        }
    }

    package func release(_ request: IdempotentRequest) async throws {
        try await write { db in
            try db.run("DELETE FROM kept_answers WHERE caller = ? AND key = ? AND digest = ? AND status IS NULL") {
                $0.add(request.caller)
                $0.add(request.key)
                $0.add(request.digest)
            }
        }
    }
}
