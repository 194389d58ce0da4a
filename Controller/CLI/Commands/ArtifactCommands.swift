package import ArgumentParser
import Glibc

package struct ArtifactCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "artifact",
        abstract: "List and fetch what a run's jobs have kept.",
        discussion: """
            Examples:
              ansflow artifact list 7
              ansflow artifact get 7 out/app -o app
              ansflow artifact get 7 build out/app
              ansflow artifact get 7 build --archive -o build.tar
            """,
        subcommands: [List.self, Get.self])

    package init() {}
}

struct ArtifactModel: Decodable, Sendable {
    var job: String
    var path: String
    var size: UInt64
    var sha256: String
    var executable: Bool?
    var expiresAt: String?
}

extension ArtifactCommand {
    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List what a run's jobs have kept.",
            discussion: """
                Examples:
                  ansflow artifact list 7
                  ansflow artifact list 7 --job build
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Id of the run.")
        package var run: Int64
        @Option(name: .long, help: "Only of this job.")
        package var job: String?

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let items = try await ArtifactLookup.all(run, job: job, client) { answer in
                    if connection.json { ConnectionOptions.printJSON(answer) }
                }
                if connection.json { return }
                var table = Table(["JOB", "PATH", "SIZE", "KEPT UNTIL"])
                for item in items {
                    table.add([item.job, item.path, String(item.size), Durations.short(item.expiresAt)])
                }
                Terminal.print(table.text())
            }
        }
    }

    package struct Get: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "get", abstract: "Fetch a file that a job has kept, or all of a job as a tar archive.",
            discussion: """
                A fetch that was cut off goes on where it broke: the part that is there lies beside the file, with `.part` behind \
                its name. The file appears when its SHA-256 is right.

                Examples:
                  ansflow artifact get 7 out/app -o app
                  ansflow artifact get 7 build out/app
                  ansflow artifact get 7 build out/notes.txt -o -
                  ansflow artifact get 7 build --archive | tar x
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Id of the run.")
        package var run: Int64
        @Argument(help: "The file's path; with the job's id in front where several jobs have one of that path.")
        package var names: [String]
        @Option(name: .shortAndLong, help: "Where to write it; - for standard output (default: the path's last part).")
        package var output: String?
        @Flag(name: .long, help: "All of the job as a tar archive.")
        package var archive = false

        package init() {}

        package func validate() throws {
            if archive, names.count != 1 { throw ValidationError("--archive takes the run and one job") }
            if names.isEmpty || names.count > 2 { throw ValidationError("name the file, or the job and the file") }
        }

        package func run() async throws {
            try await connection.withClient { client in
                if archive { return try await getArchive(client) }
                let (job, path) = names.count == 2 ? (names[0], names[1]) : (nil, names[0])
                let found = try await ArtifactLookup.all(run, job: job, client).filter { $0.path == path }
                guard let item = found.first else {
                    throw ClientFailure(
                        .notFound, "Run \(run) has kept no \(SafeText.line(path, colours: false)).",
                        cure: "`ansflow artifact list \(run)` shows what there is.")
                }
                guard found.count == 1 else {
                    let jobs = found.map { SafeText.line($0.job, colours: false) }.joined(separator: ", ")
                    throw ClientFailure(
                        .usage, "Several jobs have kept this file: \(jobs).",
                        cure: "Name the job in front of the path: ansflow artifact get \(run) JOB PATH")
                }
                let query = [("job", item.job), ("path", item.path)]
                let address = "/api/v1/pipeline-runs/\(run)/artifacts/file"
                let target = output ?? path.split(separator: "/").last.map(String.init) ?? "artifact"
                let download = FileDownload(client: client, path: address, query: query, thing: "The file")
                try await download.run(
                    to: target, size: item.size, sha256: item.sha256, executable: item.executable ?? false)
                if target != "-", Terminal.isTerminal { Terminal.note("\(target): \(item.size) bytes") }
            }
        }

        private func getArchive(_ client: APIClient) async throws {
            let target = output ?? (isatty(1) == 1 ? "artifacts-\(run).tar" : "-")
            let download = FileDownload(
                client: client, path: "/api/v1/pipeline-runs/\(run)/artifacts/archive", query: [("job", names[0])],
                thing: "Run \(run) or its job \(SafeText.line(names[0], colours: false))")
            try await download.run(to: target)
        }
    }
}

enum ArtifactLookup {
    /// All of a run's files, over all pages.
    static func all(
        _ run: Int64, job: String?, _ client: APIClient, each: (Answer) -> Void = { _ in }
    ) async throws -> [ArtifactModel] {
        var items: [ArtifactModel] = []
        var page = 1
        while true {
            var query = [("page", String(page)), ("per_page", "100")]
            if let job { query.append(("job", job)) }
            let answer = try await client.get(
                "/api/v1/pipeline-runs/\(run)/artifacts", query: query, thing: "Run \(run)")
            each(answer)
            let listing = try answer.decode(Listing<ArtifactModel>.self)
            items += listing.items
            guard listing.items.count == 100, items.count < (listing.total ?? 0) else { return items }
            page += 1
        }
    }
}
