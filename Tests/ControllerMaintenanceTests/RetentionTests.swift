import AnsFlowProtocol
import ControllerArtifacts
import ControllerCore
import ControllerLogs
import ControllerStore
import Foundation
import Testing

@testable import ControllerMaintenance

@Suite struct RetentionTests {
    private var policy: RetentionPolicy {
        var policy = RetentionPolicy()
        policy.keptPerPipeline = 1
        return policy
    }

    private func with(_ body: (Bench) async throws -> Void) async throws {
        let bench = try await Bench()
        do {
            try await body(bench)
        } catch {
            await bench.end()
            throw error
        }
        await bench.end()
    }

    @Test func defaultsAreOn() {
        let policy = RetentionPolicy()
        #expect(policy.runsMs == 365 * Bench.day && policy.logsMs == 90 * Bench.day && policy.keptPerPipeline == 10)
    }

    @Test func oldRunsGoWithAllThatBelongsToThem() async throws {
        try await with { bench in
            let old = try await bench.add(age: 400, content: "kept by the old one")
            let middle = try await bench.add(age: 100)
            let newest = try await bench.add(age: 500, content: "newest by number")
            let dry = try await bench.retention(policy).apply(dryRun: true)
            #expect(dry.runs.items.map(\.run) == [old] && dry.runs.items.first?.reason == .age)
            #expect(dry.runs.bytes == 5)
            #expect(dry.logs.items.map(\.run) == [middle])
            #expect(try await bench.hasRun(old), "a dry run removes nothing")
            let report = try await bench.retention(policy).apply(dryRun: false)
            #expect(report.runs.items == dry.runs.items && report.logs.items == dry.logs.items)
            #expect(try await !bench.hasRun(old))
            #expect(try await !bench.hasLog(old))
            #expect(!bench.hasContent("kept by the old one"))
            #expect(bench.artifacts.storedBytes == UInt64("newest by number".utf8.count))
            #expect(try await bench.hasRun(middle))
            #expect(try await !bench.hasLog(middle))
            #expect(try await bench.database.logsRemovedAt(middle) == Bench.now)
            #expect(try await bench.hasRun(newest), "the newest of a pipeline stay, however old they are")
            #expect(try await bench.hasLog(newest))
            #expect(bench.hasContent("newest by number"))
            #expect(try await bench.database.runs(RunFilter(), page: 1, perPage: 20).total == 2)
            let again = try await bench.retention(policy).apply(dryRun: false)
            #expect(again == RetentionReport(dryRun: false))
        }
    }

    @Test func whatIsNeededStays() async throws {
        try await with { bench in
            let pinned = try await bench.add(age: 400)
            let active = try await bench.add(age: 401, finished: false)
            let deployed = try await bench.add(age: 402, environment: "production")
            let origin = try await bench.add(age: 403)
            let rerun = try await bench.add(age: 1, finished: false, carriedFrom: origin.rawValue)
            let free = try await bench.add(age: 404)
            _ = try await bench.add(age: 1)
            try await bench.database.pin(pinned, RunPin(by: "admin", note: "release", at: 1))
            let report = try await bench.retention(policy).apply(dryRun: false)
            #expect(report.runs.items.map(\.run) == [free])
            for run in [pinned, active, deployed, origin, rerun] { #expect(try await bench.hasRun(run), "\(run)") }
            let retention = bench.retention(policy)
            for run in [pinned, active, origin] {
                await #expect(throws: RunDeletionRefusal.self) { try await retention.deleteRun(run, by: "a") }
            }
            await #expect(throws: RunDeletionRefusal.notFound) { try await retention.deleteRun(free, by: "a") }
            try await retention.unpin(pinned)
            #expect(try await retention.apply(dryRun: true).runs.items.map(\.run) == [pinned])
        }
    }

    @Test func byCountAndByBytes() async throws {
        try await with { bench in
            var runs: [RunID] = []
            for index in 0..<6 {
                runs.append(
                    try await bench.add(
                        age: Int64(20 - index), log: String(repeating: "x", count: 99_999) + "\n",
                        content: String(repeating: "\(index)", count: 1000)))
            }
            let other = try await bench.add(pipeline: 2, age: 30, content: "of another pipeline")
            var few = policy
            few.runsPerPipelineMax = 4
            let counted = try await bench.retention(few).apply(dryRun: false)
            #expect(counted.runs.items.map(\.run) == Array(runs[..<2]))
            #expect(counted.runs.items.allSatisfy { $0.reason == .count })
            var small = policy
            small.logBytesMax = 250_000
            small.artifactBytesMax = 2_500
            let dry = try await bench.retention(small).apply(dryRun: true)
            #expect(dry.logs.items.map(\.run) == Array(runs[2..<4]), "of four logs two fit")
            let report = try await bench.retention(small).apply(dryRun: false)
            #expect(report.logs == dry.logs)
            #expect(report.artifacts == dry.artifacts)
            #expect(report.artifacts.items.map(\.run) == Array(runs[2..<4]))
            #expect(try await !bench.hasLog(runs[3]))
            #expect(try await bench.hasLog(runs[4]))
            #expect(bench.artifacts.storedBytes <= 2_500 && bench.hasContent(String(repeating: "5", count: 1000)))
            #expect(try await bench.hasRun(runs[2]), "only its log and its files went")
            #expect(bench.hasContent("of another pipeline"), "its only run is among the newest of its pipeline")
            #expect(try await bench.hasLog(other))
        }
    }

    @Test func sharedContentStays() async throws {
        try await with { bench in
            let old = try await bench.add(age: 400, content: "shared")
            _ = try await bench.add(age: 1, content: "shared")
            _ = try await bench.retention(policy).apply(dryRun: false)
            #expect(try await !bench.hasRun(old))
            #expect(bench.hasContent("shared"))
        }
    }

    /// Row 40: whoever reads when the file goes reads to the end, and what comes behind it is nothing, never another's bytes.
    @Test func anOpenReaderFinishes() async throws {
        try await with { bench in
            let text = (0..<60_000).map { "line \($0) of the log that goes\n" }.joined()
            let run = try await bench.add(age: 400, log: text, content: "file that goes")
            _ = try await bench.add(age: 1)
            let stream = try await bench.logs.bytes(AttemptID(run.rawValue))
            var iterator = stream.makeAsyncIterator()
            var read: [UInt8] = []
            if case .bytes(let first) = try await iterator.next() { read += first }
            let row = try #require(try await bench.artifacts.artifacts(of: run, job: nil).first)
            let content = try #require(try await bench.artifacts.open(row))
            _ = try await bench.retention(policy).apply(dryRun: false)
            #expect(try await !bench.hasRun(run))
            while let piece = try await iterator.next() {
                guard case .bytes(let bytes) = piece else {
                    Issue.record("a hole came")
                    break
                }
                read += bytes
            }
            #expect(read == Array(text.utf8))
            #expect(try await content.read(at: 0, count: 100) == Array("file that goes".utf8))
            #expect(try await bench.logs.lines(AttemptID(run.rawValue), from: 1, count: 5).lines.isEmpty)
        }
    }

    @Test func aCutDeletionGoesOn() async throws {
        try await with { bench in
            let run = try await bench.add(age: 1, content: "c")
            _ = try await bench.add(age: 1)
            try await bench.database.beginDeletion(of: run, by: "a", reason: .asked, at: 1)
            #expect(try await !bench.hasRun(run), "from the intent on it is gone for readers")
            #expect(try await bench.database.deletePart(of: run, limit: 1) == false)
            try await bench.database.beginLogRemoval(of: RunID(2), reason: .age, at: 1)
            // As after a crash: another one takes it up.
            try await bench.retention(policy).settle()
            #expect(try await bench.database.begunDeletions(limit: 10).isEmpty)
            #expect(try await bench.database.begunLogRemovals(limit: 10).isEmpty)
            #expect(try await !bench.hasLog(RunID(2)))
        }
    }

    @Test func numbersAreNotGivenOutAgain() async throws {
        try await with { bench in
            _ = try await bench.add(age: 1)
            let newest = try await bench.add(age: 1)
            let retention = bench.retention(policy)
            try await bench.database.beginDeletion(of: newest, by: "a", reason: .asked, at: 1)
            try await retention.settle()
            #expect(try await bench.database.load().runNumbers[PipelineID(1)] == 2)
        }
    }
}
