import ControllerCore
import Testing

@Suite("Included files") struct IncludeWalkTests {
    /// Walks over files given as what each includes.
    private func walk(_ files: [String: [String]], size: Int = 10) throws -> [String] {
        var walk = try IncludeWalk(file: ".ansflow.yml", includes: files[".ansflow.yml"] ?? [])
        while let path = walk.wanted {
            try walk.add(String(repeating: "x", count: size), includes: files[path] ?? [])
        }
        return walk.order
    }

    private func refusal(_ files: [String: [String]], size: Int = 10) -> String {
        do {
            return "read \(try walk(files, size: size))"
        } catch {
            return "\(error)"
        }
    }

    @Test("files are read once, however many name them") func order() throws {
        #expect(try walk([:]).isEmpty)
        #expect(
            try walk([".ansflow.yml": ["ci/a.yml", "./ci//b.yml"], "ci/a.yml": ["ci/c.yml"], "ci/b.yml": ["ci/c.yml"]])
                == ["ci/a.yml", "ci/b.yml", "ci/c.yml"])
    }

    @Test("circles are named") func circles() {
        #expect(refusal([".ansflow.yml": [".ansflow.yml"]]).contains("circle"))
        let text = refusal([".ansflow.yml": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]])
        #expect(text.contains("circle") && text.contains("a → b → c"), "\(text)")
        #expect(refusal([".ansflow.yml": ["a", "b"], "a": ["b"], "b": ["a"]]).contains("circle"))
    }

    @Test("depth, number and size have limits") func limits() throws {
        #expect(try walk([".ansflow.yml": ["1"], "1": ["2"], "2": ["3"], "3": ["4"]]).count == 4)
        #expect(refusal([".ansflow.yml": ["1"], "1": ["2"], "2": ["3"], "3": ["4"], "4": ["5"]]).contains("4 levels"))
        #expect(try walk([".ansflow.yml": (1...20).map { "f\($0)" }]).count == 20)
        #expect(refusal([".ansflow.yml": (1...21).map { "f\($0)" }]).contains("More than 20"))
        #expect(refusal([".ansflow.yml": ["1", "2", "3"]], size: 800_000).contains("2 MiB"))
    }

    @Test(
        "paths stay inside the repository",
        arguments: [
            "/etc/passwd", "../x", "a/../../x", "~/x", "", "a/", ".", "https://example.org/x.yml", "git@host:x",
            ".git/config", "a/.GIT/x", "a\\b", "a\u{0}b", String(repeating: "a", count: 2_000),
        ])
    func outside(_ path: String) {
        let error = #expect(throws: IncludeWalk.Refusal.self) {
            try IncludeWalk(file: ".ansflow.yml", includes: [path])
        }
        #expect(error?.include == path && error?.description.hasSuffix(".") == true)
    }
}
