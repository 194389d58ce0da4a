import Foundation
import TestSupport
import Testing

/// The examples of `docs/api.md` do what they say.
@Suite struct APIExampleTests {
    static let repository = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    @Test func everyExampleRuns() async throws {
        try await Cluster.with([]) { cluster in
            let page = TextFile.read(Self.repository + "/docs/api.md")
            let blocks = page.split(separator: "```sh\n").dropFirst().map { $0.split(separator: "\n```")[0] }
            #expect(blocks.count >= 7)
            let script = "set -euo pipefail\ncd \(cluster.work)\n" + blocks.joined(separator: "\n") + "\n"
            try TextFile.write(cluster.work + "/examples.sh", script)
            let result = try ChildProcess.run(
                "/bin/bash", [cluster.work + "/examples.sh"],
                environment: [
                    "URL": "http://127.0.0.1:\(cluster.controller.port)", "TOKEN": cluster.api.token ?? "",
                    "PATH": "/usr/local/bin:/usr/bin:/bin",
                ])
            #expect(result.code == 0, "\(result.output) \(result.errors)")
            #expect(result.output.contains("+      - run: make all"), "the difference: \(result.output)")
        }
    }
}
