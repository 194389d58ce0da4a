import AnsFlowProtocol
import ControllerCore
import Foundation
import Testing

@testable import ControllerHTTP

private struct FakeArtifacts: ArtifactReading {
    struct Content: ArtifactContent {
        var bytes: [UInt8]
        var size: UInt64 { UInt64(bytes.count) }
        func read(at offset: UInt64, count: Int) async throws -> [UInt8] { Array(bytes[Int(offset)...].prefix(count)) }
    }

    var files: [(job: String, path: String, text: String, executable: Bool)] = [
        ("build[arch=amd64]", "out/a;b \"c\".txt", "0123456789", false), ("build[arch=amd64]", "out/app", "app", true),
        ("docs", "out/app", "other", false), ("docs", "lost", "", false),
        ("docs", "long/" + String(repeating: "ä/", count: 60) + "x", "deep", false),
    ]

    func artifacts(of run: RunID, job: String?) async throws -> [ArtifactRow] {
        files.enumerated().compactMap { index, file in
            guard job == nil || file.job == job else { return nil }
            return ArtifactRow(
                run: run, jobAttempt: JobAttemptID(1), job: file.job, path: file.path,
                sha256: String(repeating: String(index), count: 64), size: UInt64(file.text.utf8.count),
                executable: file.executable, createdAt: 1_600_000_000_000, expiresAt: 2_600_000_000_000)
        }
    }
    func open(_ row: ArtifactRow) async throws -> (any ArtifactContent)? {
        guard row.path != "lost" else { return nil }
        return files.first { $0.path == row.path && $0.job == row.job }.map { Content(bytes: Array($0.text.utf8)) }
    }
}

@Suite struct ArtifactRouteTests {
    private func withArtifacts(_ body: (Client) async throws -> Void) async throws {
        try await withServer(services: { $0.artifacts = FakeArtifacts() }) { world, _, client in
            world.addRun(1, branch: "main")
            try await body(client)
        }
    }

    private let path = "/api/v1/pipeline-runs/1/artifacts"
    private let odd = "path=out/a%3Bb%20%22c%22.txt&job=build%5Barch=amd64%5D"

    @Test func filesAreListed() async throws {
        try await withArtifacts { client in
            let json = try await client.get(path + "?per_page=2").json()
            #expect(json["total"] as? Int == 5)
            let first = try #require((json["items"] as? [[String: Any]])?.first)
            #expect(first["path"] as? String == "out/a;b \"c\".txt" && first["size"] as? Int == 10)
            #expect(try await client.get(path + "?job=docs").json()["total"] as? Int == 3)
            #expect(try await client.get("/api/v1/pipeline-runs/9/artifacts").status == 404)
            #expect(try await client.send("GET", path, token: nil).status == 401)
        }
    }

    @Test func aFileIsGivenToBeSavedWholeOrInParts() async throws {
        try await withArtifacts { client in
            let whole = try await client.get(path + "/file?" + odd)
            #expect(whole.status == 200 && whole.body == "0123456789")
            #expect(whole.headers["content-type"] == "application/octet-stream")
            #expect(whole.headers["x-content-type-options"] == "nosniff")
            #expect(
                whole.headers["content-disposition"]
                    == "attachment; filename=\"a_b _c_.txt\"; filename*=UTF-8''a%3Bb%20%22c%22.txt")
            let tag = try #require(whole.headers["etag"])
            let part = try await client.get(path + "/file?" + odd, headers: [("Range", "bytes=4-")])
            #expect(part.status == 206 && part.body == "456789" && part.headers["content-range"] == "bytes 4-9/10")
            let same = try await client.get(
                path + "/file?" + odd, headers: [("Range", "bytes=4-"), ("If-Range", tag)])
            #expect(same.status == 206)
            let changed = try await client.get(
                path + "/file?" + odd, headers: [("Range", "bytes=4-"), ("If-Range", "\"old\"")])
            #expect(changed.status == 200 && changed.body == "0123456789")
            let beyond = try await client.get(path + "/file?" + odd, headers: [("Range", "bytes=10-")])
            #expect(beyond.status == 416 && beyond.headers["content-range"] == "bytes */10")
            #expect(try await client.get(path + "/file?" + odd, headers: [("If-None-Match", tag)]).status == 304)
        }
    }

    @Test func whatIsNotOneFileIsRefused() async throws {
        try await withArtifacts { client in
            #expect(try await client.get(path + "/file?path=none").status == 404)
            #expect(try await client.get(path + "/file").status == 400)
            let both = try await client.get(path + "/file?path=out/app")
            #expect(both.status == 409 && both.body.contains("build[arch=amd64], docs"))
            #expect(try await client.get(path + "/file?path=out/app&job=docs").body == "other")
            let lost = try await client.get(path + "/file?path=lost")
            #expect(lost.status == 500 && lost.body.contains("Run the job again"))
        }
    }

    /// Read back by the system's tar.
    @Test func theArchiveHoldsAllFilesOfTheJob() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/tar-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var archive = Data()
        let files = FakeArtifacts().files
        for file in files {
            let size = UInt64(file.text.utf8.count)
            archive += TarEntry.head(
                path: file.path, size: size, executable: file.executable, timeMs: 1_600_000_000_000)
            archive += Data(file.text.utf8) + Data(count: TarEntry.padding(size))
        }
        archive += TarEntry.end
        try archive.write(to: URL(fileURLWithPath: folder + "/a.tar"))
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "-x", "-f", folder + "/a.tar", "-C", folder]
        try tar.run()
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
        let last = ["out/app": "other"]
        for file in files {
            let text = try String(contentsOfFile: folder + "/" + file.path, encoding: .utf8)
            #expect(text == last[file.path] ?? file.text)
        }
    }

    @Test func theArchiveHasTheLengthThatItSays() async throws {
        try await withArtifacts { client in
            let answer = try await client.get(path + "/archive?job=build%5Barch=amd64%5D")
            #expect(answer.status == 200)
            #expect(answer.headers["content-length"] == String(2 * 1024 + 1024))
            #expect(answer.headers["content-disposition"]?.contains("artifacts-1-build[arch=amd64].tar") == true)
            #expect(try await client.get(path + "/archive?job=none").status == 404)
            #expect(try await client.get(path + "/archive").status == 400)
        }
    }
}
