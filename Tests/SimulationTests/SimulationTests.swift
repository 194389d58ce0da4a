import ControllerCore
import Foundation
import TestSupport
import Testing

/// Replay one seed: `ANSFLOW_SEED=n swift test --filter SimulationTests/storms`. More seeds: `ANSFLOW_TEST_FULL=1`.
@Suite struct SimulationTests {
    static let environment = ProcessInfo.processInfo.environment
    static var seeds: Range<UInt64> {
        if let seed = environment["ANSFLOW_SEED"].flatMap({ UInt64($0) }) { return seed..<seed + 1 }
        return environment["ANSFLOW_TEST_FULL"] == "1" ? 0..<20_000 : 0..<600
    }

    /// Swarm: each seed switches a subset on, so that no fault hides another's effect.
    static func faults(of seed: UInt64) -> Faults {
        var random = SeededRandom(seed: seed &* 0x517C_C1B7)
        return Faults(
            rawValue: Int(truncatingIfNeeded: random.next() & random.next() | random.next() & random.next())
                & Faults.all.rawValue)
    }

    /// What went wrong under a seed, with the command that shows it again; nil where all held.
    static func violation(
        seed: UInt64, faults: Faults, mutant: Mutant? = nil, seen: ((Set<String>) -> Void)? = nil
    ) -> String? {
        var world = World(seed: seed, faults: faults, mutant: mutant)
        do {
            try world.run()
            seen?(world.seen)
            return nil
        } catch {
            return """
                \(error)
                seed \(seed), faults [\(faults)], \(world.steps) events, \(world.now) ms
                replay: ANSFLOW_SEED=\(seed) swift test --filter SimulationTests/storms
                """
        }
    }

    @Test func calmWorldsEndWell() throws {
        for seed in 0..<20 {
            var world = World(seed: UInt64(seed), faults: [])
            try world.run()
            #expect(world.controller.store.attempts.values.allSatisfy { $0.logState == .complete })
        }
    }

    @Test func storms() {
        var failures = 0
        var seen: Set<String> = []
        for seed in Self.seeds where failures < 5 {
            if let violation = Self.violation(seed: seed, faults: Self.faults(of: seed), seen: { seen.formUnion($0) }) {
                failures += 1
                Issue.record("\(violation)")
            }
        }
        #expect(failures == 0)
        // What ends is what may end so, and the seeds of the short form reach what they are to reach.
        #expect(seen.subtracting(StateTable.ends).sorted() == [])
        if Self.seeds.count > 1 { #expect(StateWords.storms.subtracting(seen).sorted() == []) }
    }

    @Test func sameSeedSameHistory() throws {
        for seed in 0..<5 {
            var first = World(seed: UInt64(seed), faults: .all)
            var second = World(seed: UInt64(seed), faults: .all)
            try first.run()
            try second.run()
            #expect(first.steps == second.steps)
            #expect(first.now == second.now)
            #expect(first.controller.store.attempts == second.controller.store.attempts)
        }
    }

    /// The simulator has teeth: each planted defect is seen within 500 seeds.
    @Test(arguments: Mutant.allCases) func seesPlantedDefects(_ mutant: Mutant) {
        for seed in UInt64(0)..<500 where Self.violation(seed: seed, faults: .all, mutant: mutant) != nil { return }
        Issue.record("no seed shows \(mutant)")
    }
}
