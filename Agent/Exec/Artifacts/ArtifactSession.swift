import AgentCore
import Glibc
import Synchronization

/// Tries requests until the controller answers them: it may be away for as long as the step has time.
struct ArtifactSession: Sendable {
    /// Between tries, in milliseconds.
    struct Waits: Sendable {
        var first = 500
        var longest = 30_000
        /// Waits so many milliseconds at most; less by chance, so that agents do not come all at once.
        var pause: @Sendable (Int) async throws -> Void = { wait in
            try await Task.sleep(for: .milliseconds(Int.random(in: wait / 2...wait)))
        }
    }

    /// How far the controller has got with what is sent, or this side with what is fetched. A way that carries something is not one that
    /// is to be left alone for longer and longer.
    final class Progress: Sendable {
        private let state = Mutex<(content: String, offset: UInt64, hasMoved: Bool)>(("", 0, false))

        /// - Parameter offset: Of bytes that are on the other side for good.
        func reached(_ offset: UInt64, of content: String) {
            state.withLock { state in
                if state.content != content { (state.content, state.offset) = (content, 0) }
                guard offset > state.offset else { return }
                (state.offset, state.hasMoved) = (offset, true)
            }
        }

        func ended() { state.withLock { $0 = ("", 0, true) } }

        fileprivate func take() -> Bool {
            state.withLock { state in
                defer { state.hasMoved = false }
                return state.hasMoved
            }
        }
    }

    let transport: any ArtifactTransport
    var waits = Waits()
    /// Writes to the step's log.
    let say: @Sendable (String) -> Void

    /// Lends connections to `body` until it returns or fails for good. It is called anew on another connection after
    /// ``ArtifactFault/away(_:)``, so it must go on with what is left.
    ///
    /// - Parameter progress: What `body` notes there makes the next wait a short one again.
    func run<Value: Sendable>(
        _ progress: Progress = Progress(), _ body: (any ArtifactLink) async throws -> Value
    ) async throws -> Value {
        var wait = waits.first
        var told = ""
        while true {
            do {
                return try await transport.withLink(body)
            } catch ArtifactFault.away(let reason) {
                if reason != told { say("\(reason) Trying again.") }
                told = reason
                if progress.take() { wait = waits.first }
                try await waits.pause(wait)
                wait = min(wait * 2, waits.longest)
            }
        }
    }

    /// Works through `items` on a few connections side by side; the first that fails for good ends all.
    func each<Item: Sendable>(
        _ items: [Item], width: Int, _ body: @escaping @Sendable (any ArtifactLink, Item, Progress) async throws -> Void
    ) async throws {
        let queue = WorkQueue(items)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<min(width, items.count) {
                group.addTask {
                    // What a broken connection interrupted is taken up again by the same worker.
                    var current: Item?
                    let progress = Progress()
                    try await run(progress) { link in
                        while let item = current ?? queue.next() {
                            current = item
                            try await body(link, item, progress)
                            current = nil
                            progress.ended()
                        }
                    }
                }
            }
            defer { group.cancelAll() }
            try await group.waitForAll()
        }
    }
}

/// Items that several workers take from.
private final class WorkQueue<Item: Sendable>: Sendable {
    private let items: [Item]
    private let place = Atomic<Int>(0)

    init(_ items: [Item]) { self.items = items }

    func next() -> Item? {
        let index = place.add(1, ordering: .relaxed).oldValue
        return index < items.count ? items[index] : nil
    }
}

/// Sizes for people.
enum ByteText {
    static func of(_ bytes: UInt64) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes) / 1024
        var units = ["KiB", "MiB", "GiB"][...]
        while value >= 1024, units.count > 1 {
            value /= 1024
            units = units.dropFirst()
        }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units.first ?? "")"
    }
}
