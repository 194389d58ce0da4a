import Foundation
import TestSupport
import Testing

/// A real Swift package with a C part, built by three jobs on two agents. Minutes long, so only in the long form.
@Suite struct RealPackageTests {
    private static let repository = "/opt/swift-packages/jpsim/Yams.git"
    private static let isPossible = Binaries.isFull && TextFile.exists(repository)

    @Test(.enabled(if: isPossible, "it takes minutes (ANSFLOW_TEST_FULL=1) and a local clone of Yams"))
    func buildsAndTests() async throws {
        let agents = ["a1", "a2"].map { Cluster.AgentOptions($0, labels: ["host": $0], slots: 1) }
        try await Cluster.with(agents) { cluster in
            let definition = """
                jobs:
                  describe:
                    agents: { host: a1 }
                    steps: [{ id: package, run: swift package describe }, { id: sources, run: find Sources -name '*.c' }]
                  build:
                    agents: { host: a1 }
                    needs: [describe]
                    steps: [{ id: build, run: swift build -j 2, timeout: 20m }]
                  test:
                    agents: { host: a2 }
                    needs: [describe]
                    timeout: 40m
                    steps: [{ id: test, run: swift test -j 2 2>&1, timeout: 30m }]
                """
            let answer = try cluster.api.call(
                "POST", "/api/v1/pipelines",
                [
                    "name": "yams", "definition": .string(definition),
                    "repository": ["url": .string(Self.repository), "ref": "refs/tags/6.2.2"],
                ])
            let run = try cluster.startRun(answer["id"].int ?? 0)
            let end = try cluster.finish(run, within: 2400)
            var report = ""
            for job in end["jobs"].items {
                for step in job["steps"].items {
                    let attempt = step["attempts"].items.last ?? .null
                    report += "\(step["key"].text ?? "") \(step["status"].text ?? "") on \(step["agent"].text ?? "-"): "
                    report +=
                        "\(attempt["usage"]["wall_ms"].int ?? -1) ms, log \(attempt["log"]["bytes"].int ?? -1) bytes, "
                    report += "\(attempt["log"]["state"].text ?? "")\n"
                    #expect(attempt["log"]["state"].text == "complete", "\(attempt)")
                }
            }
            FileHandle.standardError.write(Data(report.utf8))
            try #require(end["status"].text == "success", "\(report)\(end)")
            let log = String(decoding: try cluster.rawLog(run, "test/test"), as: UTF8.self)
            #expect(log.contains("passed") && log.contains("Executed"), "\(log.suffix(2000))")
        }
    }
}
