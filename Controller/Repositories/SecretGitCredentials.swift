package import ControllerCore

/// Git credentials that lie among a project's secrets.
package struct SecretGitCredentials: GitCredentialReading {
    private let secrets: any SecretReading

    package init(secrets: any SecretReading) {
        self.secrets = secrets
    }

    package func credential(_ secret: String, project: ProjectID) async throws(RepositoryFailure) -> GitCredential {
        do throws(SecretFailure) {
            guard let value = try await secrets.values(of: [secret], project: project, environment: nil)[secret] else {
                throw SecretFailure(.configuration, "The secret `\(secret)` is not set.")
            }
            return GitCredential(secret: value)
        } catch {
            let reason: RepositoryFailure.Reason =
                switch error.kind {
                case .configuration: .denied
                case .unavailable: .here
                }
            throw RepositoryFailure(.contact, reason, "The repository's credential can't be read: \(error.description)")
        }
    }
}
