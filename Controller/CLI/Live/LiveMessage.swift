/// A message of `/ws/executions/{id}/`, as far as the client needs it. The state itself is read again over HTTP; the pushed lines
/// are shown at once where they fit.
package struct LiveMessage: Decodable, Sendable {
    package struct Content: Decodable, Sendable {
        package var step: String?
        package var stepId: Int64?
        package var attempt: Int?
        package var firstLine: Int64?
        package var lines: [LogLineModel]?
    }

    package var type: String
    /// Number of the run's event; a `log_update` repeats the last one.
    package var seq: Int64?
    package var data: Content?

    /// Nil for text that is no such message: the protocol may grow.
    package static func parse(_ text: [UInt8]) -> LiveMessage? {
        try? JSON.decode(LiveMessage.self, from: text)
    }
}
