package import ArgumentParser
import FoundationEssentials

/// What every command that asks a controller takes.
package struct ConnectionOptions: ParsableArguments {
    @Option(name: .long, help: "Address of the controller (default: ANSFLOW_URL, then the last login).")
    package var url: String?

    @Option(
        name: .customLong("ca-file"),
        help: "PEM file of the authority that signed the controller's certificate (default: ANSFLOW_CA_FILE).")
    package var caFile: String?

    @Flag(name: .long, help: "Print the controller's answer as JSON.")
    package var json = false

    package init() {}

    package func endpoint() throws -> Endpoint {
        let environment = ProcessInfo.processInfo.environment
        return try Endpoint.resolve(
            option: url, caFile: caFile, environment: environment, current: try CredentialStore().load().current)
    }

    /// Runs `body` with a client and closes it.
    package func withClient<Result>(_ body: (APIClient) async throws -> Result) async throws -> Result {
        let client = try APIClient(endpoint: try endpoint())
        do {
            let result = try await body(client)
            await client.shutdown()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// Prints an answer's JSON as the controller sent it.
    package static func printJSON(_ answer: Answer) {
        var body = answer.body
        if body.isEmpty { body = Array("{}".utf8) }
        if body.last != UInt8(ascii: "\n") { body.append(UInt8(ascii: "\n")) }
        Terminal.writeRaw(body)
    }
}

/// Finding things by what users call them.
package enum Lookup {
    /// A pipeline by id or by name.
    package static func pipeline(_ text: String, _ client: APIClient) async throws -> PipelineModel {
        if Int64(text) != nil {
            return try await client.get("/api/v1/pipelines/\(text)", thing: "Pipeline \(text)")
                .decode(PipelineModel.self)
        }
        var found = try await named(text, in: nil, client)
        if found.isEmpty, let slash = text.lastIndex(of: "/"), slash != text.startIndex {
            let (project, name) = (String(text[..<slash]), String(text[text.index(after: slash)...]))
            found = try await named(name, in: self.project(project, client).id, client)
        }
        guard let first = found.first else {
            throw ClientFailure(
                .notFound, "There is no pipeline \"\(text)\".", cure: "`ansflow pipeline list` shows what there is.")
        }
        guard found.count == 1 else {
            let ids = found.map { String($0.id) }.joined(separator: ", ")
            throw ClientFailure(
                .usage, "Several projects have a pipeline \"\(text)\": its ids are \(ids).",
                cure: "Say which, as PROJECT/\(text) or by its id.")
        }
        return first
    }

    /// The pipeline of a project that has this name.
    package static func pipeline(
        _ name: String, in project: Int64, _ client: APIClient
    ) async throws -> PipelineModel? {
        try await named(name, in: project, client).first
    }

    /// A project as a filter of a list, by name or id; none for nil.
    static func projectQuery(_ project: String?, _ client: APIClient) async throws -> [(String, String)] {
        guard let project else { return [] }
        return [("project_id", String(try await self.project(project, client).id))]
    }

    /// An agent by id or by name.
    package static func agent(_ text: String, _ client: APIClient) async throws -> AgentModel {
        if Int64(text) != nil {
            return try await client.get("/api/v1/agents/\(text)", thing: "Agent \(text)").decode(AgentModel.self)
        }
        let listing = try await client.get("/api/v1/agents").decode(Listing<AgentModel>.self)
        // A revoked agent gives its name free.
        let named = listing.items.filter { $0.name == text }
        guard let found = named.first(where: { $0.revoked != true }) ?? named.last else {
            throw ClientFailure(
                .notFound, "There is no agent \"\(text)\".", cure: "`ansflow agents` shows which are enrolled.")
        }
        return found
    }

    /// The pipelines of exactly that name, over all pages of those that have it in their name.
    private static func named(_ name: String, in project: Int64?, _ client: APIClient) async throws -> [PipelineModel] {
        var (page, found) = (1, [PipelineModel]())
        while true {
            var query = [("q", name), ("page", String(page)), ("per_page", "100")]
            if let project { query.append(("project_id", String(project))) }
            let listing = try await client.get("/api/v1/pipelines", query: query).decode(Listing<PipelineModel>.self)
            found += listing.items.filter { $0.name == name }
            guard listing.items.count == 100, page * 100 < (listing.total ?? Int.max) else { return found }
            page += 1
        }
    }
}

/// Whose thing a command is about.
package struct ProjectOption: ParsableArguments {
    @Option(name: .customLong("project"), help: "Name or id of the project.")
    package var text = "1"

    package init() {}

    package func id(_ client: APIClient) async throws -> Int64 {
        if let id = Int64(text) { return id }
        return try await Lookup.project(text, client).id
    }
}
