import NIOSSL

/// Says in words what went wrong with TLS and what to do about it.
package enum TLSExplanation {
    /// A sentence for people.
    package static func text(of error: any Error) -> String {
        if let extra = error as? NIOSSLExtraError, extra == .failedToValidateHostname {
            return "The controller's certificate does not name the host that was dialled. "
                + "Dial it by a name that it has, or start it with --agent-name for this one."
        }
        let raw = "\(error)"
        for (mark, text) in known where raw.contains(mark) { return text }
        return raw
    }

    /// What BoringSSL writes into its error texts, and what it means here.
    private static let known: [(String, String)] = [
        (
            "CERTIFICATE_EXPIRED",
            "The other side says that the certificate has expired. Check both clocks; renewal needs no old certificate."
        ),
        (
            "UNKNOWN_CA",
            "The other side does not know the authority that signed the certificate: it belongs to another controller. Enrol again."
        ),
        (
            "CERTIFICATE_VERIFY_FAILED",
            "The certificate can't be verified: it is signed by another authority than the one that this side pinned, "
                + "or it is not valid at this time. Check the address and the clock."
        ),
        ("WRONG_VERSION_NUMBER", "The other side does not speak TLS at this port."),
        ("HTTP_REQUEST", "The other side speaks plain HTTP; this port is for TLS only."),
        ("uncleanShutdown", "The other side cut the connection without a goodbye."),
    ]
}
