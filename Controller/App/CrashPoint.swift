import ControllerCore
import Glibc
import Synchronization

/// Kills the process at an exact place, as fault tests ask for with `ANSFLOW_CRASH_AT=committed:3`: the third time that a
/// group has been committed and not yet answered.
final class CrashPoint: Sendable {
    private let place: EngineCheckpoint
    private let left: Atomic<Int>

    init?(_ text: String) {
        let parts = text.split(separator: ":")
        guard let name = parts.first, let place = EngineCheckpoint(rawValue: String(name)) else { return nil }
        self.place = place
        left = Atomic(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }

    func reached(_ checkpoint: EngineCheckpoint) {
        guard checkpoint == place, left.subtract(1, ordering: .relaxed).newValue == 0 else { return }
        kill(getpid(), SIGKILL)
    }
}
