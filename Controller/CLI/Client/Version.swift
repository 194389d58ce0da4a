package enum Version {
    /// The client's version, as `--version` prints it.
    package static let text = "0.1.0"
}
