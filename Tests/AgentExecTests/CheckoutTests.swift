import AgentExec
import AnsFlowProtocol
import Glibc
import TestSupport
import Testing

@Suite("Checkout", .serialized)
struct CheckoutTests {
    private let host = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp"]

    /// A repository with two commits on `main` and a branch `other`.
    private func repository(_ scratch: Scratch) throws -> (url: String, commits: [String]) {
        let path = "\(scratch.path)/repository"
        let commits = try shell(
            """
            export GIT_CONFIG_NOSYSTEM=1 HOME=/tmp
            git init --quiet -b main '\(path)'; cd '\(path)'; git config user.name tester; git config user.email t@example.org
            echo one > file; git add file; git commit --quiet -m one; git rev-parse HEAD
            echo two > file; git commit --quiet -am two; git rev-parse HEAD
            git branch other HEAD~1
            """)
        return (path, commits.split(separator: "\n").map(String.init))
    }

    private func checkOut(_ scratch: Scratch, _ url: String, ref: String = "", commit: String = "", depth: Int = 1)
        async throws
    {
        let wanted = StepSpec.Checkout(url: url, ref: ref, commit: commit, depth: depth, allowLocal: true)
        try shell("mkdir -p '\(scratch.path)/work' '\(scratch.path)/mirrors'")
        try await CheckoutStep(
            wanted, directory: "\(scratch.path)/work", mirrors: "\(scratch.path)/mirrors", host: host
        ).run()
    }

    private func file(_ scratch: Scratch) throws -> String { try shell("cat '\(scratch.path)/work/file'") }

    @Test("default branch, branch, older commit and a second time through the mirror")
    func local() async throws {
        let scratch = try Scratch()
        let (url, commits) = try repository(scratch)
        try await checkOut(scratch, url)
        #expect(try file(scratch) == "two\n")
        try scratch.write("work/stray", "x")
        try await checkOut(scratch, url, ref: "other")
        #expect(try file(scratch) == "one\n")
        #expect(!scratch.exists("work/stray"))
        try await checkOut(scratch, url, ref: "main", commit: commits[1])
        #expect(try file(scratch) == "two\n")
        try await checkOut(scratch, "file://\(url)", ref: "main", commit: commits[0], depth: 0)
        #expect(try file(scratch) == "one\n")
        #expect(try shell("git -C '\(scratch.path)/work' rev-parse HEAD") == commits[0] + "\n")
    }

    @Test("what is missing is named, and so is the place")
    func missing() async throws {
        let scratch = try Scratch()
        let (url, _) = try repository(scratch)
        await #expect { try await checkOut(scratch, url, ref: "nowhere") } throws: {
            "\($0)".contains("no branch or tag \"nowhere\"") && "\($0)".contains(url)
        }
        await #expect { try await checkOut(scratch, "\(scratch.path)/void") } throws: {
            "\($0)".contains("Fetching from \(scratch.path)/void failed")
        }
        let commit = String(repeating: "a", count: 40)
        await #expect { try await checkOut(scratch, url, ref: "main", commit: commit) } throws: {
            "\($0)".contains("Commit \(commit) is not in")
        }
        await #expect { try await checkOut(scratch, "https://user:pass@127.0.0.1:1/x.git") } throws: {
            "\($0)".contains("https://127.0.0.1:1/x.git") && !"\($0)".contains("pass")
        }
    }

    @Test("names that git would take for options are refused")
    func options() {
        for (ref, commit) in [("--upload-pack=x", ""), ("a..b", ""), ("a b", ""), ("main", "HEAD"), ("main", "--all")] {
            #expect(throws: CheckoutFailure.self) {
                try CheckoutStep(
                    StepSpec.Checkout(url: "https://h.example/x", ref: ref, commit: commit), directory: "/tmp/x",
                    mirrors: "/tmp/y", host: [:])
            }
        }
    }
}
