import Foundation
import TestSupport
import Testing

/// Settings from the command line, the environment and a file, by the real program.
@Suite struct SettingsTests {
    private struct Outcome {
        var code: Int32
        var text: String
        var errors: String
    }

    private static func program(
        _ arguments: [String], _ environment: [String: String] = [:], in directory: String
    ) throws -> Outcome {
        let (output, errors) = ("\(directory)/out", "\(directory)/err")
        for path in [output, errors] { try? FileManager.default.removeItem(atPath: path) }
        let process = try ChildProcess(
            Binaries.controller, arguments, environment: environment, output: output, errors: errors)
        let code = try process.wait(within: 30, "the program ends")
        return Outcome(
            code: code, text: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }

    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = try Cluster.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    @Test func theCommandLineCountsMostThenTheEnvironmentThenTheFile() throws {
        try withDirectory { directory in
            let file = directory + "/c.conf"
            try """
            # comments and empty lines are fine

            data-dir = "\(directory)/data"
            listen = 127.0.0.1:1111
            agent-listen = 127.0.0.1:2222
            disk-floor-mib = 7
            agent-name = a.example.org
            agent-name = b.example.org
            no-access-log = true
            """.write(toFile: file, atomically: true, encoding: .utf8)
            let outcome = try Self.program(
                ["config", "check", "--json", "--config", file, "--listen", "127.0.0.1:3333"],
                [
                    "ANSFLOW_CONTROLLER_LISTEN": "127.0.0.1:4444", "ANSFLOW_CONTROLLER_DISK_FLOOR_MIB": "8",
                    "ANSFLOW_CONTROLLER_CORS_ORIGIN": "https://a.example.org,https://b.example.org",
                ], in: directory)
            #expect(outcome.code == 0, "\(outcome.errors)")
            let rows = try JSON(parsing: Array(outcome.text.utf8)).items
            func row(_ name: String) -> (values: [String], source: String) {
                let row = rows.first { $0["name"].text == name }
                return (row?["values"].items.compactMap(\.text) ?? [], row?["source"].text ?? "")
            }
            #expect(row("listen") == (["127.0.0.1:3333"], "--listen"))
            #expect(row("disk-floor-mib") == (["8"], "ANSFLOW_CONTROLLER_DISK_FLOOR_MIB"))
            #expect(row("agent-listen") == (["127.0.0.1:2222"], "\(file), line 5"))
            #expect(row("data-dir") == (["\(directory)/data"], "\(file), line 3"))
            #expect(row("agent-name").values == ["a.example.org", "b.example.org"])
            #expect(row("cors-origin").values == ["https://a.example.org", "https://b.example.org"])
            #expect(row("no-access-log").values == ["true"])
            #expect(row("log-level") == (["info"], "default"))
            #expect(!FileManager.default.fileExists(atPath: directory + "/data"))
        }
    }

    @Test(arguments: [
        ("data-dir = D\nlisen = 1", "line 2: there is no setting `lisen`. Is `listen` meant?"),
        ("data-dir = D\nlisten = here", "line 2: "), ("data-dir = D\ndata-dir = E", "was set already"),
        ("data-dir", "there is no `=`"), ("data-dir = D\nno-access-log = maybe", "it must be true or false"),
        ("data-dir = D\ntls-cert = x.pem", "--tls-cert and --tls-key belong together"),
        ("data-dir = D\ntrusted-proxy = 10.0.0.0/99", "--trusted-proxy is 10.0.0.0/99"),
    ])
    func aFaultIsNamedWithItsPlace(text: String, wanted: String) throws {
        try withDirectory { directory in
            let file = directory + "/c.conf"
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            for command in [["config", "check"], ["serve"]] {
                let outcome = try Self.program(command + ["--config", file], in: directory)
                #expect(outcome.code == 64 && outcome.errors.contains(wanted), "\(command): \(outcome.errors)")
            }
        }
    }

    @Test func anUnknownVariableIsNamed() throws {
        try withDirectory { directory in
            let outcome = try Self.program(
                ["serve", "--data-dir", directory + "/d"], ["ANSFLOW_CONTROLLER_PUBLIC_URI": "x"], in: directory)
            #expect(outcome.code == 64 && outcome.errors.contains("ANSFLOW_CONTROLLER_PUBLIC_URI: there is no setting"))
            #expect(outcome.errors.contains("`public-url`"))
        }
    }

    /// Every option is in the help's list; the file can set all but those that are about the command line itself.
    @Test func theHelpListsWhatTheFileCanSet() throws {
        try withDirectory { directory in
            let help = try Self.program(["serve", "--help"], in: directory).text
            let check = try Self.program(["config", "check", "--json", "--data-dir", "D"], in: directory).text
            let names = try JSON(parsing: Array(check.utf8)).items.compactMap { $0["name"].text }
            #expect(names.count > 15)
            for name in names { #expect(help.contains("--\(name)"), "\(name) is missing in --help") }
        }
    }
}
