import TestSupport
import Testing

/// `rerun --latest` is for what the branch is now, with what came with the event then.
@Suite struct RerunLatestTests {
    @Test func itTakesTheBranchesNewestCommit() async throws {
        try await Cluster.with([.init(slots: 2), .init("u1", labels: ["untrusted": "true"])]) { cluster in
            let site = try FixtureCluster("static-site", cluster)
            let old = try cluster.finish(try site.start())
            #expect(old["status"].text == "success", "\(old)")
            try TextFile.write(
                "\(cluster.work)/static-site/.ansflow.yml", "steps: [{ id: s, run: \"echo newest $ANSFLOW_COMMIT\" }]\n"
            )
            try site.commit("two")
            let answer = try site.ansflow("rerun", "\(try #require(old["id"].int))", "--latest", "--json")
            try #require(answer.code == 0, "\(answer)")
            let id = try #require(try JSON(parsing: Array(answer.output.utf8))["id"].int)
            let new = try cluster.finish(id)
            #expect(new["status"].text == "success" && new["jobs"].items.count == 1, "\(new)")
            let commit = try #require(new["commit"].text)
            #expect(commit != old["commit"].text && commit.utf8.count == 40)
            #expect(new["branch"].text == "main" && new["origin_id"].int == old["id"].int, "\(new)")
            #expect(try site.log(id, "main/s").contains("newest \(commit)"))
            // What came from outside stays from outside.
            let fork = try cluster.startRun(1, ["untrusted": true])
            #expect(try site.ansflow("approve", "\(fork)").code == 0)
            #expect(try cluster.finish(fork)["status"].text == "success")
            let again = try site.ansflow("rerun", "\(fork)", "--latest", "--json")
            try #require(again.code == 0, "\(again)")
            let same = try #require(try JSON(parsing: Array(again.output.utf8))["id"].int)
            let held = try cluster.show(same)
            #expect(held["trusted"] == false && held["phase"].text == "blocked", "\(held)")
        }
    }
}
