import Foundation
import Testing

/// The rules of the tree, held by `packaging/checks/soundness`, and the proof that each of its checks can fail.
@Suite struct SoundnessTests {
    /// The repository: the nearest folder above this file with the check in it.
    static let repository: String = {
        var path = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        while path.path != "/" {
            if FileManager.default.isExecutableFile(
                atPath: path.appendingPathComponent("packaging/checks/soundness").path)
            {
                return path.path
            }
            path = path.deletingLastPathComponent()
        }
        return FileManager.default.currentDirectoryPath
    }()

    /// Runs the check. Returns its exit code and what it printed.
    static func check(_ root: String?, only: [String] = []) throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        var arguments = ["python3", repository + "/packaging/checks/soundness"]
        if let root { arguments += ["--root", root] }
        for name in only { arguments += ["--only", name] }
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test func everyCheckIsListed() throws {
        let process = try Self.check(nil, only: ["nonsense"])
        #expect(process.code == 2, "an unknown check is wrong use")
    }

    @Test(arguments: ["imports", "cores", "foundation", "purity", "size", "tracked", "format"])
    func treeIsSound(check: String) throws {
        let result = try Self.check(nil, only: [check])
        #expect(result.code == 0, "\(result.output)")
    }

    struct Planted: Sendable, CustomTestStringConvertible {
        var check: String
        var path: String
        var text: String
        var testDescription: String { "\(check) in \(path): \(text.prefix(50))" }
    }

    static let planted: [Planted] = [
        Planted(check: "imports", path: "Controller/Store/A.swift", text: "import ControllerLogs\n"),
        Planted(check: "imports", path: "Controller/HTTP/A.swift", text: "package import ControllerStore\n"),
        Planted(check: "imports", path: "Agent/Link/A.swift", text: "import AgentExec\n"),
        Planted(check: "imports", path: "Agent/Core/A.swift", text: "import ControllerCore\n"),
        Planted(check: "imports", path: "Protocol/Wire/A.swift", text: "import AnsFlowTransport\n"),
        Planted(
            check: "imports", path: "Controller/Core/A.swift", text: "internal import struct ControllerStore.Database\n"
        ),
        Planted(check: "cores", path: "Controller/Core/A.swift", text: "import NIOCore\n"),
        Planted(check: "cores", path: "Controller/Core/B.swift", text: "@preconcurrency import GRDB\n"),
        Planted(check: "cores", path: "Agent/Core/A.swift", text: "import FoundationEssentials\n"),
        Planted(check: "cores", path: "Agent/ShimCore/A.swift", text: "import Glibc\n"),
        Planted(check: "foundation", path: "Agent/Exec/A.swift", text: "import Foundation\n"),
        Planted(check: "foundation", path: "Protocol/Transport/A.swift", text: "package import FoundationEssentials\n"),
        Planted(check: "purity", path: "Controller/Core/A.swift", text: "let a = ContinuousClock.now\n"),
        Planted(check: "purity", path: "Agent/Core/A.swift", text: "let a: Duration = .now\n"),
        Planted(check: "purity", path: "Agent/Core/B.swift", text: "let a = Int.random(in: 0..<3)\n"),
        Planted(check: "purity", path: "Protocol/Wire/A.swift", text: "let a = UUID()\n"),
        Planted(check: "purity", path: "Protocol/Records/A.swift", text: "let a = Date()\n"),
        Planted(check: "size", path: "Agent/Exec/A.swift", text: String(repeating: "\n", count: 401)),
        Planted(check: "format", path: "Agent/Exec/A.swift", text: "let  a=1;let b = 2\n"),
        Planted(check: "tracked", path: "Package.resolved", text: "{}\n"),
        Planted(check: "tracked", path: ".build/debug/A.swiftmodule", text: "x\n"),
        Planted(check: "tracked", path: "Tests/__pycache__/a.pyc", text: "x\n"),
    ]

    @Test(arguments: planted) func aViolationIsFound(_ planted: Planted) throws {
        let root = try Self.temporaryTree([planted.path: planted.text])
        defer { try? FileManager.default.removeItem(atPath: root) }
        let result = try Self.check(root, only: [planted.check])
        #expect(result.code == 1, "\(result.output)")
        #expect(result.output.contains("[\(planted.check)]"))
        #expect(result.output.contains(planted.path))
    }

    @Test func whatIsAllowedPasses() throws {
        let root = try Self.temporaryTree([
            "Controller/Store/A.swift": "package import ControllerCore\n",
            "Controller/Core/A.swift": "// not a clock: Date() and UUID()\nlet text = \"import NIOCore .now\"\n",
            "Protocol/Wire/WireCodec.swift": "import FoundationEssentials\n",
            "Agent/Exec/A.swift": String(repeating: "\n", count: 400),
        ])
        defer { try? FileManager.default.removeItem(atPath: root) }
        let result = try Self.check(root, only: ["imports", "cores", "foundation", "purity", "size", "tracked"])
        #expect(result.code == 0, "\(result.output)")
    }

    /// A git repository with these files in it.
    static func temporaryTree(_ files: [String: String]) throws -> String {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("ansflow-sound-\(UUID().uuidString)")
        for (path, text) in files {
            let file = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        for arguments in [["init", "-q"], ["add", "-f", "-A"]] {
            let git = Process()
            git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            git.arguments = ["git", "-C", root.path] + arguments
            try git.run()
            git.waitUntilExit()
            try #require(git.terminationStatus == 0)
        }
        return root.path
    }
}
