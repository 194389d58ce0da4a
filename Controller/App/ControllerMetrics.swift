import ControllerCore
import ControllerHTTP
import ControllerStore
import Foundation
import Glibc
import Synchronization

/// Lines of `/metrics` that the listener itself knows nothing of.
struct ControllerMetrics: Sendable {
    let database: Database
    let disk: Disk
    let ingest: LogIngest
    let dataDirectory: String
    let version: String
    let started: Int64

    func text() async -> String {
        var text = PrometheusText()
        await runs(&text)
        database.commitTimes.write(
            to: &text, "ansflow_commit_duration_seconds",
            "From handing a transaction to the database until it is durable.")
        text.gauge(
            "ansflow_log_bytes_total", "Log bytes that were taken from agents.",
            ingest.taken.load(ordering: .relaxed), type: "counter")
        await audit(&text)
        text.gauge(
            "ansflow_disk_free_bytes", "Free room where the controller keeps its data.", disk.freeBytes ?? 0)
        text.gauge("ansflow_disk_floor_bytes", "Below this no new run is taken.", disk.floorBytes)
        text.gauge(
            "ansflow_database_bytes", "Size of the database file.", Self.size(dataDirectory + "/ansflow.db"))
        text.gauge(
            "ansflow_database_wal_bytes", "Size of the database's write-ahead log.",
            Self.size(dataDirectory + "/ansflow.db-wal"))
        process(&text)
        text.family("ansflow_build_info", "gauge", "1, with the version as a label.")
        text.sample("ansflow_build_info", [("version", version)], "1")
        return text.text
    }

    private func runs(_ text: inout PrometheusText) async {
        let counts = (try? await database.runCounts()) ?? [:]
        text.family("ansflow_runs", "gauge", "Runs that are kept, by status.")
        for status in Status.allCases {
            text.sample("ansflow_runs", [("status", status.rawValue)], "\(counts[status] ?? 0)")
        }
    }

    private func audit(_ text: inout PrometheusText) async {
        let head = try? await database.head()
        text.gauge("ansflow_audit_entries_total", "Rows of the audit log.", head?.id ?? 0, type: "counter")
    }

    private func process(_ text: inout PrometheusText) {
        var usage = rusage()
        // The name's type differs by who imports the header.
        getrusage(.init(RUSAGE_SELF.rawValue), &usage)
        let seconds =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1_000_000
        text.family("process_cpu_seconds_total", "counter", "Processor time that the controller has used.")
        text.sample("process_cpu_seconds_total", [], "\(seconds)")
        text.gauge("process_resident_memory_bytes", "Resident memory of the controller.", Self.residentBytes)
        text.gauge("process_open_fds", "Open file descriptors of the controller.", Self.openDescriptors)
        text.gauge("process_start_time_seconds", "When the controller was started, since 1970.", started / 1000)
    }

    /// Never by opening it: closing a file gives up the locks that SQLite holds on it in this process.
    private static func size(_ path: String) -> Int64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
    }

    private static var residentBytes: Int64 {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
            separator: " ")
        return fields.count > 1 ? (Int64(fields[1]) ?? 0) * Int64(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    private static var openDescriptors: Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // The two dots, and the directory that is being read.
        return max(0, count - 3)
    }
}
