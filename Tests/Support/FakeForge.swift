import Foundation

/// A forge's interface for commit statuses, after its documentation: paths, credentials, fields, answers. It keeps what it was told.
package final class FakeForge: @unchecked Sendable {
    package enum Kind: String, Sendable, CaseIterable { case github, gitlab, gitea, bitbucket }

    package struct Status: Equatable, Sendable {
        package var commit: String
        package var context: String
        package var state: String
        package var summary: String
        package var link: String?
    }

    package static let token = "forge-token-1"
    package static let repository = "octo/widgets"
    package static let commit = String(repeating: "5f3a8c0f0d", count: 4)

    package let kind: Kind
    private let lock = NSLock()
    private var told: [Status] = []
    private var scripted: [HTTPPeer.Reply] = []
    private var commits: Set<String> = [FakeForge.commit]
    private var peer: HTTPPeer?

    package init(_ kind: Kind) throws {
        self.kind = kind
        peer = try HTTPPeer { [unowned self] in answer($0) }
    }

    package func stop() { peer?.stop() }

    /// Where its interface is.
    package var api: String {
        let base = peer?.url ?? ""
        switch kind {
        case .github: return base
        case .gitlab: return base + "/api/v4"
        case .gitea: return base + "/api/v1"
        case .bitbucket: return base + "/2.0"
        }
    }

    /// What it took, in order.
    package var statuses: [Status] { lock.withLock { told } }
    package var requests: [HTTPPeer.Request] { peer?.requests ?? [] }

    /// Answers that come before its own.
    package func script(_ replies: HTTPPeer.Reply...) { lock.withLock { scripted += replies } }

    /// Commits that were pushed to it.
    package func know(_ more: String...) { lock.withLock { commits.formUnion(more) } }

    private func answer(_ request: HTTPPeer.Request) -> HTTPPeer.Reply {
        if let reply = lock.withLock({ scripted.isEmpty ? nil : scripted.removeFirst() }) { return reply }
        guard request.method == "POST" else { return problem(405, "Method Not Allowed") }
        guard request.headers["content-type"] == "application/json" else { return problem(415, "Unsupported") }
        if request.headers["user-agent"]?.isEmpty ?? true {
            return problem(403, "Request forbidden by administrative rules. Make sure your request has a User-Agent.")
        }
        guard isAuthentic(request) else {
            return problem(401, kind == .gitlab ? "401 Unauthorized" : "Bad credentials")
        }
        guard let commit = commit(of: request.target) else { return problem(404, "Not Found") }
        guard lock.withLock({ commits.contains(commit) }) else {
            return kind == .gitlab || kind == .bitbucket
                ? problem(404, "404 Commit Not Found") : problem(422, "No commit found for SHA: \(commit)")
        }
        return take(request.json, commit)
    }

    private func isAuthentic(_ request: HTTPPeer.Request) -> Bool {
        switch kind {
        case .github: request.headers["authorization"] == "Bearer \(Self.token)"
        case .gitlab: request.headers["private-token"] == Self.token
        case .gitea: request.headers["authorization"] == "token \(Self.token)"
        case .bitbucket:
            request.headers["authorization"] == "Bearer \(Self.token)"
                || request.headers["authorization"]
                    == "Basic \(Data("octo@example.org:\(Self.token)".utf8).base64EncodedString())"
        }
    }

    /// The commit that a path names; nil for any path that the forge has not.
    private func commit(of target: String) -> String? {
        let (before, after) =
            switch kind {
            case .github: ("/repos/\(Self.repository)/statuses/", "")
            case .gitlab: ("/api/v4/projects/octo%2Fwidgets/statuses/", "")
            case .gitea: ("/api/v1/repos/\(Self.repository)/statuses/", "")
            case .bitbucket: ("/2.0/repositories/\(Self.repository)/commit/", "/statuses/build")
            }
        guard target.hasPrefix(before), target.hasSuffix(after) else { return nil }
        return String(target.dropFirst(before.count).dropLast(after.count))
    }

    private func take(_ json: JSON, _ commit: String) -> HTTPPeer.Reply {
        let states: Set<String> =
            switch kind {
            case .github: ["error", "failure", "pending", "success"]
            case .gitlab: ["pending", "running", "success", "failed", "canceled", "skipped"]
            case .gitea: ["pending", "success", "error", "failure", "warning"]
            case .bitbucket: ["SUCCESSFUL", "FAILED", "INPROGRESS", "STOPPED"]
            }
        guard let state = json["state"].text, states.contains(state) else {
            return problem(kind == .github ? 422 : 400, "Validation Failed: state")
        }
        let summary = json["description"].text ?? ""
        if kind == .github, summary.count > 140 {
            return problem(422, "description is too long (maximum is 140 characters)")
        }
        let context = kind == .bitbucket ? json["key"].text : kind == .gitlab ? json["name"].text : json["context"].text
        guard let context, !context.isEmpty, kind != .bitbucket || context.utf8.count <= 40 else {
            return problem(400, "context or key is wrong")
        }
        let link = kind == .bitbucket ? json["url"].text : json["target_url"].text
        if kind == .bitbucket, link == nil { return problem(400, "url: required key not provided") }
        let isSame = lock.withLock {
            let last = told.last { $0.commit == commit && $0.context == context }
            return last?.state == state && (state == "pending" || state == "running")
        }
        if kind == .gitlab, isSame {
            return problem(
                400, "Cannot transition status via :enqueue from :\(state) (Reason(s): Status cannot transition)")
        }
        lock.withLock {
            told.append(Status(commit: commit, context: context, state: state, summary: summary, link: link))
        }
        return .json(201, ["state": .string(state)])
    }

    private func problem(_ status: Int, _ message: String) -> HTTPPeer.Reply {
        .json(status, ["message": .string(message)])
    }
}
