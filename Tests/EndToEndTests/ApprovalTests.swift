import TestSupport
import Testing

/// Jobs and runs that wait for somebody's word.
@Suite struct ApprovalTests {
    private static func definition(_ cluster: Cluster, expires: String = "1h") -> String {
        """
        jobs:
          build: { steps: [{ id: make, run: "echo built >> \(cluster.work)/built" }] }
          deploy:
            needs: [build]
            environment: production
            approval:
              by: [maintainer]
              expires: \(expires)
              inputs: { region: { type: choice, options: [eu, us], required: true } }
            steps: [{ id: go, run: 'echo "$ANSFLOW_INPUT_REGION" >> \(cluster.work)/deployed' }]
        """
    }

    private static func started(_ cluster: Cluster, expires: String = "1h") throws -> Int64 {
        let run = try cluster.startRun(try cluster.createPipeline("release", definition(cluster, expires: expires)))
        try waitsForApproval(run, cluster)
        return run
    }

    private static func waitsForApproval(_ run: Int64, _ cluster: Cluster) throws {
        try eventually(within: 30, "the job waits for approval") {
            try cluster.show(run)["approvals"].items.contains { $0["state"].text == "waiting" }
        }
    }

    @Test func aYesLetsTheJobRunOnce() async throws {
        try await Cluster.with { cluster in
            let run = try Self.started(cluster)
            let ansflow = CommandLineClient(cluster)
            let shown = try ansflow("show", "\(run)")
            #expect(shown.output.contains("ansflow approve \(run) deploy"), "\(shown.output)")
            #expect(shown.output.contains("--input region=<eu|us>"), "\(shown.output)")
            #expect(try ansflow("approvals").output.contains("release #1"))
            #expect(try ansflow("runs").output.contains("approval"))
            let listed = try cluster.api.get("/api/v1/pipeline-runs")["items"][0]["progress"]
            #expect(listed["awaits_approval"].isTrue && listed["jobs"].int ?? 0 > 0, "\(listed)")
            let missing = try ansflow("approve", "\(run)")
            #expect(missing.code == 6 && missing.errors.contains("inputs.region"), "\(missing)")
            let wrong = try ansflow("approve", "\(run)", "deploy", "--input", "region=moon", "--input", "odd=1")
            #expect(wrong.code == 6 && wrong.errors.contains("region") && wrong.errors.contains("odd"), "\(wrong)")
            #expect(cluster.lines("deployed").isEmpty)
            let yes = try ansflow("approve", "\(run)", "--input", "region=eu", "--reason", "looks good")
            #expect(yes.code == 0, "\(yes)")
            let end = try cluster.finish(run)
            #expect(end["status"].text == "success", "\(end)")
            #expect(cluster.lines("deployed") == ["eu"])
            #expect(try cluster.api.get("/api/v1/pipeline-runs")["items"][0]["progress"] == .null)
            #expect(try !ansflow("runs").output.contains("approval"))
            let approval = end["approvals"][0]
            #expect(approval["state"].text == "approved" && approval["reason"].text == "looks good", "\(approval)")
            #expect(approval["answered_by"].text != nil && approval["answered_at"].text != nil)
            // The same answer again is no error, another one is.
            #expect(try ansflow("approve", "\(run)").code == 0)
            #expect(try ansflow("decline", "\(run)").code == 6)
            let history = try cluster.api.get("/api/v1/projects/1/environments/production/deployments")
            #expect(history["items"][0]["run_id"].int == run, "\(history)")
            #expect(history["items"][0]["approval"]["reason"].text == "looks good")
        }
    }

    @Test func aNoEndsTheJob() async throws {
        try await Cluster.with { cluster in
            let run = try Self.started(cluster)
            let no = try CommandLineClient(cluster)("decline", "\(run)", "deploy", "--reason", "not today")
            #expect(no.code == 0, "\(no)")
            let end = try cluster.finish(run)
            #expect(end["jobs"][1]["result"].text == "cancelled", "\(end)")
            #expect(end["jobs"][1]["cause"].text == "approval_declined")
            #expect(end["approvals"][0]["reason"].text == "not today")
            #expect(cluster.lines("deployed").isEmpty && cluster.lines("built") == ["built"])
        }
    }

    /// The shortest time that the language takes is a minute.
    @Test(.enabled(if: Binaries.isFull)) func silenceEndsTheJob() async throws {
        try await Cluster.with { cluster in
            let run = try Self.started(cluster, expires: "1m")
            let end = try cluster.finish(run, within: 120)
            #expect(end["jobs"][1]["cause"].text == "approval_expired", "\(end)")
            #expect(end["approvals"][0]["state"].text == "expired")
            #expect(cluster.lines("deployed").isEmpty)
        }
    }

    @Test(arguments: ["controller", "agent"]) func killedWhileItWaits(who: String) async throws {
        try await Cluster.with { cluster in
            let run = try Self.started(cluster)
            if who == "controller" {
                try cluster.controller.restart()
                cluster.api.disconnect()
            } else {
                cluster.agent.kill()
                try cluster.agent.start()
                try cluster.waitConnected("a1")
            }
            try Self.waitsForApproval(run, cluster)
            #expect(try cluster.api.get("/api/v1/approvals")["total"].int == 1)
            let yes = try CommandLineClient(cluster)("approve", "\(run)", "--input", "region=us")
            #expect(yes.code == 0, "\(yes)")
            // The answer is durable before it is given.
            cluster.controller.kill()
            cluster.api.disconnect()
            try cluster.controller.start()
            let end = try cluster.finish(run, within: 90)
            #expect(end["status"].text == "success", "\(end)")
            #expect(cluster.lines("built") == ["built"] && cluster.lines("deployed") == ["us"])
            #expect(end["approvals"].items.count == 1 && end["approvals"][0]["state"].text == "approved")
        }
    }

    @Test func anUntrustedRunWaitsAsAWhole() async throws {
        // What comes from outside runs on agents that are there for it.
        try await Cluster.with([.init(labels: ["untrusted": "true"])]) { cluster in
            let pipeline = try cluster.createPipeline("fork", Cluster.definition("echo x >> \(cluster.work)/ran"))
            let run = try cluster.startRun(pipeline, ["untrusted": true])
            try Self.waitsForApproval(run, cluster)
            #expect(try cluster.show(run)["trusted"] == false)
            #expect(cluster.lines("ran").isEmpty)
            #expect(try CommandLineClient(cluster)("approve", "\(run)").code == 0)
            #expect(try cluster.finish(run)["status"].text == "success")
            #expect(cluster.lines("ran") == ["x"])
        }
    }

    @Test func aViewerSeesTheQuestionAndTheAnswer() async throws {
        try await Cluster.with { cluster in
            let run = try Self.started(cluster)
            let viewer = try ChildProcess(
                Binaries.client, ["show", "\(run)", "--follow"], environment: CommandLineClient(cluster).environment,
                output: "\(cluster.work)/viewer")
            cluster.keep(viewer)
            try eventually(within: 20, "the viewer is told what is asked") {
                TextFile.read("\(cluster.work)/viewer").contains("ansflow approve \(run) deploy")
            }
            try cluster.api.call(
                "POST", "/api/v1/pipeline-runs/\(run)/approve", ["inputs": ["region": "eu"], "job": "deploy"])
            #expect(try viewer.wait(within: 30, "the viewer ends with the run") == 0)
            #expect(TextFile.read("\(cluster.work)/viewer").contains("deploy/go"))
        }
    }
}
