import Foundation

/// The programs that tests of whole processes start.
package enum Binaries {
    /// `ANSFLOW_BINARIES`, or where the test program itself was built.
    package static let directory: String =
        ProcessInfo.processInfo.environment["ANSFLOW_BINARIES"] ?? BuiltProducts.directory

    package static var controller: String { "\(directory)/ansflow-controller" }
    package static var agent: String { "\(directory)/ansflow-agent" }
    package static var client: String { "\(directory)/ansflow" }

    /// Whether the long forms of tests are asked for.
    package static let isFull = ProcessInfo.processInfo.environment["ANSFLOW_TEST_FULL"] == "1"
    /// Whether what a failed test left is kept for reading.
    package static let keepsFiles = ProcessInfo.processInfo.environment["ANSFLOW_TEST_KEEP"] == "1"
}
