import AnsFlowProtocol
import ControllerCore

/// What a step's program does, from the seed.
struct StepScript {
    var chunks: [(afterMs: Int, bytes: Int)]
    var exitCode: Int32
    var ignoresTerm: Bool
    /// A descendant that outlives the main process until it is killed.
    var leavesChild: Bool

    init(random: inout SeededRandom) {
        let count = random.below(8)
        chunks = (0..<count).map { _ in (random.between(1...3_000), random.between(1...3_000)) }
        exitCode = random.chance(15) ? 7 : 0
        ignoresTerm = random.chance(20)
        leavesChild = random.chance(15)
    }

    /// What the n-th start of an attempt writes at an offset: another start of the same attempt would write other bytes.
    static func byte(_ attempt: AttemptID, start: Int, offset: Int) -> UInt8 {
        UInt8(
            truncatingIfNeeded: attempt.rawValue &* 31 &+ Int64(start) &* 101 &+ Int64(offset) &* 7
                &+ Int64(offset >> 8))
    }

    /// Stands for SHA-256 here.
    static func hash(_ bytes: some Collection<UInt8>) -> String {
        guard !bytes.isEmpty else { return "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16)
    }
}

/// What really happened, as seen by somebody who watches the hosts and not the software.
struct Oracle {
    struct Written {
        var starts = 0
        var bytes: [UInt8] = []
        /// Whether any process of it is alive.
        var alive = false
    }

    var attempts: [AttemptID: Written] = [:]
    /// How long the controller had been up in all when an attempt was first committed.
    var uptimeAtCommit: [AttemptID: UInt64] = [:]
    /// The furthest LOG_ACK that ever left the controller.
    var acknowledged: [AttemptID: UInt64] = [:]
    /// Attempts of which some host or shim can't say how they ended.
    var lost: Set<AttemptID> = []
    /// Agents that an operator declared gone.
    var declaredGone: Set<AgentID> = []
    /// Runs from outside to which somebody said yes, whether or not that became durable.
    var approved: Set<RunID> = []
    /// Runs that were answered with success.
    var promisedRuns: Set<Int64> = []

    mutating func spawned(_ attempt: AttemptID) throws -> Int {
        attempts[attempt, default: Written()].starts += 1
        attempts[attempt]?.alive = true
        let starts = attempts[attempt]!.starts
        guard starts == 1 else {
            throw Violation(invariant: "ONCE", detail: "attempt \(attempt) was started \(starts) times")
        }
        return starts
    }
}
