import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Badges: for everybody where the project says so, else for those with the pipeline's link or a token of their own.
struct BadgeRoutes {
    let services: HTTPServices
    private let cache = BadgeCache()

    init(services: HTTPServices) { self.services = services }

    var routes: [Route] {
        let path = "/api/v1/pipelines/{id}"
        return [
            Route(
                .get, path + "/badge.svg", .public, "badge", "How a pipeline stands, as a picture",
                query: [
                    QueryParameter("branch", "Only runs of this branch", .text(max: 255)),
                    QueryParameter(
                        "token", "What the pipeline's badge link holds, where badges are not public", .text(max: 64)),
                ], describes: Description(.pipelines, answers: [.content("image/svg+xml")]), handler: badge),
            Route(
                .get, path + "/badge", .read, "getBadgeLink", "The address of a pipeline's badge", role: .viewer,
                describes: Description(.pipelines, answers: [.ok(.component(Schemas.badgeLink))]), handler: link),
            Route(
                .post, path + "/badge", .write, "createBadgeLink",
                "Make a new secret link to a pipeline's badge; the old one ends", role: .maintainer,
                describes: Description(.pipelines, answers: [.created(.component(Schemas.badgeLink), at: false)]),
                handler: makeLink),
            Route(
                .delete, path + "/badge", .write, "deleteBadgeLink", "End the secret link to a pipeline's badge",
                role: .maintainer,
                describes: Description(.pipelines, answers: [.noContent], comparesTag: true), handler: endLink),
            Route(
                .get, "/api/v1/projects/{id}/badges", .read, "getBadges",
                "Whether everybody may see a project's badges",
                role: .viewer,
                describes: Description(.projects, answers: [.ok(.component(Schemas.badges))]), handler: shared),
            Route(
                .put, "/api/v1/projects/{id}/badges", .write, "setBadges",
                "Say whether everybody may see a project's badges", role: .maintainer, body: ["application/json"],
                describes: Description(
                    .projects, takes: Schemas.badgesInput, answers: [.ok(.component(Schemas.badges))],
                    comparesTag: true), handler: set),
        ]
    }

    private func repository() throws -> any NoticeRepository {
        guard let notices = services.notices else { throw Problem.unavailable("There are no badges here.") }
        return notices
    }

    private func pipeline(_ call: Call, isChecked: Bool = true) async throws -> PipelineRow {
        guard let row = try await services.pipelines.pipeline(PipelineID(call.id(what: "pipeline"))) else {
            throw Problem.notFound("There is no such pipeline.")
        }
        if isChecked { try await call.allow(in: row.project, what: "pipeline") }
        return row
    }

    @Sendable private func badge(_ call: Call) async throws -> Reply {
        let pipeline = try await pipeline(call, isChecked: false)
        let access = try await repository().badgeAccess(pipeline.id)
        if !access.isPublic, !Self.opens(call.query.text("token"), access.token) {
            // As if it were not there, for those who may not know of it.
            guard let bearer = Credentials.bearer(call.headers),
                let principal = try await services.authentication.authenticate(bearer: bearer),
                principal.scopes.contains(.read),
                try await services.access.access(of: principal).verdict(.viewer, in: pipeline.project) == .allowed
            else { throw Problem.notFound("There is no such pipeline.") }
        }
        let branch = call.query.text("branch")
        let version = services.runsVersion()
        let key = BadgeCache.Key(pipeline: pipeline.id, name: pipeline.name, branch: branch)
        let body: ByteBuffer
        if let known = cache.body(key, version: version) {
            body = known
        } else {
            let run = try await repository().badgeRun(pipeline.id, branch: branch)
            let state = run.map { BadgeSVG.State.run(Status(phase: $0.phase, outcome: $0.outcome)) } ?? .noRuns
            body = ByteBuffer(string: BadgeSVG.text(label: pipeline.name, state))
            cache.store(key, version: version, body)
        }
        var reply = Reply(.ok, "image/svg+xml; charset=utf-8", ResponseBody(byteBuffer: body))
        reply.buffer = body
        return reply
    }

    /// In a time that depends on the lengths alone.
    private static func opens(_ given: String?, _ token: String?) -> Bool {
        guard let given, let token, given.utf8.count == token.utf8.count else { return false }
        return zip(given.utf8, token.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    // MARK: Links

    @Sendable private func link(_ call: Call) async throws -> Reply {
        let pipeline = try await pipeline(call)
        return try await shown(pipeline, .ok)
    }

    @Sendable private func makeLink(_ call: Call) async throws -> Reply {
        let pipeline = try await pipeline(call)
        try await repository().setBadgeToken(Self.token(), of: pipeline.id)
        return try await shown(pipeline, .created)
    }

    @Sendable private func endLink(_ call: Call) async throws -> Reply {
        try await repository().setBadgeToken(nil, of: pipeline(call).id)
        return .noContent
    }

    private func shown(_ pipeline: PipelineRow, _ status: HTTPResponse.Status) async throws -> Reply {
        let access = try await repository().badgeAccess(pipeline.id)
        return .json(status) { json in
            json.object { json in
                json.field("public", access.isPublic)
                let query = access.isPublic ? "" : access.token.map { "?token=\($0)" } ?? ""
                json.field(
                    "path",
                    access.isPublic || access.token != nil
                        ? "/api/v1/pipelines/\(pipeline.id)/badge.svg\(query)" : nil)
            }
        }
    }

    /// 160 random bits.
    private static func token() -> String {
        var generator = SystemRandomNumberGenerator()
        let letters = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        let digits = (0..<32).map { _ in letters[Int(UInt8.random(in: .min ... .max, using: &generator) & 31)] }
        return String(decoding: digits, as: UTF8.self)
    }

    @Sendable private func shared(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        let isPublic = try await repository().areBadgesPublic(of: project)
        return .json { $0.object { $0.field("public", isPublic) } }
    }

    @Sendable private func set(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        var fields = try call.fields()
        let isPublic = fields.bool("public")
        if isPublic == nil { fields.wrong("public", "Give true or false.") }
        try fields.finish()
        try await NoticeProblem.mapped {
            try await repository().setBadges(public: isPublic ?? false, of: project)
        }
        return .json { $0.object { $0.field("public", isPublic ?? false) } }
    }
}

/// Badges under the version of the runs that they show.
private final class BadgeCache: Sendable {
    struct Key: Hashable {
        var pipeline: PipelineID
        var name: String
        var branch: String?
    }

    private static let entriesMax = 512

    private let entries = Mutex<[Key: (version: UInt64, body: ByteBuffer)]>([:])

    func body(_ key: Key, version: UInt64) -> ByteBuffer? {
        entries.withLock { $0[key].flatMap { $0.version == version ? $0.body : nil } }
    }

    /// - Parameter version: As it was before the run was read.
    func store(_ key: Key, version: UInt64, _ body: ByteBuffer) {
        entries.withLock { entries in
            if entries.count >= Self.entriesMax { entries.removeAll() }
            entries[key] = (version, body)
        }
    }
}
