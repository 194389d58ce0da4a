import ControllerCore
import ControllerStore
import Logging
import ServiceLifecycle

/// Writes the audit log's newest hash to the log once an hour: whoever rewrites the database can't rewrite what was sent there.
struct AuditHeadService: Service {
    let audit: any AuditLog
    let logger = Logger(label: "ansflow.audit")

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat { await tell() } while (try? await Task.sleep(for: .seconds(3600))) != nil
        }
        await tell()
    }

    private func tell() async {
        guard let head = try? await audit.head() else { return }
        logger.info("audit head", metadata: ["id": "\(head.id)", "hash": "\(head.hash)"])
    }
}

/// Log lines of a request's task carry its id and trace.
enum RequestMetadata {
    static let provider = Logger.MetadataProvider {
        guard let mark = RequestMark.current else { return [:] }
        var metadata: Logger.Metadata = ["request_id": "\(mark.requestID)"]
        if let trace = mark.trace { metadata["traceparent"] = "\(trace)" }
        return metadata
    }
}
