import ControllerCore
import HTTPTypes
import Synchronization

/// Ids that tie an answer, a log line and a caller's own trace together.
enum RequestIdentity {
    private static let counter = Atomic<UInt64>(0)
    private static let prefix = String(UInt32.random(in: .min ... .max), radix: 36)

    /// The caller's `X-Request-ID` where it is harmless, else a new one.
    static func id(_ headers: HTTPFields) -> String {
        if let given = headers[.xRequestID], (1...64).contains(given.utf8.count),
            given.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                    || $0 == 0x2E || $0 == 0x5F
            })
        {
            return given
        }
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        return prefix + "-" + String(number, radix: 36)
    }

    /// The caller's `traceparent` (W3C Trace Context) where it is well-formed.
    static func trace(_ headers: HTTPFields) -> String? {
        headers[.traceparent].flatMap { TraceParent.isValid($0) ? $0 : nil }
    }
}

extension HTTPField.Name {
    static let xRequestID = Self("X-Request-ID")!
    static let traceparent = Self("traceparent")!
    static let xAPIKey = Self("X-API-Key")!
    static let idempotencyKey = Self("Idempotency-Key")!
    static let idempotencyReplayed = Self("Idempotency-Replayed")!
    static let referrerPolicy = Self("Referrer-Policy")!
    static let link = Self("Link")!
}
