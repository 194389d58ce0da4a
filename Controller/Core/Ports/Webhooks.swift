import AnsFlowProtocol

/// A webhook as it came in.
package struct WebhookRequest: Sendable {
    package var source: WebhookSource
    /// `?hook=`.
    package var hook: HookID?
    /// `?source=`: as the sender of a generic one calls itself.
    package var sourceName: String?
    /// Names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]
    package var remote: String
    /// The name of an API key with the scope `webhook`, for those that can't sign.
    package var keyName: String?
    /// The projects whose hooks that key may use.
    package var keyProjects = Visibility.all
    /// Milliseconds since 1970.
    package var at: Int64

    package init(
        source: WebhookSource, hook: HookID? = nil, sourceName: String? = nil, headers: [String: String],
        body: [UInt8], remote: String, keyName: String? = nil, at: Int64
    ) {
        self.source = source
        self.hook = hook
        self.sourceName = sourceName
        self.headers = headers
        self.body = body
        self.remote = remote
        self.keyName = keyName
        self.at = at
    }
}

/// Why a webhook was not taken.
package enum WebhookRefusal: Error, Equatable, Sendable {
    /// No hook's secret made this signature. The sender is told nothing else.
    case unauthenticated
    /// A caller that is known by its key must say which hook it means.
    case unclear(String)
    /// Seconds to wait.
    case full(retryAfter: Int)
    /// Nothing can be made durable now.
    case unavailable(String)
}

/// Places on a delivery's way, for tests that kill the process exactly there.
package enum WebhookCheckpoint: String, Sendable, CaseIterable {
    /// It is stored and not answered yet.
    case stored = "webhook_stored"
    /// It is claimed and not judged yet.
    case claimed = "webhook_claimed"
}

/// Takes webhooks: what it returns is verified and durable.
package protocol WebhookReceiving: Sendable {
    /// - Returns: the delivery, and whether the same came before.
    func receive(_ request: WebhookRequest) async throws(WebhookRefusal) -> (id: DeliveryID, isCopy: Bool)
}

/// A hook with its secrets' rows and, where it was just made, the secret's text.
package struct HookView: Sendable {
    package var row: HookRow
    package var secrets: [HookSecretRow]
    /// Shown once.
    package var secret: String?

    package init(row: HookRow, secrets: [HookSecretRow], secret: String? = nil) {
        self.row = row
        self.secrets = secrets
        self.secret = secret
    }
}

/// What people do with hooks and deliveries.
package protocol WebhookManaging: Sendable {
    func hooks(of project: ProjectID) async throws -> [HookView]
    func hook(_ id: HookID) async throws -> HookView?
    /// - Parameter secret: `nil` for a random one.
    /// - Throws: ``HookChange``.
    func createHook(_ row: HookRow, secret: String?) async throws -> HookView
    func updateHook(_ row: HookRow) async throws -> HookView
    func deleteHook(_ id: HookID, by actor: String) async throws
    /// Adds a secret beside the others, so that the sender can be changed without a gap.
    func addSecret(_ secret: String?, to hook: HookID, by actor: String) async throws -> HookView
    func deleteSecret(_ id: Int64, of hook: HookID) async throws
    /// Stores a delivery that says nothing but that the way from here on works.
    func test(_ hook: HookID, by actor: String) async throws -> DeliveryID
    func deliveries(_ filter: DeliveryFilter, page: Int, perPage: Int) async throws -> Page<DeliveryView>
    /// With its body as text, cut to `bodyBytesMax`; `nil` where it is no longer kept or not text.
    func delivery(_ id: DeliveryID, bodyBytesMax: Int) async throws -> (view: DeliveryView, body: String?)?
    /// Judges a delivery once more, as a new one.
    ///
    /// - Returns: `nil` where its body is no longer kept.
    func replay(_ id: DeliveryID, by actor: String) async throws -> DeliveryID?
}
