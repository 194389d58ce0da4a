import AnsFlowProtocol
import ControllerCore
import TestSupport
import Testing

@testable import ControllerWebhooks

@Suite("What senders say") struct ReadingTests {
    static let old = String(repeating: "a", count: 39) + "1"
    static let new = String(repeating: "b", count: 39) + "2"
    static let other = String(repeating: "c", count: 39) + "3"

    /// In short: trigger, ref and commit of each event, or why there is none.
    static func short(_ reading: Reading) -> String {
        switch reading {
        case .ping: "ping"
        case .nothing: "nothing"
        case .malformed(let why): "malformed: \(why)"
        case .events(let events, _):
            events.map { event in
                let trigger =
                    switch event.trigger {
                    case .push(let branch, let kind): "\(kind.rawValue) \(branch)"
                    case .tag(let tag): "tag \(tag)"
                    case .deleted(let ref): "deleted \(ref)"
                    case .pullRequest(let base, let kind, let isFork):
                        "\(kind.rawValue) into \(base)\(isFork ? " fork" : "")"
                    case .webhook(let source): "webhook \(source)"
                    case .notice(let source, let kind): "notice \(source) \(kind)"
                    case .manual, .cron, .direct: "?"
                    }
                return [trigger, event.ref ?? "-", String(event.commit.prefix(1))].joined(separator: " | ")
            }.joined(separator: "; ")
        }
    }

    static func read(_ source: WebhookSource, _ event: String, _ file: String) throws -> Reading {
        let body = try JSONReader.read(try FixtureFile.bytes("webhooks/\(source.rawValue)/\(file).json"))
        return Dialects.of(source).read(event, body, row(source))
    }

    static func row(_ source: WebhookSource) -> DeliveryRow {
        DeliveryRow(
            hook: HookID(1), project: .main, source: source, sourceName: "registry", delivery: "d", event: "",
            headers: [:], contentType: "application/json", remote: "", proof: "", bodyHash: [], bodyBytes: 0, body: [],
            isCompressed: false, receivedAt: 0)
    }

    static let pull = "refs/pull/7/head | b"
    static let merge = "refs/merge-requests/7/head | b"

    static let expected: [(WebhookSource, String, String, String)] = [
        (.github, "ping", "ping", "ping"),
        (.github, "push", "push", "updated main | refs/heads/main | b"),
        (.github, "push", "push-created", "created feature/colours | refs/heads/feature/colours | b"),
        (.github, "push", "push-forced", "forced main | refs/heads/main | c"),
        (.github, "push", "push-deleted", "deleted refs/heads/old | - | "),
        (.github, "push", "push-skip", "updated main | refs/heads/main | c"),
        (.github, "push", "tag", "tag v1.2.0 | refs/tags/v1.2.0 | b"),
        (.github, "push", "tag-deleted", "deleted refs/tags/v1.1.0 | - | "),
        (.github, "pull_request", "pull-request-opened", "opened into main | \(pull)"),
        (.github, "pull_request", "pull-request-synchronize", "updated into main | \(pull)"),
        (.github, "pull_request", "pull-request-fork", "opened into main fork | \(pull)"),
        (.github, "pull_request", "pull-request-fork-gone", "opened into main fork | \(pull)"),
        (.github, "pull_request", "pull-request-closed", "closed into main | \(pull)"),
        (.github, "pull_request", "pull-request-merged", "merged into main | \(pull)"),
        (.github, "pull_request", "pull-request-reopened", "reopened into main | \(pull)"),
        (.github, "pull_request", "pull-request-labeled", "labeled into main | \(pull)"),
        (.github, "pull_request", "pull-request-ready", "ready into main | \(pull)"),
        (.github, "pull_request", "pull-request-assigned", "nothing"),
        (.github, "release", "release", "notice github release | refs/tags/v1.2.0 | "),
        (.github, "issues", "issues", "notice github issues | - | "),
        (.github, "create", "create", "nothing"),
        (.gitea, "push", "push", "updated main | refs/heads/main | b"),
        (.gitea, "push", "push-created", "created feature/colours | refs/heads/feature/colours | b"),
        (.gitea, "push", "push-deleted", "deleted refs/heads/old | - | "),
        (.gitea, "push", "tag", "tag v1.2.0 | refs/tags/v1.2.0 | b"),
        (.gitea, "pull_request", "pull-request-opened", "opened into main | \(pull)"),
        (.gitea, "pull_request_sync", "pull-request-synchronized", "updated into main | \(pull)"),
        (.gitea, "pull_request", "pull-request-fork", "opened into main fork | \(pull)"),
        (.gitea, "pull_request", "pull-request-merged", "merged into main | \(pull)"),
        (.gitea, "release", "release", "notice gitea release | refs/tags/v1.2.0 | "),
        (.gitlab, "Push Hook", "push", "updated main | refs/heads/main | b"),
        (.gitlab, "Push Hook", "push-created", "created feature/colours | refs/heads/feature/colours | b"),
        (.gitlab, "Push Hook", "push-deleted", "deleted refs/heads/old | - | "),
        (.gitlab, "Tag Push Hook", "tag", "tag v1.2.0 | refs/tags/v1.2.0 | b"),
        (.gitlab, "", "merge-request-open", "opened into main | \(merge)"),
        (.gitlab, "", "merge-request-update", "updated into main | \(merge)"),
        (.gitlab, "", "merge-request-title", "nothing"),
        (.gitlab, "", "merge-request-ready", "ready into main | \(merge)"),
        (.gitlab, "", "merge-request-labels", "labeled into main | \(merge)"),
        (.gitlab, "", "merge-request-fork", "opened into main fork | \(merge)"),
        (.gitlab, "", "merge-request-merge", "merged into main | \(merge)"),
        (.gitlab, "", "merge-request-close", "closed into main | \(merge)"),
        (.gitlab, "", "merge-request-reopen", "reopened into main | \(merge)"),
        (.gitlab, "", "release", "notice gitlab release | refs/tags/v1.2.0 | "),
        (.gitlab, "", "note", "notice gitlab note | - | "),
        (.bitbucket, "repo:push", "push", "updated main | refs/heads/main | b"),
        (
            .bitbucket, "repo:push", "push-several",
            "updated main | refs/heads/main | b; created feature/colours | refs/heads/feature/colours | c; "
                + "deleted refs/heads/old | - | "
        ),
        (.bitbucket, "repo:push", "push-forced", "forced main | refs/heads/main | c"),
        (.bitbucket, "repo:push", "tag", "tag v1.2.0 | refs/tags/v1.2.0 | b"),
        (.bitbucket, "pullrequest:created", "pull-request-created", "opened into main | refs/heads/faster | "),
        (.bitbucket, "pullrequest:updated", "pull-request-created", "updated into main | refs/heads/faster | "),
        (.bitbucket, "pullrequest:fulfilled", "pull-request-created", "merged into main | refs/heads/faster | "),
        (.bitbucket, "pullrequest:created", "pull-request-fork", "opened into main fork | refs/heads/faster | "),
        (.bitbucket, "repo:refs_changed", "data-center-push", "updated main | refs/heads/main | b"),
        (.bitbucket, "pr:opened", "data-center-pull-request", "opened into main | refs/pull-requests/7/from | b"),
        (.bitbucket, "diagnostics:ping", "data-center-ping", "ping"),
        (.jenkins, "build", "started", "webhook registry | - | "),
        (.jenkins, "build", "completed", "webhook registry | - | "),
        (.jenkins, "build", "finalized", "webhook registry | - | "),
        (.generic, "webhook", "published", "webhook registry | - | "),
        (.generic, "webhook", "yanked", "webhook registry | - | "),
    ]

    @Test("every recorded shape is understood") func shapes() throws {
        for (source, event, file, wanted) in Self.expected {
            let found = Self.short(try Self.read(source, event, file))
            #expect(found == wanted, "\(source) \(file)")
        }
        // No fixture is forgotten.
        for source in WebhookSource.allCases {
            let known = Set(Self.expected.filter { $0.0 == source }.map { "\($0.2).json" })
            #expect(Set(try FixtureFile.names(below: "webhooks/\(source.rawValue)")) == known, "\(source)")
        }
    }

    @Test("facts of pushes and pull requests") func facts() throws {
        guard case .events(let pushes, let repository?) = try Self.read(.github, "push", "push"),
            case .events(let forks, _) = try Self.read(.github, "pull_request", "pull-request-fork"),
            case .events(let merges, let project?) = try Self.read(.gitlab, "", "merge-request-open"),
            case .events(let clouds, _) = try Self.read(.bitbucket, "pullrequest:created", "pull-request-fork"),
            case .events(let made, _) = try Self.read(.gitea, "push", "push-created")
        else {
            Issue.record("events were expected")
            return
        }
        #expect(pushes[0].comparison == PathComparison(from: Self.old) && pushes[0].message == "Count the widgets")
        #expect(pushes[0].actor == "octo" && pushes[0].trusted)
        #expect(repository.id == "4217" && repository.defaultBranch == "main" && repository.urls.count == 3)
        #expect(made[0].comparison == PathComparison(from: nil))
        #expect(!forks[0].trusted && forks[0].comparison == PathComparison(from: Self.old, sinceMergeBase: true))
        #expect(
            forks[0].pullRequest
                == .init(number: 7, base: "main", head: "faster", author: "stranger", title: "Count faster"))
        #expect(project.id == "15" && merges[0].comparison?.from == "refs/heads/main" && merges[0].trusted)
        #expect(clouds[0].hindrance?.contains("fork") == true)
    }

    @Test("names that no ref can have start nothing, and control characters go") func hostile() {
        let push = Words.push(
            ref: "refs/heads/--upload-pack=x y", before: "", after: Self.new, isForced: false,
            message: "a\u{0}b\u{1B}[31m", actor: "o\nc")
        #expect(push.hindrance != nil && push.message == "ab[31m" && push.actor == "oc")
        #expect(
            Words.commit(.text("--upload-pack=x")) == "" && Words.commit(.text(String(repeating: "0", count: 40))) == ""
        )
    }

    @Test("the repository's id is found without reading the rest") func scanning() throws {
        for (source, file, id) in [
            (.github, "push", "4217"), (.gitea, "push", "31"), (.gitlab, "push", "15"),
            (.bitbucket, "push", "{0f2e8a10-0000-4000-8000-000000000001}"), (.bitbucket, "data-center-push", "8"),
        ] as [(WebhookSource, String, String)] {
            let body = try FixtureFile.bytes("webhooks/\(source.rawValue)/\(file).json")
            #expect(JSONReader.scalar(at: Dialects.of(source).repositoryPaths, in: body) == id, "\(file)")
        }
    }

    @Test("JSON is read strictly, and payloads are cut to what a plan holds") func payloads() throws {
        #expect(
            try JSONReader.read(Array("{\"a\": [1, -2.5e1, true, null, \"\\u00e4\\ud83d\\ude00\"]}".utf8))
                == .object(["a": .list([.number(1), .number(-25), .boolean(true), .null, .text("ä😀")])]))
        for bad in [
            "", "{", "[1,]", "{\"a\" 1}", "01x", "\"\u{1}\"", "nul", "[1] 2", String(repeating: "[", count: 100),
        ] {
            #expect(throws: JSONReader.Malformed.self) { try JSONReader.read(Array(bad.utf8)) }
        }
        let form = Array("a=1&payload=%7B%22b%22%3A+2%7D".utf8)
        #expect(try Payload.json(form, contentType: "application/x-www-form-urlencoded") == .object(["b": .number(2)]))
        let long = PlanJSON.object([
            "keep": .text("x"), "text": .text(String(repeating: "y", count: 200_000)),
            "many": .list(Array(repeating: .object(["id": .number(1)]), count: 5_000)),
        ])
        let cut = Payload.trimmed(long)
        #expect(cut["keep"] == .text("x") && cut["text"].text?.utf8.count == 1_024 && cut["many"].items.count == 20)
    }

    @Test("addresses of one repository are the same, others are not") func addresses() {
        let same = [
            "https://forge.example.org/octo/widgets.git", "git@forge.example.org:octo/widgets.git",
            "ssh://git@forge.example.org:22/octo/widgets", "https://user:x@Forge.example.org/octo/widgets/",
        ].map(RepositoryAddressKey.of)
        #expect(Set(same) == ["forge.example.org/octo/widgets"])
        #expect(RepositoryAddressKey.of("https://forge.example.org/octo/widgets2") != same[0])
        #expect(RepositoryAddressKey.of("https://forge.example.org.evil.example/octo/widgets") != same[0])
        #expect(RepositoryAddressKey.of("file:///srv/git/widgets.git") == RepositoryAddressKey.of("/srv/git/widgets"))
    }
}
