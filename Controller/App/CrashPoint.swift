import ControllerCore
import Glibc
import Synchronization

/// Kills the process at an exact place, as fault tests ask for with `ANSFLOW_CRASH_AT=committed:3`: the third time that a
/// group has been committed and not yet answered.
final class CrashPoint: Sendable {
    private let place: String
    private let left: Atomic<Int>

    init?(_ text: String) {
        let parts = text.split(separator: ":")
        let places =
            EngineCheckpoint.allCases.map(\.rawValue) + WebhookCheckpoint.allCases.map(\.rawValue)
            + OutboxCheckpoint.allCases.map(\.rawValue)
        guard let name = parts.first.map(String.init), places.contains(name) else { return nil }
        place = name
        left = Atomic(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }

    func reached(_ checkpoint: EngineCheckpoint) { reached(checkpoint.rawValue) }

    func reached(_ checkpoint: WebhookCheckpoint) { reached(checkpoint.rawValue) }

    func reached(_ checkpoint: OutboxCheckpoint) { reached(checkpoint.rawValue) }

    private func reached(_ name: String) {
        guard name == place, left.subtract(1, ordering: .relaxed).newValue == 0 else { return }
        kill(getpid(), SIGKILL)
    }
}
