import TestSupport
import Testing

/// Forges, targets and rules, made and asked for with the command line.
@Suite struct NoticeCommandTests {
    @Test func madeListedTriedAndDeleted() async throws {
        try await Cluster.with([]) { cluster in
            let ansflow = CommandLineClient(cluster)
            _ = try cluster.createPipeline("build", Cluster.definition("true"))
            let added = try ansflow(
                "forge", "add", "gitea", "octo/widgets", "--secret", "FORGE_TOKEN", "--api",
                "https://git.example.org/api/v1", "--pipeline", "build")
            #expect(added.code == 0 && added.output == "forge 1 (gitea octo/widgets): added\n", "\(added)")
            let listed = try ansflow("forge", "list")
            #expect(listed.output.contains("https://git.example.org/api/v1"), "\(listed)")
            #expect(try ansflow("forge", "statuses", "1").code == 0)
            #expect(try ansflow("forge", "statuses", "2").code != 0)
            let wrong = try ansflow("forge", "add", "gitea", "octo/widgets", "--secret", "FORGE_TOKEN")
            #expect(wrong.code != 0 && wrong.errors.contains("api_url"), "\(wrong)")
            #expect(try ansflow("forge", "delete", "1").code == 0)
            #expect(try ansflow("forge", "delete", "1").code != 0)

            let target = try ansflow("notice", "add-target", "hook", "--address", "https://127.0.0.1:9/in")
            #expect(target.code == 0 && target.output == "target 1 (hook): added\n", "\(target)")
            #expect(try ansflow("notice", "add-target", "none").code != 0)
            let rule = try ansflow(
                "notice", "add-rule", "tell the team", "--on", "failed", "--on", "fixed", "--to", "hook", "--pipeline",
                "build")
            #expect(rule.code == 0 && rule.output == "rule 1 (tell the team): added\n", "\(rule)")
            #expect(try ansflow("notice", "rules").output.contains("failed, fixed"))
            let tried = try ansflow("notice", "test", "1")
            #expect(tried.code == 1 && tried.output.contains("--outgoing-allow"), "\(tried)")
            #expect(try ansflow("notice", "list").code == 0)
            #expect(try ansflow("notice", "delete-rule", "1").code == 0)
            #expect(try ansflow("notice", "test", "1").code != 0)
        }
    }
}
