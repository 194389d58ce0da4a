import Dispatch
import Glibc
import Synchronization

/// Signals as a stream that only says "look": at most one unseen event is kept, since all are looked at together.
package final class SignalStream: Sendable {
    package let events: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    // Written once; a source may be cancelled from anywhere.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]
    private let stop: Stop

    private final class Stop: Sendable {
        let asked = Atomic<Bool>(false)
    }

    /// SIGCHLD says look; every other signal asks to stop and no longer ends the process by itself.
    package init(_ signals: [Int32]) {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let stop = Stop()
        events = stream
        self.continuation = continuation
        self.stop = stop
        sources = signals.map { number in
            if number != SIGCHLD { signal(number, SIG_IGN) }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if number != SIGCHLD { stop.asked.store(true, ordering: .releasing) }
                continuation.yield()
            }
            source.resume()
            return source
        }
        // What ended before the sources were there is looked at first.
        continuation.yield()
    }

    /// Says look after a while.
    package func wake(after pause: Duration) {
        Task { [continuation] in
            try? await Task.sleep(for: pause)
            continuation.yield()
        }
    }

    package var stopAsked: Bool { stop.asked.load(ordering: .acquiring) }

    package func cancel() {
        for source in sources { source.cancel() }
    }
}
