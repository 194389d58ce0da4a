import AnsFlowProtocol
import ControllerCore
import ControllerLogs
import NIOCore

/// The log store behind the core's port.
struct LogReader: LogReading {
    let store: LogStore

    func info(_ attempt: AttemptID) async throws -> LogInfo {
        try await read { try await store.info(attempt) }
    }

    func lines(_ attempt: AttemptID, from: UInt64, count: Int) async throws -> LogPage {
        let first = Int(clamping: max(1, from))
        let page = try await read { try await store.lines(attempt, from: first, count: count) }
        return try await self.page(page, of: attempt)
    }

    func tail(_ attempt: AttemptID, count: Int) async throws -> LogPage {
        let page = try await read { try await store.tail(attempt, count) }
        return try await self.page(page, of: attempt)
    }

    func place(_ attempt: AttemptID, line: UInt64) async throws -> Range<UInt64>? {
        try await read { try await store.place(attempt, line: Int(clamping: line)) }
    }

    func bytes(
        _ attempt: AttemptID, range: Range<UInt64>, into chunk: @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        let stream = try await read { try await store.bytes(attempt, range) }
        for try await piece in stream {
            switch piece {
            case .bytes(let bytes): try await chunk(bytes)
            // The stored bytes are what is asked for; a hole has none.
            case .hole(let hole) where hole.kind == .missing: continue
            case .hole(let hole): throw LogReadFailure.damaged("offset \(hole.offset)")
            }
        }
    }

    func follow(
        _ attempt: AttemptID, handler: @escaping @Sendable (ControllerCore.LogBatch) -> Void
    ) async throws -> any LogFollowing {
        Following(
            subscription: store.subscribe(attempt) { event in
                guard case .lines(let batch) = event else { return }
                handler(
                    LogBatch(
                        attempt: attempt, firstLine: UInt64(batch.firstLine), nextLine: UInt64(batch.nextLine),
                        json: Array(batch.json.readableBytesView)))
            })
    }

    private struct Following: LogFollowing {
        let subscription: LogSubscription
        func cancel() { subscription.cancel() }
    }

    private func page(_ page: LinePage, of attempt: AttemptID) async throws -> LogPage {
        let lines = page.lines.map { line in
            var repair = UTF8Repair()
            let text = repair.feed(line.text) + repair.finish()
            return ControllerCore.LogLine(
                number: UInt64(line.number), timeMs: line.timeMs, text: text, partial: line.isPartial,
                cut: line.isCut)
        }
        return LogPage(firstLine: UInt64(page.firstLine), lines: lines, info: try await info(attempt))
    }

    private func read<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as LogStoreError {
            throw LogReadFailure.damaged(error.description)
        }
    }
}
