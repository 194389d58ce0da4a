import AnsFlowProtocol
import Synchronization

/// Shows the run with the parts that show a controller's: what ``FollowState`` decides, ``FollowPrinter`` prints.
package final class LocalView: Sendable {
    private let state = Mutex(FollowState())
    private let printer: FollowPrinter

    package init(printer: FollowPrinter) {
        self.printer = printer
    }

    /// Changes of state. Whoever calls holds back what follows from them until this returns, so that all is shown in order.
    package func look(at run: RunModel) {
        state.withLock { state in
            for case .show(let output) in state.look(at: run, all: false) { printer.show(output) }
        }
    }

    package func show(_ lines: [LogLineModel], of key: LogKey) {
        guard !lines.isEmpty else { return }
        state.withLock { state in
            if let output = state.begin(key) { printer.show(output) }
            printer.show(lines, of: key)
        }
    }
}
