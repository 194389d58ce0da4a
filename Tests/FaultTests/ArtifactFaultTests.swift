import Foundation
import TestSupport
import Testing

/// Rows 39 and 40 of the fault matrix for artifacts: uploads that are cut off at any byte, and deletion while somebody reads.
@Suite struct ArtifactFaultTests {
    private static func keeping(_ cluster: Cluster, _ script: String, name: String) throws -> Int64 {
        let lines = script.split(separator: "\n").map { "          \($0)" }.joined(separator: "\n")
        return try cluster.createPipeline(
            name,
            "jobs:\n  main:\n    artifacts: [{ paths: [big] }]\n    steps:\n      - id: s\n        run: |\n\(lines)\n")
    }

    @Test func anUploadIsCutAtRandom() async throws {
        let wanted = Binaries.isFull ? 100 : 10
        try await Cluster.with([.init(isProxied: true)]) { cluster in
            let pipeline = try Self.keeping(
                cluster, "head -c 9000000 /dev/urandom > big\ncp big \(cluster.work)/$ANSFLOW_RUN_ID", name: "keep")
            var cuts = 0
            while cuts < wanted {
                // Waits between tries double, so that each file is cut a few times and then let through.
                let most = cuts + 2
                cluster.proxy.faults = Self.cutting()
                let run = try cluster.startRun(pipeline)
                let copy = "\(cluster.work)/\(run)"
                let before = cluster.proxy.resetCount
                var seen = before
                var end = JSON.null
                try eventually(within: 90, "run \(run) ends; it is \(end)", pause: 15) {
                    if cluster.proxy.resetCount != seen {
                        seen = cluster.proxy.resetCount
                        cluster.proxy.faults = cuts + seen - before < most ? Self.cutting() : FaultProxy.Faults()
                    }
                    let listed = try cluster.api.get("/api/v1/pipeline-runs/\(run)/artifacts")["items"].items
                    for item in listed {
                        #expect(item["size"].int == Int64(TextFile.size(copy)), "what is listed is whole: \(item)")
                    }
                    end = try cluster.show(run)
                    return end["phase"].text == "finished"
                }
                cuts += cluster.proxy.resetCount - before
                try #require(end["status"].text == "success", "\(end)")
                try #require(cluster.proxy.resetCount > before, "it was cut")
                let listed = try cluster.api.get("/api/v1/pipeline-runs/\(run)/artifacts")["items"].items
                try #require(listed.count == 1)
                try #require(listed.first?["sha256"].text == (try TextFile.sha256(copy)))
            }
        }
    }

    private static func cutting() -> FaultProxy.Faults {
        var faults = FaultProxy.Faults()
        faults.resetAfter = Int.random(in: 6_000...2_500_000)
        return faults
    }

    /// Whoever downloads a file while its run is deleted gets its bytes to the end, or the beginning of them; never others.
    @Test func aRunIsDeletedDuringASlowDownload() async throws {
        try await Cluster.with { cluster in
            let size = 24_000_000
            let pipeline = try Self.keeping(
                cluster, "head -c \(size) /dev/urandom > big\ncp big \(cluster.work)/$ANSFLOW_RUN_ID", name: "keep")
            let run = try cluster.startRun(pipeline)
            try #require(try cluster.finish(run, within: 90)["status"].text == "success")
            let listed = try cluster.api.get("/api/v1/pipeline-runs/\(run)/artifacts")["items"].items
            try #require(listed.count == 1)
            let path = "/api/v1/pipeline-runs/\(run)/artifacts/file?job=main&path=big"
            let readers = try (0..<3).map { _ in try Self.begin(cluster, path) }
            defer { for reader in readers { close(reader.socket) } }
            try cluster.api.call("DELETE", "/api/v1/pipeline-runs/\(run)")
            #expect([404, 410].contains(try cluster.api.request("GET", path).status))
            // Another file comes, perhaps where the first one was.
            let next = try cluster.startRun(pipeline)
            try #require(try cluster.finish(next, within: 90)["status"].text == "success")
            try eventually(within: 30, "its file is gone") {
                try ChildProcess.run(
                    "/usr/bin/find", ["\(cluster.controller.dataDirectory)/artifacts", "-type", "f", "-size", "+10M"]
                ).output.split(separator: "\n").count == 1
            }
            let whole = TextFile.bytes("\(cluster.work)/\(run)")
            for reader in readers {
                var answer = reader.answer
                while let more = try? Sockets.read(reader.socket), !more.isEmpty { answer += more }
                let head = try #require(answer.firstRange(of: Array("\r\n\r\n".utf8)))
                let body = Array(answer[head.upperBound...])
                #expect(whole.starts(with: body), "no foreign byte among \(body.count)")
                #expect(!body.isEmpty)
            }
        }
    }

    /// Asks for the file on a connection that holds little, and reads the first bytes.
    private static func begin(_ cluster: Cluster, _ path: String) throws -> (socket: Int32, answer: [UInt8]) {
        let socket = try Sockets.connect(port: cluster.controller.port, receiveBuffer: 16 * 1024)
        try Sockets.write(
            socket,
            Array(
                ("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(cluster.api.token ?? "")\r\n"
                    + "Connection: close\r\n\r\n").utf8))
        return (socket, try Sockets.read(socket))
    }
}
