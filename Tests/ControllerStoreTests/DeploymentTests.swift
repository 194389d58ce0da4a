import AnsFlowProtocol
import ControllerCore
import GRDB
import Testing

@testable import ControllerStore

@Suite struct DeploymentTests {
    private func job(_ id: Int64, run: Int64, _ environment: String?, _ outcome: Outcome?) -> JobRow {
        JobRow(
            id: JobID(id), run: RunID(run), index: Int(id % 10), name: "deploy",
            phase: outcome == nil ? .blocked : .finished, outcome: outcome, environment: environment)
    }

    private func opened() async throws -> (Scratch, ControllerStore.Database) {
        let scratch = Scratch()
        let database = try scratch.open()
        try await database.seed()
        var all = batch(clock: 40)
        for run in 1...4 as ClosedRange<Int64> {
            all.runs.append(bareRun(run))
            all.plans[RunID(run)] = RunPlan(
                name: "p",
                jobs: (0..<4).map { index in
                    JobPlan(
                        id: "j\(index)", approval: index == 1 ? ApprovalPlan(by: [.maintainer], message: "Go?") : nil,
                        steps: [])
                })
        }
        all.jobs = [
            job(10, run: 1, "staging", .success), job(11, run: 1, "production", .success),
            job(20, run: 2, "staging", .failed), job(21, run: 2, "production", .skipped),
            job(30, run: 3, "staging", .warning), job(31, run: 3, "production", .cancelled),
            job(40, run: 4, nil, .success), job(41, run: 4, "production", nil),
        ]
        // Taken over from run 3, so nothing was deployed again.
        var carried = job(42, run: 4, "staging", .success)
        carried.carriedFrom = JobAttemptID(7)
        all.jobs.append(carried)
        all.approvals = [
            ApprovalRow(
                run: RunID(3), job: JobID(31), state: .declined, by: "admin", reason: "no", askedAt: 1, answeredAt: 2,
                deadline: 3),
            ApprovalRow(run: RunID(4), job: JobID(41), askedAt: 5, deadline: 100),
            ApprovalRow(run: RunID(2), askedAt: 6, deadline: 100),
        ]
        try await database.commit(all)
        return (scratch, database)
    }

    @Test func historyIsNewestFirst() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        let production = try await database.deployments(to: "production", of: .main, page: 1, perPage: 2)
        #expect(production.total == 3)
        #expect(production.items.map(\.job.id.rawValue) == [41, 31])
        #expect(production.items[1].approval?.reason == "no")
        #expect(production.items[0].run.id == RunID(4))
        let rest = try await database.deployments(to: "production", of: .main, page: 2, perPage: 2)
        #expect(rest.items.map(\.job.id.rawValue) == [11])
        #expect(try await database.deployments(to: "none", of: .main, page: 1, perPage: 2).total == 0)
        #expect(try await database.deployments(to: "staging", of: ProjectID(9), page: 1, perPage: 2).total == 0)
    }

    @Test func environmentsSayWhatIsThere() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        let all = try await database.environments(of: .main)
        #expect(all.map(\.name) == ["production", "staging"])
        #expect(all.map(\.newest.job.id.rawValue) == [41, 30])
        #expect(all.map { $0.current?.job.id.rawValue } == [11, 30])
        #expect(try await database.environments(of: ProjectID(9)) == [])
    }

    @Test func theNamesComeFromTheIndex() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        let plan = try await database.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN SELECT min(environment) FROM jobs WHERE environment > 'a'")
                .map { $0["detail"] as String }
        }
        #expect(plan.contains { $0.contains("jobs_environment") }, "\(plan)")
    }

    @Test func waitingApprovalsCarryWhatTheyAsk() async throws {
        let (scratch, database) = try await opened()
        defer { scratch.remove() }
        let page = try await database.waitingApprovals(project: .main, visible: .all, page: 1, perPage: 10)
        #expect(page.total == 2)
        #expect(page.items.map(\.run.id.rawValue) == [2, 4])
        #expect(page.items[0].job == nil && page.items[0].plan == nil)
        #expect(page.items[1].job?.id == JobID(41))
        #expect(page.items[1].plan?.message == "Go?")
        #expect(try await database.waitingApprovals(project: nil, visible: .all, page: 2, perPage: 1).items.count == 1)
        #expect(
            try await database.waitingApprovals(project: ProjectID(9), visible: .all, page: 1, perPage: 10).total == 0)
        #expect(try await database.engineClock() == 40)
    }
}
