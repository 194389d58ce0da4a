import ControllerCore
import ControllerPipelines
import Foundation
import Testing

@Suite("Plans, addresses, refs and globs")
struct PlanValueTests {
    @Test("a plan survives being stored")
    func coding() throws {
        let source = """
            inputs: { level: { type: choice, options: [a, b], default: a }, n: { type: number, default: 0.5 }, t: { type: text, default: "true" } }
            jobs:
              a: { if: "event == 'push' && (failure() || inputs.n > 1)", steps: [{ run: [x, y], shell: bash, if: always() }] }
            """
        let plan = try plan(source, CompileContext(event: "push", branch: "main", repository: repository))
        let data = try JSONEncoder().encode(plan)
        #expect(try JSONDecoder().decode(RunPlan.self, from: data) == plan)
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["format_version"] as? Int == 1)
        object["format_version"] = 2
        let newer = try JSONSerialization.data(withJSONObject: object)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(RunPlan.self, from: newer) }
    }

    @Test("the deepest expression survives being stored")
    func deepCoding() throws {
        let depth = PlanLimits.expressionDepthMax
        let text = String(repeating: "false || true && (", count: depth) + "true" + String(repeating: ")", count: depth)
        let plan = try plan("steps:\n  - run: a\n    if: \(text)\n")
        let data = try JSONEncoder().encode(plan)
        #expect(try JSONDecoder().decode(RunPlan.self, from: data) == plan)
    }

    @Test("inputs keep their type in JSON")
    func inputValues() throws {
        let values: [InputValue] = [.text("true"), .text("5"), .number(5), .number(1), .boolean(true), .boolean(false)]
        let data = try JSONEncoder().encode(values)
        #expect(try JSONDecoder().decode([InputValue].self, from: data) == values)
    }

    static let addresses: [(String, remote: Bool, local: Bool)] = [
        ("https://git.example.org/a/b.git", true, true), ("https://user@host.example:8443/a", true, true),
        ("ssh://git@host.example/a.git", true, true), ("ssh://git@host.example:2222/a.git", true, true),
        ("git@host.example:a/b.git", true, true), ("host.example:a", true, true),
        ("https://[2001:db8::1]/a", true, true),
        ("/srv/git/a.git", false, true), ("file:///srv/a.git", false, true), ("http://127.0.0.1:8000/a", false, true),
        ("https://localhost/a", false, true), ("https://LOCALHOST./a", false, true), ("https://[::1]/a", false, true),
        ("ssh://git@127.1/a", false, true), ("git@localhost:a", false, true), ("https://2130706433/a", false, true),
        ("https://0x7f000001/a", false, true), ("https://0.0.0.0/a", false, true),
        ("https://0177.0.0.1/a", false, true), ("https://0x7f.1/a", false, true), ("https://127.0.1./a", false, true),
        ("https://[::ffff:7f00:1]/a", false, true), ("https://[0:0:0:0:0:ffff:127.0.0.1]/a", false, true),
        ("https://[64:ff9b::7f00:1]/a", false, true), ("https://[::7f00:1]/a", false, true),
        ("https://169.254.169.254/a", false, false), ("https://0xa9fea9fe/a", false, false),
        ("https://[::ffff:a9fe:a9fe]/a", false, false), ("https://[fe80::1]/a", false, false),
        ("git@169.254.169.254:a", false, false), ("https://[fd00:ec2::254]/a", false, false),
        ("https://224.0.0.1/a", false, false), ("https://[ff02::1]/a", false, false),
        ("https://10.1.2.3/a", true, true), ("https://[fd12::1]/a", true, true), ("https://1234.example/a", true, true),
        ("https://0xcafe.example/a", true, true),
        ("http://host.example/a", false, false), ("git://host.example/a", false, false), ("ext::sh -c x", false, false),
        ("ext::sh", false, false), ("fd::17", false, false), ("-oProxyCommand=x", false, false),
        ("--upload-pack=x", false, false), ("ssh://-oProxyCommand=x/a", false, false),
        ("git@-oProxyCommand:a", false, false),
        ("-x@host.example:a", false, false), ("host.example:-a", false, false),
        ("https://user:secret@host.example/a", false, false),
        ("https://host.example", false, false), ("https://host.example/", false, false), ("https:///a", false, false),
        ("https://host.example:0/a", false, false), ("https://host.example:99999/a", false, false),
        ("https://ho st/a", false, false),
        ("https://host.example/a\nb", false, false), ("", false, false), ("../a", false, false),
        ("relative/path", false, false),
        ("file://host/a", false, false), ("https://a@b@host.example/x", false, false),
        ("javascript:alert(1)", true, true),
        ("https://host;rm/a", false, false),
    ]

    @Test("addresses of repositories", arguments: addresses)
    func address(url: String, remote: Bool, local: Bool) {
        #expect((RepositoryURL.check(url, allowLocal: false) == nil) == remote)
        let refusal = RepositoryURL.check(url, allowLocal: true)
        #expect((refusal == nil) == local)
        if let refusal { #expect(refusal.description.hasSuffix(".")) }
    }

    @Test(
        "refs",
        arguments: [
            ("main", true), ("release/1.2", true), ("refs/heads/x", true), ("v1.0-rc@1", true), ("feature_ä", true),
            ("", false),
            ("-x", false), ("a..b", false), ("a b", false), ("a~1", false), ("a^", false), ("a:b", false),
            ("a?", false),
            ("a*", false), ("a[", false), ("a\\b", false), ("@", false), ("a@{1}", false), ("/a", false), ("a/", false),
            ("a//b", false), ("a.", false), (".a", false), ("a/.b", false), ("a.lock", false), ("a.lock/b", false),
            ("a\u{7F}", false), (String(repeating: "a", count: 1025), false),
        ])
    func ref(name: String, isAllowed: Bool) {
        #expect((GitRef.check(name) == nil) == isAllowed)
    }

    @Test("commits")
    func commits() {
        #expect(GitRef.checkCommit(String(repeating: "aF09", count: 10)) == nil)
        #expect(GitRef.checkCommit(String(repeating: "a", count: 64)) == nil)
        for text in ["", "abc", String(repeating: "g", count: 40), String(repeating: "a", count: 41)] {
            #expect(GitRef.checkCommit(text) != nil)
        }
    }

    @Test(
        "globs",
        arguments: [
            ("main", "main", false, true), ("main", "ma*", false, true), ("main", "*", false, true),
            ("", "*", false, true),
            ("", "", false, true), ("a", "", false, false), ("main", "m?in", false, true), ("a/b", "*", false, false),
            ("a/b", "*", true, true), ("a/b", "a?b", false, false), ("a/b", "a?b", true, true),
            ("a/b/c", "a/**", false, true),
            ("a", "a/**", false, false), ("a/c", "a/**/c", false, true), ("a/x/y/c", "a/**/c", false, true),
            ("a/xc", "a/**/c", false, false), ("c", "**/c", false, true), ("x/c", "**/c", false, true),
            ("xc", "**/c", false, false),
            ("x/y.md", "**.md", false, true), ("x.md", "*.md", false, true), ("x/y.md", "*.md", false, false),
            ("a*b", "a*b", false, true), ("abab", "*ab", false, true), ("abc", "*ab", false, false),
            ("[a]", "[a]", false, true), ("a", "[a]", false, false),
        ])
    func glob(text: String, pattern: String, slashes: Bool, expected: Bool) {
        #expect(Glob.matches(text, pattern: pattern, slashes: slashes) == expected)
    }

    @Test("no pattern is slow")
    func globCost() {
        let text = String(repeating: "a", count: PlanLimits.globSubjectBytesMax)
        let pattern = String(repeating: "*a", count: PlanLimits.globBytesMax / 2 - 1) + "b"
        let time = ContinuousClock().measure {
            #expect(!Glob.matches(text, pattern: pattern, slashes: false))
        }
        #expect(time < .seconds(20))
    }
}
