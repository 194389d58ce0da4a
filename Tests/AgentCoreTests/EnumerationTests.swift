import AgentCore
import AnsFlowProtocol
import Testing

/// Every sequence of events to a small depth, then long random ones, with the promises checked after each event.
@Suite("Every order of events")
struct EnumerationTests {
    static let six = AttemptID(6)

    /// What must hold whatever comes.
    struct Watch {
        var startFiles: Set<AttemptID> = []
        var handed: Set<AttemptID> = []
        var claimedByAgent: Set<AttemptID> = []
        var claims: Set<AttemptID> = []
        var journalled: Set<AttemptID> = []
        var ended: [AttemptID: AttemptResult] = [:]
        var openLinks: Set<UInt64> = []
        var hellos: Set<UInt64> = []

        /// The world's side of an input; `nil` where it can't happen.
        mutating func allow(_ input: AgentInput) -> AgentInput? {
            switch input {
            case .linkOpened(let link):
                guard !openLinks.contains(link), !hellos.contains(link) else { return nil }
                openLinks.insert(link)
            case .linkClosed(let link, _):
                guard openLinks.remove(link) != nil else { return nil }
            case .received(let link, _):
                guard openLinks.contains(link) else { return nil }
            case .journalled(let id), .notJournalled(let id, _):
                guard journalled.remove(id) != nil else { return nil }
            case .shimStarted(let id):
                guard handed.contains(id), !claimedByAgent.contains(id) else { return nil }
                startFiles.insert(id)
            case .exited(let id, _):
                guard startFiles.contains(id) else { return nil }
            case .shimLost(let id, _), .shimRefused(let id, _), .shimUnable(let id, _):
                guard handed.contains(id) else { return nil }
            case .claimed(let id, _):
                guard claims.remove(id) != nil else { return nil }
                if startFiles.contains(id) { return .claimed(id, won: false) }
                guard claimedByAgent.insert(id).inserted else { return nil }
                return .claimed(id, won: true)
            default: break
            }
            return input
        }

        mutating func check(_ effects: [AgentEffect], _ trace: [AgentInput]) {
            for effect in effects {
                switch effect {
                case .send(let link, let message):
                    if case .hello = message {
                        #expect(hellos.insert(link).inserted, "one HELLO a link: \(trace)")
                        #expect(openLinks.isSubset(of: [link]), "HELLO while another link is open: \(trace)")
                    }
                    if case .finish(let finish) = message, finish.cause != .agentStateLost {
                        let known = ended[finish.attempt]
                        #expect(known == nil || known == finish.result, "an end never changes: \(trace)")
                        if handed.contains(finish.attempt) { ended[finish.attempt] = finish.result }
                        if finish.cause == .neverStarted {
                            #expect(!startFiles.contains(finish.attempt), "never started, but it was: \(trace)")
                        }
                    }
                    if case .started(let id) = message { #expect(startFiles.contains(id), "STARTED is true: \(trace)") }
                case .journal(.accept(let id, _)): journalled.insert(id)
                case .claimStartFile(let id): claims.insert(id)
                case .startShim(let start):
                    #expect(handed.insert(start.attempt).inserted, "handed over once: \(trace)")
                    #expect(!claimedByAgent.contains(start.attempt), "claimed, then handed over: \(trace)")
                default: break
                }
            }
        }
    }

    static func alphabet(link: UInt64) -> [AgentInput] {
        let welcome = Welcome(
            proto: 1, generation: 1, agent: AgentID(1),
            verdicts: [.init(attempt: five, verdict: .proceed, logNext: 0)], writable: true)
        return [
            .linkOpened(link), .linkClosed(link, code: nil), .received(link, .welcome(welcome)),
            .received(link, .start(start(5))), .received(link, .stop(five, reason: .cancel, graceMs: 1)),
            .received(link, .forget(five)), .journalled(five), .shimStarted(five), .exited(five, success(total: 3)),
            .claimed(five, won: true), .shimLost(five, spooled: 1), .notJournalled(five, reason: "full"),
        ]
    }

    @Test("to depth 5 from a ready link")
    func exhaustive() {
        var bench = Bench()
        var watch = Watch()
        var trace: [AgentInput] = []
        func feed(_ input: AgentInput) {
            guard let input = watch.allow(input) else { return }
            trace.append(input)
            watch.check(bench.feed(input), trace)
        }
        feed(.linkOpened(1))
        feed(Self.alphabet(link: 1)[2])
        explore(bench, watch, depth: 5, trace: trace)
    }

    private func explore(_ bench: Bench, _ watch: Watch, depth: Int, trace: [AgentInput]) {
        guard depth > 0 else { return }
        for input in Self.alphabet(link: 1) + [.linkOpened(2)] {
            var nextWatch = watch
            guard let input = nextWatch.allow(input) else { continue }
            var nextBench = bench
            let effects = nextBench.feed(input)
            nextWatch.check(effects, trace + [input])
            explore(nextBench, nextWatch, depth: depth - 1, trace: trace + [input])
        }
    }

    @Test("long random ones, for both attempts and rising links", arguments: 0..<200)
    func random(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func roll(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        var bench = Bench(slots: 1 + roll(2))
        var watch = Watch()
        var trace: [AgentInput] = []
        var link: UInt64 = 1
        for _ in 0..<200 {
            var inputs = Self.alphabet(link: link)
            inputs += [
                .received(link, .start(start(6, job: 2))), .journalled(Self.six), .shimStarted(Self.six),
                .exited(Self.six, success()), .received(link, .forget(Self.six)), .claimed(Self.six, won: true),
                .received(link, .probe), .spooled(five, UInt64(roll(100_000))), .tick, .tick,
                .logSent(link: link, attempt: five, from: 0, end: 3), .hashed(five, total: 3, sha256: nil),
                .received(link, .logAck(five, next: UInt64(roll(10)))),
            ]
            let input = inputs[roll(inputs.count)]
            if case .linkClosed = input { link += 1 }
            bench.now += UInt64(roll(3_000))
            guard let allowed = watch.allow(input) else { continue }
            trace.append(allowed)
            watch.check(bench.feed(allowed), trace)
            // Whoever is told to close does so.
            for case .close(let closing, _) in bench.effects where watch.openLinks.contains(closing) {
                watch.openLinks.remove(closing)
                let input = AgentInput.linkClosed(closing, code: nil)
                trace.append(input)
                watch.check(bench.feed(input), trace)
                link = max(link, closing + 1)
            }
        }
    }
}

@Suite("What an agent remembers of the forgotten")
struct TombstoneTests {
    @Test("ids one by one, and a floor for the oldest")
    func floor() {
        var tombstones = Tombstones()
        for id in stride(from: 2, through: 20_000, by: 2) { tombstones.insert(AttemptID(Int64(id))) }
        #expect(tombstones.ids.count <= Tombstones.capacity)
        #expect(tombstones.contains(AttemptID(20_000)))
        #expect(!tombstones.contains(AttemptID(19_999)))
        #expect(tombstones.contains(AttemptID(3)))
        #expect(Tombstones(floor: tombstones.floor, ids: tombstones.ids) == tombstones)
    }
}
