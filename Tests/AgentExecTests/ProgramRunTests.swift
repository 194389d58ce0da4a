import Glibc
import TestSupport
import Testing

@testable import AgentExec

@Suite("Runs of small programs")
struct ProgramRunTests {
    private func sh(_ text: String, _ environment: [String: String] = [:]) throws -> ProgramRun {
        try ProgramRun.of("/bin/sh", ["-c", text], environment: environment)
    }

    @Test("their end and their words come back, and only given variables reach them")
    func ends() throws {
        #expect(try sh("exit 0").succeeded)
        let failed = try sh("echo no use >&2; exit 3")
        #expect(!failed.succeeded && failed.said == "no use\n" && failed.ending == "ended with 3")
        #expect(try sh("kill -9 $$").ending == "was ended by signal 9")
        #expect(try sh("env >&2", ["PATH": "/usr/bin:/bin", "A": "b"]).said.contains("A=b\n"))
        #expect(try !sh("env >&2", ["PATH": "/usr/bin:/bin"]).said.contains("HOME="))
    }

    @Test("one that says more than a pipe holds, or leaves a child with its output, holds nobody up")
    func loud() throws {
        let loud = try sh("i=0; while [ $i -lt 40000 ]; do echo much >&2 || exit 7; i=$((i + 1)); done")
        #expect(loud.said.hasPrefix("much\nmuch\n"))
        let before = Clock.seconds
        #expect(try sh("/bin/sleep 30 & exit 0").succeeded)
        #expect(Clock.seconds - before < 20)
    }

    @Test("one that is not there is an error that names it")
    func missing() {
        #expect { try ProgramRun.of("/nowhere/at-all", [], environment: [:]) } throws: {
            ($0 as? FileFailure)?.code == ENOENT && "\($0)".contains("/nowhere/at-all")
        }
    }
}
