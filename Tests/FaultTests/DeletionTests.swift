import Foundation
import TestSupport
import Testing

/// Rows 38, 39 and 40 of the fault matrix: newer files, uploads that are cut off, deletion while somebody reads.
@Suite struct DeletionTests {
    @Test func aRunIsDeletedDuringASlowDownload() async throws {
        let log = NumberedLog(megabytes: 12, chunks: 1)
        try await Cluster.with { cluster in
            try log.releaseAll(cluster)
            let run = try cluster.start(log.script(cluster.work))
            let other = try cluster.start("echo another log, which is never to be seen there", name: "other")
            try cluster.finish(run, within: 90)
            try cluster.finish(other)
            let whole = try cluster.rawLog(run)
            let socket = try Sockets.connect(port: cluster.controller.port)
            defer { close(socket) }
            let request =
                "GET \(cluster.logPath(run, "main/s", "format=raw")) HTTP/1.1\r\nHost: 127.0.0.1:\(cluster.controller.port)\r\n"
                + "Authorization: Bearer \(cluster.api.token ?? "")\r\nConnection: close\r\n\r\n"
            try Sockets.write(socket, Array(request.utf8))
            var answer = try Sockets.read(socket)
            try cluster.api.call("DELETE", "/api/v1/pipeline-runs/\(run)")
            #expect(try cluster.api.request("GET", "/api/v1/pipeline-runs/\(run)").status == 404)
            try eventually(within: 30, "its files are gone") {
                try ChildProcess.run(
                    "/usr/bin/find", ["\(cluster.controller.dataDirectory)/logs", "-type", "f", "-size", "+100k"]
                ).output.isEmpty
            }
            // Slowly: the controller has more to send than the connection holds.
            while let more = try? Sockets.read(socket), !more.isEmpty { answer += more }
            let head = try #require(answer.firstRange(of: Array("\r\n\r\n".utf8)))
            let body = Array(answer[head.upperBound...])
            #expect(whole.starts(with: body), "no foreign byte")
            let isWhole = body.count == whole.count
            #expect(isWhole || body.count < whole.count)
            #expect(try cluster.show(other)["status"].text == "success")
            #expect(try String(decoding: cluster.rawLog(other), as: UTF8.self).contains("another log"))
        }
    }

    @Test func anOldProgramRefusesANewerDatabase() async throws {
        try await Cluster.with([]) { cluster in
            try cluster.controller.terminate()
            // The schema's number, in the file's header: big-endian at byte 60.
            let path = cluster.controller.dataDirectory + "/ansflow.db"
            let file = open(path, O_RDWR | O_CLOEXEC)
            try #require(file >= 0)
            let newer: [UInt8] = [0, 0, 3, 231]
            try #require(pwrite(file, newer, 4, 60) == 4)
            close(file)
            let result = try ChildProcess.run(
                Binaries.controller,
                [
                    "serve", "--data-dir", cluster.controller.dataDirectory, "--listen", "127.0.0.1:0",
                    "--agent-listen", "127.0.0.1:0",
                ])
            #expect(result.code != 0 && result.errors.contains("has schema 999"), "\(result)")
            var after = [UInt8](repeating: 0, count: 4)
            let again = open(path, O_RDONLY | O_CLOEXEC)
            defer { close(again) }
            #expect(pread(again, &after, 4, 60) == 4 && after == newer, "it was left as it is")
        }
    }

    /// A project goes with all that belongs to it, also where the controller is killed at once behind the answer.
    @Test func aDeletedProjectIsGoneBehindAKill() async throws {
        try await Cluster.with { cluster in
            let made = try cluster.api.call("POST", "/api/v1/projects", ["name": "widgets"])
            let project = try #require(made["id"].int, "\(made)")
            let path = "/api/v1/projects/\(project)"
            let pipeline = try #require(
                try cluster.api.call(
                    "POST", "/api/v1/pipelines",
                    [
                        "name": "p", "project_id": .integer(project),
                        "definition": .string(
                            """
                            jobs:
                              main:
                                artifacts: [{ paths: [out] }]
                                steps:
                                  - id: s
                                    run: |
                                      echo hello > out
                                      until [ -e \(cluster.work)/go ]; do sleep 0.05; done
                            """),
                    ]
                )["id"].int)
            _ = try cluster.api.call("PUT", path + "/secrets/TOKEN", ["value": "a secret value"])
            var runs = [try cluster.startRun(pipeline)]
            try cluster.waitPhase(runs[0], "running")
            #expect(try cluster.api.request("DELETE", path + "?confirm=widgets").status == 409, "a run goes on")
            try cluster.touch("go")
            for _ in 0..<3 { runs.append(try cluster.startRun(pipeline)) }
            for run in runs { try #require(try cluster.finish(run)["status"].text == "success") }
            let files = [cluster.controller.dataDirectory + "/artifacts/objects"]
            #expect(files.flatMap { Self.files($0) }.count == 1)
            #expect(try cluster.api.request("DELETE", path + "?confirm=gadgets").status == 400)
            #expect(try cluster.api.request("DELETE", path + "?confirm=widgets").status == 204)
            cluster.controller.kill()
            cluster.api.disconnect()
            try cluster.controller.start()
            for gone in [path, "/api/v1/pipelines/\(pipeline)"] + runs.map({ "/api/v1/pipeline-runs/\($0)" }) {
                #expect(try cluster.api.request("GET", gone).status == 404, "\(gone)")
            }
            try eventually(within: 30, "its runs and files are gone") {
                try cluster.api.get("/api/v1/pipeline-runs")["total"].int == 0
                    && files.flatMap { Self.files($0) }.isEmpty
            }
            let again = try cluster.api.call("POST", "/api/v1/projects", ["name": "widgets"])
            #expect(again["id"].int != project, "\(again)")
        }
    }

    private static func files(_ directory: String) -> [String] {
        (FileManager.default.subpaths(atPath: directory) ?? []).filter { path in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(directory)/\(path)", isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }
    }

    @Test func anUploadIsWholeOrNotThere() async throws {
        try await Cluster.with { cluster in
            let pipeline = try cluster.createPipeline(
                "keep",
                """
                jobs:
                  main:
                    artifacts: [{ paths: [big] }]
                    steps:
                      - id: s
                        run: |
                          seq 1 3000000 > big
                          cp big \(cluster.work)/big
                """)
            let run = try cluster.startRun(pipeline)
            try eventually(within: 60, "the file is there") { TextFile.size(cluster.work + "/big") > 22_000_000 }
            for turn in 0..<(Binaries.isFull ? 12 : 3) {
                Clock.pause(Double.random(in: 0...0.4))
                if turn.isMultiple(of: 2) {
                    cluster.controller.kill()
                    cluster.api.disconnect()
                    try cluster.controller.start()
                } else {
                    cluster.agent.kill()
                    try cluster.agent.start()
                }
                let listed = try cluster.api.get("/api/v1/pipeline-runs/\(run)/artifacts")["items"].items
                #expect(listed.allSatisfy { $0["size"].int == Int64(TextFile.size(cluster.work + "/big")) })
            }
            let end = try cluster.finish(run, within: 120)
            try #require(end["status"].text == "success", "\(end)")
            let listed = try cluster.api.get("/api/v1/pipeline-runs/\(run)/artifacts")["items"].items
            #expect(listed.count == 1)
            #expect(listed.first?["sha256"].text == (try TextFile.sha256(cluster.work + "/big")))
        }
    }
}
