package import ArgumentParser
import FoundationEssentials
import Glibc

/// The built-in step `checkout` of a local run: the working tree instead of a repository.
package struct ExecCheckoutCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "step-checkout", abstract: "The built-in step that copies the working tree.",
        shouldDisplay: false)

    package init() {}

    package func run() throws {
        let environment = ProcessInfo.processInfo.environment
        // The mirrors lie in the run's directory; so its settings are beside them.
        guard let mirrors = environment["ANSFLOW_MIRRORS"], let end = mirrors.lastIndex(of: "/") else {
            throw ClientFailure(.usage, "This is a step of `ansflow exec` and no command of its own.")
        }
        let settings = try ExecDirectory.settings(in: String(mirrors[..<end]))
        guard let source = settings.source else {
            throw ClientFailure(.usage, "There is no working tree to copy.")
        }
        if settings.inPlace { return Terminal.print("Steps run in \(source) itself.") }
        try copy(source, to: FileManager.default.currentDirectoryPath)
    }

    private func copy(_ source: String, to target: String) throws {
        try cloneHistory(of: source, to: target)
        var copy = TreeCopy()
        for path in try LocalCheckout.files(in: source) { try copy.copy(path, from: source, to: target) }
        Terminal.print("Copied \(copy.files) files (\(copy.bytes) bytes) of the working tree \(source)")
    }

    /// History and tags without their objects, which stay where they are, so that steps can ask git.
    private func cloneHistory(of source: String, to target: String) throws {
        let clone = try Capture.run(
            "git", ["clone", "--quiet", "--shared", "--no-checkout", "--", source, "\(target)/.ansflow-clone"],
            quiet: false)
        guard clone.succeeded else { throw ClientFailure(.usage, "git cannot clone \(source).") }
        guard rename("\(target)/.ansflow-clone/.git", "\(target)/.git") == 0 else {
            throw ClientFailure(.usage, "The clone cannot be moved: \(FileIO.reason()).")
        }
        rmdir("\(target)/.ansflow-clone")
        // What is staged in the working tree is a plain change here.
        _ = try Capture.run("git", ["-C", target, "read-tree", "HEAD"])
    }
}
