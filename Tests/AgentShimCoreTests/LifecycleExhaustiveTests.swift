import AgentShimCore
import Testing

/// Every sequence of events to a depth, with what must hold after each.
///
/// Sequences that lead to the same state and history are followed once, which reaches deeper than trying them all.
@Suite("The shim's life cycle, exhaustively")
struct LifecycleExhaustiveTests {
    private enum Event: CaseIterable {
        case start, startOther, claimed, refused, startFailed, exit, exitLeaving, treeEmpty, outOfMemory, outputEnded
        case stop, stopNow, forget, came, left, timer, tooEarly
    }

    /// A shim and what an onlooker remembers of it.
    private struct World: Hashable {
        var shim = ShimLifecycle(now: 0)
        var now: UInt64 = 0
        var released = false
        var exited = false
        var ending: Ending?
        var finishes = 0
        var kills = 0
        var terminatedAt: UInt64?
        var grace: UInt64 = 0
        var leftAt: UInt64?
        var gone = false

        /// Applies an event; what it broke, or `nil`.
        mutating func apply(_ event: Event) -> String? {
            let before = self
            let actions = act(event)
            for action in actions {
                if let broken = note(action, before) { return broken }
            }
            return check(before, actions)
        }

        private mutating func act(_ event: Event) -> [ShimAction] {
            switch event {
            case .start: return shim.startRequested(attempt: 1, timeoutMs: 30_000, graceMs: 10_000)
            case .startOther: return shim.startRequested(attempt: 2, timeoutMs: 30_000, graceMs: 10_000)
            case .claimed: return shim.startFileClaimed(now: now)
            case .refused: return shim.startFileRefused(.storage, now: now)
            case .startFailed:
                shim.startFailed(.program, errno: 2)
                return []
            case .exit, .exitLeaving:
                if released && !exited {
                    exited = true
                    leftAt = event == .exitLeaving ? now : nil
                }
                return shim.childExited(.exited(3), treeEmpty: event == .exit, now: now)
            case .treeEmpty: return shim.treeEmpty(now: now)
            case .outOfMemory: return shim.outOfMemory(now: now)
            case .outputEnded: return shim.outputEnded()
            case .stop:
                grace = 5_000
                return shim.stopRequested(.cancel, graceMs: 5_000, now: now)
            case .stopNow:
                grace = 0
                return shim.stopRequested(.revoked, graceMs: 0, now: now)
            case .forget: return shim.forget()
            case .came:
                shim.agentCame()
                return []
            case .left:
                shim.agentLeft(now: now)
                return []
            case .timer:
                if let due = shim.due { now = max(now, due) }
                return shim.timerDue(now: now)
            case .tooEarly: return shim.timerDue(now: shim.due.map { $0 - 1 } ?? now)
            }
        }

        private mutating func note(_ action: ShimAction, _ before: World) -> String? {
            switch action {
            case .release:
                if released { return "released twice" }
                released = true
            case .terminate:
                if terminatedAt != nil { return "TERM twice" }
                if exited { return "TERM to a main process that is gone" }
                terminatedAt = now
            case .killTree:
                kills += 1
                let afterGrace = terminatedAt.map { now >= $0 + min(grace, 10_000) } ?? false
                let afterExit = leftAt.map { now >= $0 + min(grace == 0 ? 0 : .max, ShimLimits.lingerMs) } ?? false
                let atOnce = shim.ending == .outOfMemory || shim.ending == .stopped(.revoked) || grace == 0
                let startFailed = if case .startFailed = shim.ending { true } else { false }
                if !(afterGrace || afterExit || atOnce || startFailed) { return "KILL without cause" }
                if kills > 1 { return "KILL twice" }
            case .finish(let ending, let unkillable):
                finishes += 1
                if ending != shim.ending { return "finished with another ending" }
                if !unkillable && !exited { return "finished while the main process lives" }
                if unkillable && kills == 0 { return "unkillable without KILL" }
            case .exit:
                if gone { return "gone twice" }
                gone = true
                if released && finishes == 0 { return "went while its step runs" }
            case .claim:
                if released { return "claims twice" }
            case .refuse, .reportState, .closeOutput, .reportEmptied: break
            }
            return nil
        }

        private func check(_ before: World, _ actions: [ShimAction]) -> String? {
            if finishes > 1 { return "finished twice" }
            if let ending = before.shim.ending, shim.ending != ending { return "the ending changed" }
            if before.gone && (!shim.isGone || shim.due != nil || !actions.isEmpty) {
                return "something happened after the end"
            }
            if shim.hasEnded != (finishes == 1 || gone) { return "hasEnded is wrong" }
            if finishes == 1, shim.due != nil { return "a timer after the end" }
            if released, finishes == 0, shim.due == nil { return "a running step without a timer" }
            return nil
        }
    }

    @Test("to depth 9: one end that never changes, KILL only with cause, nothing hangs")
    func everySequence() {
        var level: Set<World> = [World()]
        var seen = level
        var transitions = 0
        for depth in 1...9 {
            var next: Set<World> = []
            for world in level {
                for event in Event.allCases {
                    var after = world
                    transitions += 1
                    if let broken = after.apply(event) {
                        Issue.record("depth \(depth), \(event): \(broken)\nbefore: \(world)\nafter: \(after)")
                        return
                    }
                    if seen.insert(after).inserted { next.insert(after) }
                }
            }
            level = next
        }
        #expect(transitions > 10_000)
    }

    @Test("from every state, time alone ends a step that was started")
    func liveness() {
        var level: Set<World> = [World()]
        var seen = level
        for _ in 1...6 {
            var next: Set<World> = []
            for world in level {
                for event in Event.allCases {
                    var after = world
                    _ = after.apply(event)
                    if seen.insert(after).inserted { next.insert(after) }
                }
            }
            level = next
        }
        for world in seen where world.released {
            var after = world
            for _ in 0..<4 { _ = after.apply(.timer) }
            #expect(after.finishes == 1, "\(world)")
        }
    }
}
