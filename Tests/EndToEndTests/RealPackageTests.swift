import Foundation
import TestSupport
import Testing

/// Real Swift packages, one with a C part, each built by three jobs on two agents. Minutes long, so only in the long form.
@Suite struct RealPackageTests {
    struct Package: Sendable, CustomTestStringConvertible {
        var repository: String
        var tag: String
        var testDescription: String { "\(repository) \(tag)" }
    }

    /// The clones are the machine's own: nothing is guessed, and nothing is fetched.
    private static let folder = ProcessInfo.processInfo.environment["ANSFLOW_TEST_PACKAGES"] ?? ""
    static let packages = [
        Package(repository: "\(folder)/jpsim/Yams.git", tag: "6.2.2"),
        Package(repository: "\(folder)/apple/swift-http-types.git", tag: "1.8.0"),
    ].filter { !folder.isEmpty && TextFile.exists($0.repository) }

    @Test(
        .enabled(if: Binaries.isFull, "it takes minutes: ANSFLOW_TEST_FULL=1"),
        .enabled(
            if: !packages.isEmpty,
            "ANSFLOW_TEST_PACKAGES names no folder with jpsim/Yams.git or apple/swift-http-types.git in it"),
        .serialized, arguments: packages)
    func buildsAndTests(_ package: Package) async throws {
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
                    "name": "package", "definition": .string(definition),
                    "repository": ["url": .string(package.repository), "ref": .string("refs/tags/\(package.tag)")],
                ])
            let run = try cluster.startRun(answer["id"].int ?? 0)
            let end = try cluster.finish(run, within: 2400)
            var report = "\(package.testDescription)\n"
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
            #expect(log.contains("passed"), "\(log.suffix(2000))")
        }
    }
}
