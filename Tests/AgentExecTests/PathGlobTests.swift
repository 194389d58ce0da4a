import Testing

@testable import AgentExec

@Suite("Globs over paths")
struct PathGlobTests {
    @Test(
        "match as the language's reference says",
        arguments: [
            ("out/**", "out/a", true), ("out/**", "out/a/b", true), ("out/**", "outer/a", false),
            ("out", "out/a/b", true),
            ("out/", "out/a", true), ("out", "out", true), ("./out/*", "out/a", true), ("*.txt", "a.txt", true),
            ("*.txt", "d/a.txt", false), ("**/*.txt", "a.txt", true), ("**/*.txt", "d/e/a.txt", true),
            ("a/**/z", "a/z", true), ("a/**/z", "a/b/c/z", true), ("a/**/z", "b/z", false), ("d?r/f", "dir/f", true),
            ("?", "ä", true), ("?", "ab", false), ("*", "d/a", true), ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("**", "x/y/z", true), ("", "a", false), ("a/*/c", "a/b/c", true), ("a/*/c", "a/c", false),
            (".", "a", false), ("x*", "x", true),
        ])
    func matches(_ pattern: String, _ path: String, _ expected: Bool) {
        #expect(PathGlobs([pattern]).matches(path) == expected)
    }

    @Test("the last pattern that speaks of a path decides")
    func order() {
        let globs = PathGlobs(["out/**", "!**/*.o", "out/keep.o"])
        #expect(globs.matches("out/a"))
        #expect(!globs.matches("out/d/a.o"))
        #expect(globs.matches("out/keep.o"))
        #expect(!PathGlobs(["!a"]).matches("b"))
        #expect(!PathGlobs(["a", "!a/b"]).matches("a/b/c"))
    }

    @Test("folders in which nothing can match are not read")
    func pruning() {
        let globs = PathGlobs(["out/*/bin", "!out/x", "**/r.xml"])
        #expect(globs.mayMatch(below: "out") && globs.mayMatch(below: "src/deep"))
        let plain = PathGlobs(["out/*/bin/**"])
        for (folder, may) in [
            ("out", true), ("out/a", true), ("out/a/bin", true), ("out/a/lib", false), ("src", false),
        ] {
            #expect(plain.mayMatch(below: folder) == may, "\(folder)")
        }
        #expect(plain.mayMatch(below: "out/a/bin/deep"))
    }

    @Test("no pattern is slow")
    func slow() {
        let path = String(repeating: "a/", count: 500) + "b"
        let pattern = String(repeating: "**/", count: 100) + String(repeating: "*a", count: 100) + "/c"
        let clock = ContinuousClock()
        let taken = clock.measure { #expect(!PathGlobs([pattern]).matches(path)) }
        #expect(taken < .seconds(5))
        let text = String(repeating: "a", count: 1000)
        #expect(
            clock.measure { _ = PathGlobs([String(repeating: "*a", count: 100) + "b"]).matches(text) } < .seconds(5))
    }
}
