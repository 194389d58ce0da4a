import ControllerCore
import Glibc
import Logging

/// One JSON object a line on standard error.
struct JSONLogHandler: LogHandler {
    let label: String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var json = JSONWriter(capacity: 256)
        json.object { object in
            object.field("time", time: Clocks.wall())
            object.field("level", event.level.rawValue)
            object.field("logger", label)
            object.field("message", event.message.description)
            let given = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }
            let all = given.merging(event.metadata ?? [:]) { $1 }
            if all.isEmpty { return }
            object.field("metadata", all.mapValues(\.description))
        }
        StandardError.say(json.bytes)
    }
}

enum StandardError {
    static func say(_ text: String) { say(Array(text.utf8)) }

    /// One write a line: lines of several threads do not mix.
    static func say(_ bytes: [UInt8]) {
        let line = bytes + [UInt8(ascii: "\n")]
        _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }
}
