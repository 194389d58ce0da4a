import ControllerCore
import Glibc

/// Puts a credential where git finds it and nobody else does: a token into an environment variable that a helper inside the
/// options reads, bound to the repository's host; an SSH key into a file that lives as long as the process.
struct GitAccess: Sendable {
    let process: GitProcess
    /// Removed after use.
    private let folder: String?

    private static let userVariable = "ANSFLOW_GIT_USER"
    private static let tokenVariable = "ANSFLOW_GIT_TOKEN"
    /// Git gives the protocol and host on standard input, which need not be read: the option's name binds the helper to them.
    private static let helper =
        "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \"$\(userVariable)\" \"$\(tokenVariable)\"; }; f"

    /// - Parameter privateDirectory: of this user only; for keys.
    /// - Throws: where the kind of credential does not fit the address, or a key can't be written.
    init(
        _ address: GitAddress, _ credential: GitCredential, _ configuration: RepositoryCacheConfiguration,
        home: String, file: String, privateDirectory: String
    ) throws(RepositoryFailure) {
        var environment = GitSettings.environment(
            of: configuration, home: home, file: file, protocols: address.protocols)
        var options = GitSettings.options
        options += address.protocols.split(separator: ":").flatMap { ["-c", "protocol.\($0).allow=always"] }
        switch credential {
        case .none:
            guard !address.isSSH || configuration.usesOwnIdentity else {
                throw RepositoryFailure(
                    .contact, .denied,
                    "\(address.shown) is reached over SSH, which needs a key: add a git credential of the kind `ssh` for it."
                )
            }
            folder = nil
        case .token(let user, let token):
            guard !address.tokenScope.isEmpty else {
                throw RepositoryFailure(
                    .contact, .denied, "A token opens https addresses only, and \(address.shown) is none.")
            }
            let isPlain = (user + token).unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
            guard isPlain, !token.isEmpty else {
                throw RepositoryFailure(
                    .contact, .denied,
                    "The token for \(address.shown) is empty or holds white space; save it again.")
            }
            environment[Self.userVariable] = user.isEmpty ? "x-access-token" : user
            environment[Self.tokenVariable] = token
            options += ["-c", "credential.\(address.tokenScope).helper=\(Self.helper)"]
            folder = nil
        case .sshKey(let key, let knownHosts):
            guard address.isSSH else {
                throw RepositoryFailure(
                    .contact, .denied, "An SSH key opens ssh addresses only, and \(address.shown) is none.")
            }
            guard !knownHosts.allSatisfy(\.isWhitespace) else {
                throw RepositoryFailure(
                    .contact, .denied,
                    "The SSH key for \(address.shown) has no known hosts: add the line that `ssh-keyscan` prints for the host."
                )
            }
            let made = try PrivateFiles.write(
                [("key", key.hasSuffix("\n") ? key : key + "\n"), ("known_hosts", knownHosts + "\n")],
                below: privateDirectory)
            folder = made
            environment["GIT_SSH_COMMAND"] =
                GitSettings.ssh + " -F /dev/null -oIdentitiesOnly=yes -oIdentityAgent=none -oStrictHostKeyChecking=yes"
                + " -oGlobalKnownHostsFile=/dev/null -oUserKnownHostsFile=\(Self.quoted(made + "/known_hosts"))"
                + " -i \(Self.quoted(made + "/key"))"
        }
        process = GitProcess(environment: environment, options: options)
    }

    /// Removes what was written.
    func end() {
        if let folder { PrivateFiles.remove(folder) }
    }

    /// For the shell that git gives `GIT_SSH_COMMAND` to.
    private static func quoted(_ path: String) -> String {
        "'" + path.replacing("'", with: "'\\''") + "'"
    }
}
