import ArgumentParser
import ControllerCore
import ControllerMaintenance

/// How long things are kept, and what is backed up.
struct KeepingOptions: ParsableArguments {
    @Option(help: "Days from a run's end until all of it goes; 0 keeps it for ever.")
    var keepRunsDays = 365

    @Option(help: "Days from a run's end until its logs go; 0 keeps them for ever.")
    var keepLogsDays = 90

    @Option(
        help: "Days that an artifact stays whose pipeline does not say.")
    var keepArtifactsDays = 90

    @Option(help: "Newest runs of each pipeline that always stay, with their logs.")
    var keepNewestRuns = 10

    @Option(help: "Most runs of one pipeline, the oldest go; 0 is any number.")
    var runsPerPipelineMax = 0

    @Option(help: "MiB of all logs as steps wrote them, the oldest go; 0 is any number.")
    var logsMaxMib = 0

    @Option(help: "MiB of all artifacts, those of the oldest runs go; 0 is any number.")
    var artifactsMaxMib = 0

    @Option(help: "Directory for backups; best on another disk.")
    var backupDir: String?

    @Option(help: "Hours between two backups; 0 makes none by itself.")
    var backupEveryHours = 24

    @Option(help: "How many backups stay.")
    var backupKeep = 7

    @Option(
        help: "A file whose first line is the passphrase that seals the keys in backups; without one they are left out."
    )
    var backupPassphraseFile: String?

    func validate() throws {
        let numbers = [
            ("--keep-runs-days", keepRunsDays, 0...36_500), ("--keep-logs-days", keepLogsDays, 0...36_500),
            ("--keep-artifacts-days", keepArtifactsDays, 1...3_650),
            ("--keep-newest-runs", keepNewestRuns, 0...100_000),
            ("--runs-per-pipeline-max", runsPerPipelineMax, 0...10_000_000),
            ("--logs-max-mib", logsMaxMib, 0...1_000_000_000),
            ("--artifacts-max-mib", artifactsMaxMib, 0...1_000_000_000),
            ("--backup-every-hours", backupEveryHours, 0...8_784), ("--backup-keep", backupKeep, 1...10_000),
        ]
        for (name, value, range) in numbers where !range.contains(value) {
            throw ValidationError("\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound).")
        }
    }

    var retention: RetentionPolicy {
        func days(_ days: Int) -> Int64? { days == 0 ? nil : Int64(days) * RetentionPolicy.dayMs }
        func bytes(_ mib: Int) -> UInt64? { mib == 0 ? nil : UInt64(mib) << 20 }
        var policy = RetentionPolicy()
        policy.runsMs = days(keepRunsDays)
        policy.logsMs = days(keepLogsDays)
        policy.keptPerPipeline = keepNewestRuns
        policy.runsPerPipelineMax = runsPerPipelineMax == 0 ? nil : runsPerPipelineMax
        policy.logBytesMax = bytes(logsMaxMib)
        policy.artifactBytesMax = bytes(artifactsMaxMib)
        return policy
    }

    /// - Throws: ``BackupRefusal`` where the passphrase can't be read.
    func backups() throws -> Backups.Settings {
        Backups.Settings(
            directory: backupDir,
            everyMs: backupEveryHours == 0 ? nil : Int64(backupEveryHours) * 3_600_000,
            keep: backupKeep, passphrase: try backupPassphraseFile.map { try PassphraseOption.read($0) })
    }
}
