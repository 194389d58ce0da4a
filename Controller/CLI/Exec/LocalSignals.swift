import Dispatch
import Glibc
import Synchronization

/// Counts the signals that ask this process to end, which no longer end it by themselves.
package final class LocalSignals: Sendable {
    private struct State {
        var count = 0
        var first: Int32?
    }

    /// How many have come, each time that one does.
    package let counts: AsyncStream<Int>
    private let state = Mutex(State())
    // Written once.
    nonisolated(unsafe) private var sources: [any DispatchSourceSignal] = []

    package init(_ signals: [Int32] = [SIGINT, SIGTERM, SIGHUP]) {
        let (stream, continuation) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(3))
        counts = stream
        sources = signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in
                guard let self else { return }
                let count = state.withLock { state in
                    state.count += 1
                    state.first = state.first ?? number
                    return state.count
                }
                continuation.yield(count)
            }
            source.resume()
            return source
        }
    }

    /// The first that came.
    package var first: Int32? { state.withLock { $0.first } }
}
