/// What another system says of a run that it executes.
package enum ReportedStatus: String, Sendable, CaseIterable {
    case running, success, failed, cancelled
}

package enum ReportFailure: Error, Equatable, Sendable {
    /// It was not taken up yet, since many others are: soon.
    case waiting
    /// It has its end, or AnsFlow executes it itself.
    case notOpen
    /// Bytes between the end of the log and the offset are missing; it ends here.
    case hole(end: UInt64)
    /// The log has its largest size.
    case full(bytesMax: UInt64)
    /// Nothing can be made durable now.
    case unavailable
}

/// Runs that another system executes and reports: their state and log come through the interface.
package protocol ReportedRuns: Sendable {
    /// Makes ready for the first of them. Call it before one is created.
    func prepare() async throws
    /// Keeps output. On return it is durable.
    ///
    /// - Parameter offset: where in the log the bytes begin, so that what is sent again is kept once; nil for its end.
    /// - Returns: bytes in the log.
    func append(_ bytes: [UInt8], to run: RunID, at offset: UInt64?) async throws(ReportFailure) -> UInt64
    /// Notes a state. On return it is durable.
    func report(
        _ status: ReportedStatus, exitCode: Int32?, message: String?, of run: RunID
    ) async throws(ReportFailure)
}
