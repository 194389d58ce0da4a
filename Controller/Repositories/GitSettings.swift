import ControllerCore

/// What every git process gets: nothing of the system's or the account's configuration, and nothing that a repository could use to
/// have a program run.
enum GitSettings {
    /// Variables of this process that git may see.
    private static let kept = [
        "PATH", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "GIT_SSL_CAINFO",
    ]
    /// More of them, where this account's own identity may be used.
    private static let keptOfAccount = ["HOME", "USER", "SSH_AUTH_SOCK"]

    /// Written to the file that stands for the account's configuration. Repositories of other users of this host are only
    /// reached with an address that the controller was told to allow.
    static let configuration = "[safe]\n\tdirectory = *\n"

    static let options = [
        "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0", "-c",
        "maintenance.auto=false",
        "-c", "protocol.allow=never", "-c", "credential.helper=", "-c", "fetch.recurseSubmodules=false",
        "-c", "advice.detachedHead=false", "-c", "http.followRedirects=initial", "-c", "core.askPass=",
    ]

    static func environment(
        of configuration: RepositoryCacheConfiguration, home: String, file: String, protocols: String
    ) -> [String: String] {
        let names = kept + (configuration.usesOwnIdentity ? keptOfAccount : [])
        var values = configuration.environment.filter { names.contains($0.key) }
        values["PATH"] = values["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        values["HOME"] = values["HOME"] ?? home
        // Its words are sorted by their English form.
        values["LC_ALL"] = "C.UTF-8"
        values["LANGUAGE"] = "C"
        values["GIT_TERMINAL_PROMPT"] = "0"
        // Empty, so that git looks for no program to ask with.
        values["GIT_ASKPASS"] = ""
        values["GIT_ALLOW_PROTOCOL"] = protocols
        values["GIT_CONFIG_NOSYSTEM"] = "1"
        values["GIT_CONFIG_GLOBAL"] = file
        values["GIT_LITERAL_PATHSPECS"] = "1"
        values["GIT_OPTIONAL_LOCKS"] = "0"
        values["GIT_LFS_SKIP_SMUDGE"] = "1"
        values["GIT_HTTP_LOW_SPEED_LIMIT"] = "1000"
        values["GIT_HTTP_LOW_SPEED_TIME"] = "30"
        values["GIT_SSH_COMMAND"] = ssh + (configuration.usesOwnIdentity ? "" : " -F /dev/null -oIdentityAgent=none")
        values["GIT_SSH_VARIANT"] = "ssh"
        return values
    }

    static let ssh =
        "ssh -oBatchMode=yes -oConnectTimeout=15 -oServerAliveInterval=15 -oServerAliveCountMax=2 -oForwardAgent=no"
}
