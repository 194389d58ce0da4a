/// What ties everything that is done for one request together: in its answer, in all log lines, in the run that it starts.
package struct RequestMark: Equatable, Sendable {
    package var requestID: String
    /// W3C Trace Context, checked.
    package var trace: String?

    package init(requestID: String, trace: String? = nil) {
        self.requestID = requestID
        self.trace = trace
    }

    /// Of the task that handles a request; nil elsewhere.
    @TaskLocal package static var current: RequestMark?
}

/// W3C Trace Context's `traceparent`, version 00.
package enum TraceParent {
    /// Whether `text` is one that others will take: lower-case hex, and neither id all zeros.
    package static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let dash = UInt8(ascii: "-")
        guard bytes.count == 55, bytes[0] == 0x30, bytes[1] == 0x30, bytes[2] == dash, bytes[35] == dash,
            bytes[52] == dash
        else { return false }
        let ids = [bytes[3..<35], bytes[36..<52], bytes[53..<55]]
        guard ids.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } }) else {
            return false
        }
        return ids[0].contains { $0 != 0x30 } && ids[1].contains { $0 != 0x30 }
    }
}
