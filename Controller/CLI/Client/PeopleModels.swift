package struct UserModel: Decodable, Sendable {
    package var id: Int64
    package var username: String
    package var isAdministrator: Bool
    package var disabled: Bool
    package var createdAt: String

    /// For people.
    package var what: String {
        let words = [isAdministrator ? "administrator" : "user", disabled ? "disabled" : nil]
        return words.compactMap { $0 }.joined(separator: ", ")
    }
}

package struct ProjectModel: Decodable, Sendable {
    package var id: Int64
    package var name: String
    package var description: String
    package var state: String
    package var role: String?
    package var createdAt: String
}

package struct MemberModel: Decodable, Sendable {
    package var userId: Int64
    package var username: String
    package var role: String
    package var addedBy: String
}

package struct MeModel: Decodable, Sendable {
    package var id: Int64
    package var username: String
    package var isAdministrator: Bool
    package var scopes: [String]
    package var authenticatedBy: String
}

extension Lookup {
    /// A user by id or by name.
    package static func user(_ text: String, _ client: APIClient) async throws -> UserModel {
        try await one(
            text, "/api/v1/users", "User", client, cure: "`ansflow user list` shows who there is.",
            name: { (user: UserModel) in user.username })
    }

    /// A project by id or by name.
    package static func project(_ text: String, _ client: APIClient) async throws -> ProjectModel {
        try await one(
            text, "/api/v1/projects", "Project", client, cure: "`ansflow project list` shows what there is.",
            name: { (project: ProjectModel) in project.name })
    }

    private static func one<Model: Decodable & Sendable>(
        _ text: String, _ path: String, _ thing: String, _ client: APIClient, cure: String, name: (Model) -> String
    ) async throws -> Model {
        if Int64(text) != nil {
            return try await client.get("\(path)/\(text)", thing: "\(thing) \(text)").decode(Model.self)
        }
        var page = 1
        while true {
            let query = [("q", text), ("page", String(page)), ("per_page", "100")]
            let listing = try await client.get(path, query: query).decode(Listing<Model>.self)
            if let found = listing.items.first(where: { name($0) == text }) { return found }
            guard listing.items.count == 100, page * 100 < (listing.total ?? Int.max) else {
                throw ClientFailure(.notFound, "There is no \(thing.lowercased()) \"\(text)\".", cure: cure)
            }
            page += 1
        }
    }
}

/// A password of somebody else, as an option says where it comes from.
enum NewPassword {
    /// - Parameter fromInput: its first line on standard input, instead of asking twice on the terminal.
    static func read(of name: String, fromInput: Bool) throws -> String {
        if fromInput {
            let bytes = try FileIO.read("-", limit: 4096)
            let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            return String(decoding: line, as: UTF8.self)
        }
        let first = try PasswordPrompt.ask("New password of \(name): ")
        guard try PasswordPrompt.ask("Again: ") == first else {
            throw ClientFailure(.usage, "The two are not the same.", cure: "Repeat the command.")
        }
        return first
    }
}
