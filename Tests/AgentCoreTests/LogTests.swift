import AgentCore
import AnsFlowProtocol
import Testing

@Suite("An attempt's output")
struct LogTests {
    private func running() -> Bench {
        var bench = Bench()
        bench.connect()
        bench.run(5)
        return bench
    }

    @Test("goes out at once when nothing is under way, and in full messages otherwise")
    func gathering() {
        var bench = running()
        #expect(bench.feed(.spooled(five, 10)) == [.sendLog(link: 1, attempt: five, from: 0, upTo: 10)])
        #expect(bench.feed(.spooled(five, 20)).isEmpty)
        #expect(bench.feed(.logSent(link: 1, attempt: five, from: 0, end: 10)).isEmpty)
        #expect(bench.feed(.spooled(five, 10 + 65_535)).isEmpty)
        #expect(
            bench.feed(.spooled(five, 10 + 65_536)) == [.sendLog(link: 1, attempt: five, from: 10, upTo: 10 + 65_536)])
        bench.feed(.logSent(link: 1, attempt: five, from: 10, end: 65_000))
        #expect(bench.tell(.logAck(five, next: 10)).isEmpty)
        #expect(
            bench.tell(.logAck(five, next: 65_000)) == [.sendLog(link: 1, attempt: five, from: 65_000, upTo: 65_546)])
    }

    @Test("never has more than the credit under way")
    func credit() {
        var bench = running()
        let all: UInt64 = 100 << 20
        bench.feed(.spooled(five, all))
        var next: UInt64 = 0
        while case .sendLog(_, _, let from, let upTo)? = bench.effects.first {
            #expect(from == next && upTo == all)
            next = from + 65_536
            #expect(next <= 4 << 20)
            bench.feed(.logSent(link: 1, attempt: five, from: from, end: next))
        }
        #expect(next == 4 << 20)
        #expect(bench.tell(.logAck(five, next: 65_536)).count == 1)
    }

    @Test("starts again where the controller says, on resend, on a smaller next and when nothing is acknowledged")
    func rewinding() {
        var bench = running()
        bench.feed(.spooled(five, 100))
        bench.feed(.logSent(link: 1, attempt: five, from: 0, end: 100))
        bench.tell(.logAck(five, next: 100))
        #expect(bench.tell(.logAck(five, next: 40)) == [.sendLog(link: 1, attempt: five, from: 40, upTo: 100)])
        bench.feed(.logSent(link: 1, attempt: five, from: 40, end: 100))
        #expect(bench.tell(.logResend(five, from: 0)) == [.sendLog(link: 1, attempt: five, from: 0, upTo: 100)])
        bench.feed(.logSent(link: 1, attempt: five, from: 0, end: 100))
        for _ in 0..<5 {
            bench.tell(.heartbeat(ControllerHeartbeat(nowMs: 0, writable: true)))
            bench.pass(6_000)
        }
        #expect(bench.effects.contains(.sendLog(link: 1, attempt: five, from: 0, upTo: 100)))
    }

    @Test("an answer for another offset changes nothing")
    func staleAnswer() {
        var bench = running()
        bench.feed(.spooled(five, 100))
        bench.tell(.logResend(five, from: 0))
        bench.reconnect([.init(attempt: five, verdict: .proceed, logNext: 60)])
        #expect(bench.effects.contains(.sendLog(link: 2, attempt: five, from: 60, upTo: 100)))
        #expect(bench.feed(.logSent(link: 1, attempt: five, from: 0, end: 100)).isEmpty)
        bench.feed(.logSent(link: 2, attempt: five, from: 60, end: 100))
        #expect(bench.feed(.spooled(five, 120)).isEmpty)
    }

    @Test("bytes that can't be read become a gap, and the hash is withheld")
    func gap() {
        var bench = running()
        bench.feed(.exited(five, success(total: 100)))
        bench.feed(.logUnreadable(link: 1, attempt: five, from: 0, length: 60, reason: "damaged"))
        #expect(
            bench.effects == [
                .send(link: 1, .gap(five, offset: 0, length: 60, reason: "damaged")),
                .sendLog(link: 1, attempt: five, from: 60, upTo: 100),
            ])
        bench.feed(.logSent(link: 1, attempt: five, from: 60, end: 100))
        bench.feed(.hashed(five, total: 100, sha256: "ab"))
        #expect(bench.finish?.log == LogEnd(attempt: five, total: 100, sha256: nil, dropped: 0))
    }

    @Test("a controller that takes nothing does not hold the end back for ever")
    func stalled() {
        var bench = running()
        bench.feed(.exited(five, success(total: 100 << 20)))
        var hashed = false
        for _ in 0..<4 {
            bench.tell(.heartbeat(ControllerHeartbeat(nowMs: 0, writable: true)))
            bench.pass(10_000)
            hashed = hashed || bench.effects.contains(.hashLog(five, total: 100 << 20))
        }
        #expect(hashed)
        bench.feed(.hashed(five, total: 100 << 20, sha256: "ab"))
        #expect(bench.finish?.log.total == 100 << 20)
    }

    @Test("waits while the controller can't write")
    func halted() {
        var bench = running()
        bench.tell(.heartbeat(ControllerHeartbeat(nowMs: 0, writable: false)))
        #expect(bench.feed(.spooled(five, 100)).isEmpty)
        bench.tell(.heartbeat(ControllerHeartbeat(nowMs: 0, writable: true)))
        #expect(bench.effects == [.sendLog(link: 1, attempt: five, from: 0, upTo: 100)])
    }
}
