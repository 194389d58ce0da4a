import Synchronization

/// What a cache has done, for people.
package struct CacheStatistics: Equatable, Sendable {
    package var name: String
    package var hits: UInt64 = 0
    /// Without those that waited for somebody else's read of the same.
    package var misses: UInt64 = 0
    package var evictions: UInt64 = 0
    package var entries = 0
    package var bytes = 0
    package var bytesMax = 0

    package init(name: String) { self.name = name }
}

/// A cache as operators see it.
package protocol ReportedCache: Sendable {
    var statistics: CacheStatistics { get }
    /// Forgets everything. Never needed for right answers.
    func clear()
}

/// Values under a key and the version of what they show, up to a size; what was used longest ago goes first.
///
/// The version must be taken before what the value is made of is read: a value that is made while a commit goes on is kept under the
/// older version, and so never served after it. Several that ask for the same at once share one making.
package final class VersionedCache<Key: Hashable & Sendable, Value: Sendable>: ReportedCache, Sendable {
    private struct Entry {
        var version: UInt64
        var value: Value
        var bytes: Int
        var used: UInt64
    }

    private struct Flight: Hashable {
        var key: Key
        var version: UInt64
    }

    private typealias Waiter = @Sendable (Value?) -> Void

    private struct State {
        var entries: [Key: Entry] = [:]
        var flights: [Flight: [Waiter]] = [:]
        var statistics: CacheStatistics
        var clock: UInt64 = 0
    }

    private enum Role {
        case hit(Value)
        case lead
        case join
    }

    private let bytesMax: Int
    private let state: Mutex<State>

    /// - Parameter bytesMax: 0 keeps nothing.
    package init(name: String, bytesMax: Int) {
        self.bytesMax = bytesMax
        var statistics = CacheStatistics(name: name)
        statistics.bytesMax = bytesMax
        state = Mutex(State(statistics: statistics))
    }

    package var statistics: CacheStatistics { state.withLock { $0.statistics } }

    package func clear() {
        state.withLock { state in
            state.entries = [:]
            state.statistics.entries = 0
            state.statistics.bytes = 0
        }
    }

    /// The value of `key` at `version`, kept or made.
    ///
    /// - Parameter make: gives the value and about how many bytes it has.
    package func value(
        _ key: Key, version: UInt64, make: () async throws -> (value: Value, bytes: Int)
    ) async throws -> Value {
        guard bytesMax > 0 else { return try await make().value }
        let flight = Flight(key: key, version: version)
        switch role(flight) {
        case .hit(let value): return value
        case .join:
            if let value = await join(flight) { return value }
            // Whoever made it failed, perhaps only because its own caller went away.
            return try await make().value
        case .lead:
            do {
                let made = try await make()
                land(flight, made)
                return made.value
            } catch {
                land(flight, nil)
                throw error
            }
        }
    }

    /// As ``value(_:version:make:)`` for what is made without waiting; makers at once do not share.
    package func value(_ key: Key, version: UInt64, make: () throws -> (value: Value, bytes: Int)) rethrows -> Value {
        if let value = kept(key, version: version) { return value }
        let made = try make()
        if bytesMax > 0 { state.withLock { Self.store(&$0, key, version, made, bytesMax) } }
        return made.value
    }

    /// What is kept of `key` at exactly `version`.
    package func kept(_ key: Key, version: UInt64) -> Value? {
        state.withLock { state in
            let value = Self.take(&state, key, version)
            if value == nil { state.statistics.misses += 1 }
            return value
        }
    }

    private func role(_ flight: Flight) -> Role {
        state.withLock { state in
            if let value = Self.take(&state, flight.key, flight.version) { return .hit(value) }
            if state.flights[flight] != nil { return .join }
            state.flights[flight] = []
            state.statistics.misses += 1
            return .lead
        }
    }

    private func join(_ flight: Flight) async -> Value? {
        await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
            let value = state.withLock { state -> Value?? in
                if state.flights[flight] != nil {
                    state.flights[flight]?.append({ continuation.resume(returning: $0) })
                    return nil
                }
                // It landed in between.
                return .some(Self.take(&state, flight.key, flight.version))
            }
            if let value { continuation.resume(returning: value) }
        }
    }

    private func land(_ flight: Flight, _ made: (value: Value, bytes: Int)?) {
        let waiters = state.withLock { state in
            if let made { Self.store(&state, flight.key, flight.version, made, bytesMax) }
            let waiters = state.flights.removeValue(forKey: flight) ?? []
            if made != nil { state.statistics.hits += UInt64(waiters.count) }
            return waiters
        }
        for waiter in waiters { waiter(made?.value) }
    }

    private static func take(_ state: inout State, _ key: Key, _ version: UInt64) -> Value? {
        guard let entry = state.entries[key], entry.version == version else { return nil }
        state.clock += 1
        state.entries[key]?.used = state.clock
        state.statistics.hits += 1
        return entry.value
    }

    private static func store(
        _ state: inout State, _ key: Key, _ version: UInt64, _ made: (value: Value, bytes: Int), _ bytesMax: Int
    ) {
        guard made.bytes <= bytesMax / 4 else { return }
        if let old = state.entries[key] {
            // A slower maker must not put an older value over a newer one.
            guard old.version <= version else { return }
            state.statistics.bytes -= old.bytes
        }
        state.clock += 1
        state.entries[key] = Entry(version: version, value: made.value, bytes: made.bytes, used: state.clock)
        state.statistics.bytes += made.bytes
        if state.statistics.bytes > bytesMax { shrink(&state, to: bytesMax / 4 * 3) }
        state.statistics.entries = state.entries.count
    }

    /// A quarter at a time: putting all in order is cheap when it is done seldom.
    private static func shrink(_ state: inout State, to bytes: Int) {
        for (key, entry) in state.entries.sorted(by: { $0.value.used < $1.value.used }) {
            guard state.statistics.bytes > bytes else { return }
            state.entries[key] = nil
            state.statistics.bytes -= entry.bytes
            state.statistics.evictions += 1
        }
    }
}
