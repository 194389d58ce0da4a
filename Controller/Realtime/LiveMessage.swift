import AnsFlowProtocol
package import ControllerCore
package import NIOCore

/// One message, encoded once as a whole WebSocket text frame and shared by all who get it.
package struct LiveMessage: Sendable {
    /// The topic's number that it carries.
    package var cursor: Int64
    /// Whose event it is; nil where everybody on the topic sees it.
    package var project: ProjectID?
    package var frame: ByteBuffer
}

/// Encodes what live topics send: `{"type","seq","at","data"}`.
package enum LiveEncoder {
    /// A server's text frame, unmasked, of RFC 6455 section 5.2.
    package static func frame(_ payload: [UInt8]) -> ByteBuffer {
        let count = payload.count
        var frame = ByteBufferAllocator().buffer(capacity: count + 10)
        frame.writeInteger(UInt8(0x81))
        switch count {
        case ...125: frame.writeInteger(UInt8(count))
        case ...Int(UInt16.max):
            frame.writeInteger(UInt8(126))
            frame.writeInteger(UInt16(count))
        default:
            frame.writeInteger(UInt8(127))
            frame.writeInteger(UInt64(count))
        }
        frame.writeBytes(payload)
        return frame
    }

    /// - Parameters:
    ///   - topic: Whose number `seq` is; nil where it is no topic's.
    ///   - data: Writes one JSON value.
    package static func message(
        _ type: String, topic: Topic? = nil, seq: Int64, at: Int64, capacity: Int = 512,
        data: (inout JSONWriter) -> Void
    ) -> LiveMessage {
        var json = JSONWriter(capacity: capacity)
        json.object { json in
            json.field("type", type)
            if let topic { json.field("topic", topic.description) }
            json.field("seq", seq)
            json.field("at", time: at)
            json.name("data")
            data(&json)
        }
        return LiveMessage(cursor: seq, frame: frame(json.bytes))
    }

    /// Its number is the run's on the run's own topic, the instance-wide one on all others.
    static func event(_ row: EventRow, for topic: Topic) -> LiveMessage {
        var message = message(
            row.kind.rawValue, topic: topic, seq: number(row, for: topic), at: row.at, capacity: row.data.count + 144
        ) { $0.raw(row.data) }
        message.project = row.project
        return message
    }

    static func log(
        _ source: LogSource, for topic: Topic, seq: Int64, at: Int64, firstLine: UInt64, lines: some Collection<UInt8>
    ) -> LiveMessage {
        message("log_update", topic: topic, seq: seq, at: at, capacity: lines.count + 256) { json in
            json.object { json in
                json.field("execution_id", source.run.rawValue)
                json.field("step", source.step)
                json.field("attempt", source.number)
                json.field("first_line", firstLine)
                json.name("lines")
                json.raw(lines)
            }
        }
    }

    /// The lines as ``LogBatch/json`` has them.
    package static func lines(_ lines: [LogLine]) -> [UInt8] {
        var json = JSONWriter(capacity: lines.reduce(64) { $0 + $1.text.utf8.count + 48 })
        json.array(lines) { json, line in
            json.object { json in
                json.field("n", line.number)
                json.field("t_ms", line.timeMs)
                json.field("text", line.text)
                if line.partial { json.field("partial", true) }
                if line.cut { json.field("cut", true) }
            }
        }
        return json.bytes
    }
}
