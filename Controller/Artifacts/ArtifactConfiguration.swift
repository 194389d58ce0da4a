import AnsFlowProtocol

/// Limits of the artifact store; times in milliseconds.
package struct ArtifactConfiguration: Sendable {
    package var fileBytesMax = ArtifactLimits.fileBytesMax
    /// Of what one job attempt keeps.
    package var jobBytesMax: UInt64 = 32 * 1024 * 1024 * 1024
    /// Of all content together.
    package var storeBytesMax: UInt64 = 256 * 1024 * 1024 * 1024
    /// Where a rule does not say.
    package var keepMsDefault: UInt64 = 90 * 24 * 3_600_000
    package var keepMsMin: UInt64 = 60_000
    package var keepMsMax: UInt64 = 3_650 * 24 * 3_600_000
    /// How long content that nothing names stays, and uploads that do not go on: a job that has sent it may name it until then.
    package var graceMs: Int64 = 24 * 3_600_000
    /// Test results of one job attempt.
    package var testsMax = 100_000

    package init() {}
}
