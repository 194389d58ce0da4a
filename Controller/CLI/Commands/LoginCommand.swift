package import ArgumentParser
import FoundationEssentials

package struct LoginCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in and keep the login for later commands.",
        discussion: """
            The login is kept in $XDG_CONFIG_HOME/ansflow/credentials.json (mode 0600) and renews itself.

            Examples:
              ansflow login --url http://127.0.0.1:8080
              ansflow login --url https://ci.example.org --username admin --password-stdin < password.txt
            """)

    @OptionGroup package var connection: ConnectionOptions

    @Option(name: [.long, .customShort("u")], help: "User name.")
    package var username = "admin"

    @Flag(name: .long, help: "Read the password from standard input instead of asking for it.")
    package var passwordStdin = false

    package init() {}

    package func run() async throws {
        let password: String
        if passwordStdin {
            let bytes = try FileIO.read("-", limit: 4096)
            password = String(
                decoding: bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        } else {
            password = try PasswordPrompt.ask("Password of \(username): ")
        }
        guard !password.isEmpty else {
            throw ClientFailure(.usage, "The password is empty.", cure: "Type it, or use --password-stdin.")
        }
        try await connection.withClient { client in
            try await client.login(username: username, password: password)
            if connection.json {
                let value = JSONValue.object(["url": .string(client.endpoint.url), "username": .string(username)])
                Terminal.print(String(decoding: try value.bytes(), as: UTF8.self))
            } else {
                Terminal.print("Logged in at \(client.endpoint.url) as \(username).")
            }
            if client.endpoint.token != nil {
                Terminal.note("note: ANSFLOW_TOKEN is set and wins over this login.")
            }
        }
    }
}

package struct LogoutCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "logout",
        abstract: "End the kept login.",
        discussion: """
            Examples:
              ansflow logout
              ansflow logout --url https://ci.example.org
            """)

    @OptionGroup package var connection: ConnectionOptions

    package init() {}

    package func run() async throws {
        var endpoint = try connection.endpoint()
        endpoint.token = nil
        let client = try APIClient(endpoint: endpoint)
        let had: Bool
        do {
            had = try await client.logout()
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
        if connection.json {
            let value = JSONValue.object(["url": .string(endpoint.url), "logged_out": .bool(had)])
            Terminal.print(String(decoding: try value.bytes(), as: UTF8.self))
        } else {
            Terminal.print(had ? "Logged out at \(endpoint.url)." : "There was no login at \(endpoint.url).")
        }
    }
}
