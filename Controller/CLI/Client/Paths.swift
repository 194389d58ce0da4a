import FoundationEssentials

/// Where the client keeps what it must remember.
package enum Paths {
    /// `$XDG_CONFIG_HOME/ansflow`, by default `~/.config/ansflow`.
    package static func configuration(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        if let base = environment["XDG_CONFIG_HOME"], base.hasPrefix("/") { return base + "/ansflow" }
        return home(environment) + "/.config/ansflow"
    }

    /// `$XDG_DATA_HOME/ansflow`, by default `~/.local/share/ansflow`: where `ansflow up` keeps everything.
    package static func data(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        if let base = environment["XDG_DATA_HOME"], base.hasPrefix("/") { return base + "/ansflow" }
        return home(environment) + "/.local/share/ansflow"
    }

    private static func home(_ environment: [String: String]) -> String {
        if let home = environment["HOME"], home.hasPrefix("/") { return home }
        return "/tmp"
    }

    /// `path` from the root, without `~` at its start and without a slash at its end.
    package static func absolute(_ path: String) -> String {
        var result = path
        if result == "~" || result.hasPrefix("~/") {
            result = home(ProcessInfo.processInfo.environment) + result.dropFirst()
        }
        if !result.hasPrefix("/") { result = FileManager.default.currentDirectoryPath + "/" + result }
        while result.count > 1, result.hasSuffix("/") { result.removeLast() }
        return result
    }
}
