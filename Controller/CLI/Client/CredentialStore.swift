package import FoundationEssentials
import Glibc

/// One login, as it is kept on disk.
package struct Credential: Codable, Equatable, Sendable {
    package var accessToken: String
    package var refreshToken: String?
    package var username: String
    /// When the access token ends.
    package var expiresAt: Date?

    package init(accessToken: String, refreshToken: String?, username: String, expiresAt: Date?) {
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.username = username
        self.expiresAt = expiresAt
    }
}

/// All logins of this user, by the controller's address.
package struct Credentials: Codable, Equatable, Sendable {
    /// The address of the last login, used where none is given.
    package var current: String?
    package var servers: [String: Credential] = [:]

    package init() {}
}

/// `credentials.json`, mode 0600, in a directory of mode 0700.
///
/// A refresh token may be used once: two clients that refresh at the same time would revoke the login. So a refresh holds a lock
/// and reads the file again under it.
package struct CredentialStore: Sendable {
    package let directory: String
    package var file: String { directory + "/credentials.json" }

    package init(directory: String = Paths.configuration()) {
        self.directory = directory
    }

    /// What is kept; nothing where there is no file.
    package func load() throws -> Credentials {
        guard let data = FileManager.default.contents(atPath: file) else { return Credentials() }
        do {
            return try JSONDecoder().decode(Credentials.self, from: data)
        } catch {
            throw ClientFailure(
                .usage, "\(file) cannot be read as credentials.",
                cure: "Delete it and log in again with `ansflow login`.")
        }
    }

    /// Replaces the file as a whole: a crash leaves the old one or the new one.
    package func save(_ credentials: Credentials) throws {
        try prepare()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(credentials)
        let temporary = file + ".\(getpid()).tmp"
        try FileIO.write(Array(data), to: temporary, mode: 0o600)
        guard rename(temporary, file) == 0 else {
            throw ClientFailure(.usage, "\(file) cannot be written: \(FileIO.reason()).")
        }
    }

    /// Runs `body` while no other client of this user changes the file.
    nonisolated(nonsending) package func locked<Result>(_ body: () async throws -> Result) async throws -> Result {
        try prepare()
        let descriptor = open(directory + "/credentials.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ClientFailure(.usage, "\(directory) cannot be written: \(FileIO.reason()).")
        }
        defer { close(descriptor) }
        // Another client holds it for one request at most.
        var tries = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            tries += 1
            guard tries < 600 else {
                throw ClientFailure(
                    .usage, "\(directory)/credentials.lock is held by another ansflow.", cure: "Try again.")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        return try await body()
    }

    private func prepare() throws {
        try FileIO.makeDirectory(directory, mode: 0o700)
    }
}
