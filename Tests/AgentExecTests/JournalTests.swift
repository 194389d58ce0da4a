import AgentExec
import AgentShimCore
import Glibc
import NIOCore
import NIOPosix
import TestSupport
import Testing

@Suite("The journal")
struct JournalTests {
    @Test("is read back, cut at damage, and compacted at start")
    func readingBack() throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/journal"
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        defer { try? pool.syncShutdownGracefully() }
        do {
            let (journal, _) = try AgentJournal.open(path, loop: loop, pool: pool)
            let done = loop.makePromise(of: Void.self)
            loop.execute {
                for attempt: Int64 in 4...6 {
                    journal.append(
                        .accept(attempt: attempt, jobAttempt: 1, bootID: "b", shim: "s"), sync: true)
                }
                journal.append(.forgotten(attempt: 4), sync: false)
                journal.append(.claimedNeverStart(attempt: 6), sync: false)
                journal.barrier { done.completeWith($0.mapError { $0 as any Error }) }
            }
            try done.futureResult.wait()
        }
        try shell("printf 'garbage' >> '\(path)'")
        let (_, contents) = try AgentJournal.open(path, loop: loop, pool: pool)
        #expect(contents.attempts.map(\.attempt) == [5, 6])
        #expect(contents.attempts.map(\.isClaimed) == [false, true])
        #expect(contents.forgotten == [4])
        #expect(contents.highest == 6)
        let (_, again) = try AgentJournal.open(path, loop: loop, pool: pool)
        #expect(again == contents)
    }
}
