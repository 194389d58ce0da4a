import AnsFlowProtocol
import ControllerCore
import ControllerLogs

extension LogReader: LogSearching {
    func overview(_ attempt: AttemptID) async throws -> LogOverview {
        do {
            return try await store.overview(attempt)
        } catch let error as LogStoreError {
            throw LogReadFailure.damaged(error.description)
        }
    }

    func search(_ attempt: AttemptID, _ query: LogQuery) async throws -> LogMatches {
        do {
            return try await store.search(attempt, query)
        } catch let error as LogStoreError {
            throw LogReadFailure.damaged(error.description)
        }
    }
}
