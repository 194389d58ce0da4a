import AgentCore
import AnsFlowProtocol
import TestSupport
import Testing

@testable import AgentExec

@Suite("What is made ready beforehand")
struct ReadyTests {
    @Test("a prepared workspace becomes a job's, once, and never replaces one that holds anything")
    func preparedWorkspaces() throws {
        let scratch = try Scratch()
        let paths = AgentPaths(root: "\(scratch.path)/data")
        let data = try DataDirectory(paths)
        let workspaces = Workspaces(paths)
        try workspaces.prepare("a")
        #expect(workspaces.prepared == ["a"] && workspaces.existing.isEmpty)
        #expect(try workspaces.make(5, from: "a"))
        #expect(workspaces.prepared.isEmpty && workspaces.existing == [5])
        try scratch.write("data/work/5/src/file", "x")
        try workspaces.prepare("b")
        #expect(try !workspaces.make(5, from: "b"))
        #expect(scratch.exists("data/work/5/src/file") && workspaces.prepared == ["b"])
        // One that is gone is no harm.
        #expect(try !workspaces.make(6, from: "gone"))
        #expect(scratch.exists("data/work/6/src") && scratch.exists("data/work/6/tmp"))
        try workspaces.discard(prepared: "b")
        #expect(workspaces.prepared.isEmpty)
        withExtendedLifetime(data) {}
    }

    @Test("removals wait for a step that begins, but not for ever")
    func removals() {
        var removals = Removals()
        let rest = Removals.restMs
        removals.begun(at: 1_000)
        #expect(removals.add(JobAttemptID(1), at: 1_001) == rest)
        #expect(removals.add(JobAttemptID(2), at: 1_002) == nil)
        #expect(removals.due(at: 1_000 + rest - 1) == [])
        #expect(removals.due(at: 1_000 + rest) == [JobAttemptID(1), JobAttemptID(2)])
        // Steps begin all the time.
        #expect(removals.add(JobAttemptID(3), at: 2_000) == rest)
        for now in stride(from: UInt64(2_000), to: 2_000 + Removals.waitMsMax, by: 10) {
            removals.begun(at: now)
            #expect(removals.due(at: now) == [])
        }
        #expect(removals.due(at: 2_000 + Removals.waitMsMax) == [JobAttemptID(3)])
    }

    @Test("shims and workspaces that steps took are made up for, and what is over goes")
    func refilled() throws {
        let scratch = try Scratch()
        let side = try AgentSide(scratch)
        let workspaces = Workspaces(side.paths)
        try eventually(within: 20, "two of each are ready") { workspaces.prepared.count == 2 }
        for attempt in 21..<26 {
            try side.run(start(Int64(attempt), job: Int64(attempt), ["echo here"]))
            #expect(try side.ending(Int64(attempt)).result == .success)
        }
        #expect(workspaces.existing == [21, 22, 23, 24, 25])
        try eventually(within: 20, "two of each are ready again") { workspaces.prepared.count == 2 }
        side.on { host in for job in 21..<26 { host.clean(JobAttemptID(Int64(job))) } }
        try eventually(within: 20, "the workspaces are gone") { workspaces.existing.isEmpty }
        try side.die()
        let next = try AgentSide(scratch)
        try eventually(within: 20, "what was ready is used by the next agent") {
            workspaces.prepared.count == 2
        }
        try next.die()
    }
}
