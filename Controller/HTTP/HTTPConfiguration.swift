package import NIOCore

/// The users' listener and its limits.
package struct HTTPConfiguration: Sendable {
    package var host = "127.0.0.1"
    /// 0 takes a free one; see ``Server/port``.
    package var port = 8080
    /// How users reach this controller: for links and the check of `Origin`. Empty where it is what they wrote.
    package var publicURL = ""
    package var version = "0.1.0"
    package var environment = "production"
    /// For TLS; without it plain HTTP is served, to loopback and to ``proxies`` alone.
    package var certificate: ListenerCertificate?
    package var proxies = TrustedProxies()
    /// Between two looks for a new certificate.
    package var certificateRecheck = Duration.seconds(5)
    /// Whether pipelines may name repositories on the controller's own disk.
    package var allowLocalRepositories = false
    /// Where agents connect to; shown with a new enrolment token.
    package var gatewayURL = ""
    /// Of the agents' certificate authority, shown with a new enrolment token.
    package var authorityFingerprint = ""
    /// Where Swagger UI's files are; empty where they are not there.
    package var docsDirectory = ""
    /// Where the web page's unbundled sources are served from while they are written; empty for what is built in.
    package var webRoot = ""
    package var bodyBytesMax = 1024 * 1024
    package var headerListBytesMax = 32 * 1024
    package var headerFieldBytesMax = 20 * 1024
    package var headerCountMax = 100
    package var connectionsMax = 20_000
    /// Connections of one address that have not sent a request's head yet; beyond it the oldest is closed for each new one.
    package var waitingHeadsPerAddressMax = 512
    /// How long a reader may take nothing of what waits for it.
    package var stallDeadline = TimeAmount.seconds(60)
    /// From accept until a request's head is there.
    package var headDeadline = TimeAmount.seconds(10)
    /// From a head until its body is there.
    package var bodyDeadline = TimeAmount.seconds(30)
    /// Between two requests of one connection.
    package var keepAlive = TimeAmount.seconds(60)
    package var webSocketPing = TimeAmount.seconds(10)
    package var webSocketSilence = TimeAmount.seconds(30)
    /// How often the owner of an open WebSocket is checked again.
    package var webSocketRecheck = TimeAmount.seconds(3)
    /// Of each cache of encoded answers; 0 for none.
    package var cacheBytesMax = 32 * 1024 * 1024
    package var rateLimits = RateLimitSettings.none
    /// Other sites whose pages may read answers, as browsers send them in `Origin`; `*` for all.
    package var corsOrigins: [String] = []
    /// Takes access log lines, many at a time; nil for none.
    package var accessLog: (@Sendable (ByteBuffer) -> Void)? = AccessLog.standardError
    /// Wall clock, ms since 1970.
    package var now: @Sendable () -> Int64

    package init(now: @escaping @Sendable () -> Int64) {
        self.now = now
    }
}
