package import ArgumentParser
package import ControllerCore
import ControllerPipelines
import FoundationEssentials

/// Checks definitions on this machine, with the reader that the controller uses. On the main thread: the memory of others grows by a
/// page for each call of the system.
package struct ValidateCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check definitions on this machine, without a controller.",
        discussion: """
            Prints all that is wrong, each finding as FILE:LINE:COLUMN: severity: text, and exits 1 where any file has an error. What \
            a run is given (inputs, branch, commit) is judged when it is started. `ansflow pipeline validate` asks the controller.

            Examples:
              ansflow validate
              ansflow validate .ansflow.yml nightly.yml --graph
              generate-pipeline | ansflow validate - --json
            """)

    @Argument(help: "Definitions, or - for standard input (default: .ansflow.yml).")
    package var files: [String] = []
    @Flag(name: .long, help: "Print the graph that each definition makes: jobs, their steps and what they need.")
    package var graph = false
    @Flag(name: .long, help: "Print one JSON object: valid, files[].diagnostics[].")
    package var json = false

    package init() {}

    package func validate() throws {
        guard files.count(where: { $0 == "-" }) < 2 else {
            throw ValidationError("standard input can be read once only")
        }
    }

    package func run() throws {
        let reports = try (files.isEmpty ? [".ansflow.yml"] : files).map(LocalValidation.init)
        if json {
            Terminal.print(try LocalValidation.json(reports))
        } else {
            for report in reports { show(report) }
        }
        if !reports.allSatisfy(\.isValid) { throw ExitCode(ClientFailure.Kind.negative.rawValue) }
    }

    private func show(_ report: LocalValidation) {
        let style = Style()
        for diagnostic in report.diagnostics {
            Terminal.print(DiagnosticText.line(diagnostic, file: diagnostic.file, style: style))
        }
        if report.isValid { Terminal.print("\(report.file): ok") }
        if graph, let plan = report.plan { Terminal.print(GraphText.graph(plan)) }
    }
}

/// What is wrong with one file, found out here.
package struct LocalValidation {
    /// As people read it.
    package var file: String
    package var plan: RunPlan?
    package var diagnostics: [ControllerCore.Diagnostic]

    package var isValid: Bool { !diagnostics.contains { $0.severity == .error } }

    /// - Parameter path: a file, or `-` for standard input.
    /// - Throws: ``ClientFailure`` where it can't be read.
    package init(_ path: String) throws {
        file = path == "-" ? "<stdin>" : path
        let bytes = try FileIO.read(path, limit: PlanLimits.sourceBytesMax + 1)
        let top = Self.top(of: path)
        // Definitions mostly lie in the repository that their runs check out, so one is taken as given.
        let context = CompileContext(
            repository: "https://repository.invalid/definition", allowLocalRepositories: true, isDraft: true)
        let place = Self.place(of: path, below: top)
        let included = try Self.included(by: String(decoding: bytes, as: UTF8.self), file: place, top: top)
        let outcome = PipelineCompiler.compile(bytes, file: place, includes: included, context: context)
        diagnostics = outcome.diagnostics
        // The file is called as the user calls it; those that it includes by their place in the repository.
        for index in diagnostics.indices where diagnostics[index].file == place { diagnostics[index].file = file }
        plan = outcome.plan
    }

    /// The top of the git checkout that the file lies in; the working directory where it lies in none.
    private static func top(of path: String) -> String {
        let here = FileManager.default.currentDirectoryPath
        var folder = path == "-" ? here : folder(of: Paths.absolute(path))
        while true {
            if FileManager.default.fileExists(atPath: folder + "/.git") { return folder }
            guard folder.count > 1 else { return here }
            folder = Self.folder(of: folder)
        }
    }

    private static func folder(of path: String) -> String {
        let parent = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        return parent.isEmpty ? "/" : String(parent)
    }

    private static func place(of path: String, below top: String) -> String {
        if path == "-" { return ".ansflow.yml" }
        let absolute = Paths.absolute(path)
        return absolute.hasPrefix(top + "/") ? String(absolute.dropFirst(top.count + 1)) : path
    }

    /// Texts of the files that the definition includes, by their path from the top.
    private static func included(by text: String, file: String, top: String) throws -> [String: String] {
        do {
            var walk = try IncludeWalk(file: file, includes: PipelineCompiler.includes(of: text))
            while let path = walk.wanted {
                let bytes = try FileIO.read("\(top)/\(path)", limit: PlanLimits.sourceBytesMax)
                let text = String(decoding: bytes, as: UTF8.self)
                try walk.add(text, includes: PipelineCompiler.includes(of: text))
            }
            return walk.texts
        } catch let refusal as IncludeWalk.Refusal {
            throw ClientFailure(.refused, "\(refusal.file): \(refusal.description)")
        }
    }

    private struct Report: Encodable {
        struct File: Encodable {
            var file: String
            var valid: Bool
            var diagnostics: [ControllerCore.Diagnostic]
        }

        var valid: Bool
        var files: [File]
    }

    package static func json(_ reports: [LocalValidation]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let report = Report(
            valid: reports.allSatisfy(\.isValid),
            files: reports.map { Report.File(file: $0.file, valid: $0.isValid, diagnostics: $0.diagnostics) })
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }
}
