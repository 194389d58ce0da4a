import Testing

/// Help, wrong use and exit codes of the built program.
@Suite struct ArgumentTests {
    static let commands: [[String]] = [
        [], ["login"], ["logout"], ["pipeline"], ["pipeline", "create"], ["pipeline", "validate"],
        ["pipeline", "list"],
        ["pipeline", "show"], ["pipeline", "delete"], ["pipeline", "schema"], ["validate"], ["rerun"], ["approve"],
        ["decline"], ["approvals"], ["run"], ["runs"], ["show"], ["logs"], ["cancel"], ["agents"],
        ["agent"], ["agent", "list"], ["agent", "show"], ["agent", "pause"], ["agent", "resume"], ["agent", "drain"],
        ["agent", "revoke"], ["agent", "gone"], ["agent-token"], ["agent-token", "create"], ["api-key"],
        ["api-key", "create"], ["api-key", "list"], ["api-key", "delete"], ["status"], ["up"], ["down"],
    ]

    @Test(arguments: commands) func helpHasExamples(command: [String]) async throws {
        let client = try Client()
        defer { client.removeHome() }
        let result = try await client.run(command + ["--help"])
        #expect(result.code == 0)
        let example = "  ansflow " + command.joined(separator: " ")
        #expect(result.output.contains("Examples:"), "\(command)")
        #expect(result.output.contains(example), "\(command)")
    }

    @Test(arguments: [
        ["nonsense"], ["run"], ["show", "seven"], ["logs", "7", "--tail", "5"], ["logs", "7", "a", "--tail", "0"],
        ["logs", "7", "--raw"], ["logs", "7", "a/b", "--raw", "--follow"], ["run", "p", "--input", "novalue"],
        ["runs", "--per-page", "101"], ["runs", "--page", "0"], ["up", "--listen", "8080"], ["up", "--slots", "0"],
        ["runs", "--url", "ftp://host"], ["runs", "--url", "http://user@host"],
    ])
    func wrongUseExitsWithTwo(arguments: [String]) async throws {
        let client = try Client()
        defer { client.removeHome() }
        let result = try await client.run(arguments)
        #expect(result.code == 2, "\(arguments): \(result.errors)")
        #expect(!result.errors.isEmpty)
        #expect(result.output.isEmpty)
    }

    @Test func anUnreachableControllerNamesTheCure() async throws {
        let client = try Client()
        defer { client.removeHome() }
        let result = try await client.run(["runs", "--url", "http://127.0.0.1:1"])
        #expect(result.code == 5)
        #expect(result.errors.contains("http://127.0.0.1:1"))
        #expect(result.errors.contains("ansflow up"))
    }

    @Test func completionScriptsAreMade() async throws {
        let client = try Client()
        defer { client.removeHome() }
        for shell in ["bash", "zsh", "fish"] {
            let result = try await client.run(["--generate-completion-script", shell])
            #expect(result.code == 0)
            #expect(result.output.contains("agent-token"))
        }
    }
}
