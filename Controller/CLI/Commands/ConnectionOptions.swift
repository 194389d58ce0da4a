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
        guard let found = try await named(text, client) else {
            throw ClientFailure(
                .notFound, "There is no pipeline \"\(text)\".", cure: "`ansflow pipeline list` shows what there is.")
        }
        return found
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

    /// The pipeline of exactly that name, over all pages of those that have it in their name.
    private static func named(_ name: String, _ client: APIClient) async throws -> PipelineModel? {
        var page = 1
        while true {
            let query = [("q", name), ("page", String(page)), ("per_page", "100")]
            let listing = try await client.get("/api/v1/pipelines", query: query).decode(Listing<PipelineModel>.self)
            if let found = listing.items.first(where: { $0.name == name }) { return found }
            guard listing.items.count == 100, page * 100 < (listing.total ?? Int.max) else { return nil }
            page += 1
        }
    }
}
