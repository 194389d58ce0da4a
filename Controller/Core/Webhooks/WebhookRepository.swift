import AnsFlowProtocol

/// What became of a delivery that was to be stored.
package enum DeliveryReceipt: Equatable, Sendable {
    case stored(DeliveryID)
    /// The same came before: this one.
    case duplicate(DeliveryID)
    /// Too many wait to be judged.
    case full
}

/// How copies of a delivery are told that come under another id.
package enum CopyRule: Equatable, Sendable {
    /// The id is signed: only the same id is the same delivery.
    case byID
    /// Only the body is signed, so whoever caught one can send it again under any id.
    case byBody
    /// Nothing is signed: the same body within this time is a copy.
    case byBodyWithin(Int64)
}

/// A delivery that is to be stored.
package struct NewDelivery: Sendable {
    package var row: DeliveryRow
    package var copies: CopyRule

    package init(_ row: DeliveryRow, copies: CopyRule) {
        self.row = row
        self.copies = copies
    }
}

/// What the list of deliveries may be narrowed to.
package struct DeliveryFilter: Equatable, Sendable {
    package var hook: HookID?
    package var project: ProjectID?
    /// Only of these projects: what the caller may see.
    package var visible = Visibility.all
    package var source: WebhookSource?
    package var state: DeliveryState?
    package var event: String?
    package var since: Int64?
    package var until: Int64?
    /// Part of the sender's id or of the message.
    package var text: String?
    package var isOldestFirst = false
    /// Only those that stand behind this one in the list.
    package var after: DeliveryID?

    package init() {}
}

/// A delivery with what it did to each pipeline.
package struct DeliveryView: Equatable, Sendable {
    package var row: DeliveryRow
    package var hookName: String
    package var verdicts: [DeliveryVerdict]

    package init(row: DeliveryRow, hookName: String, verdicts: [DeliveryVerdict]) {
        self.row = row
        self.hookName = hookName
        self.verdicts = verdicts
    }
}

/// The newest commit of a branch that is known of a hook's repository.
package struct HookHead: Equatable, Sendable {
    package var branch: String
    package var commit: String

    package init(branch: String, commit: String) {
        self.branch = branch
        self.commit = commit
    }
}

/// Hooks and deliveries. Each method is one transaction.
package protocol WebhookRepository: Sendable {
    // MARK: Hooks

    /// All, by id; with their secrets, sealed.
    func allHooks() async throws -> [(row: HookRow, secrets: [HookSecretRow])]
    /// By name.
    func hooks(of project: ProjectID) async throws -> [HookRow]
    func hook(_ id: HookID) async throws -> (row: HookRow, secrets: [HookSecretRow])?
    /// Makes a hook with its first secret.
    ///
    /// - Parameter seal: called inside the transaction with the secret's row whose ids are known.
    /// - Throws: ``HookChange``.
    func createHook(
        _ row: HookRow, seal: @escaping @Sendable (HookSecretRow) throws -> (keyID: String, sealed: [UInt8])
    ) async throws -> HookRow
    /// Writes name, pipelines, repository, catch-up and whether it is enabled.
    func updateHook(_ row: HookRow) async throws -> HookRow
    /// Its deliveries stay readable.
    func deleteHook(_ id: HookID, by actor: String, at: Int64) async throws
    func addHookSecret(
        _ hook: HookID, by actor: String, at: Int64,
        seal: @escaping @Sendable (HookSecretRow) throws -> (keyID: String, sealed: [UInt8])
    ) async throws -> HookSecretRow
    /// - Throws: ``HookChange/lastSecret`` for the only one.
    func deleteHookSecret(_ id: Int64, of hook: HookID) async throws
    /// Notes which repository a hook belongs to, where nobody has said it yet.
    func bindHook(_ id: HookID, repository: String, url: String) async throws
    /// Grows with each change of a hook.
    var hooksVersion: UInt64 { get }

    // MARK: Deliveries

    /// Stores deliveries, or says which they are copies of. Durable on return.
    func receive(_ deliveries: [NewDelivery]) async throws -> [DeliveryReceipt]
    /// Takes deliveries that are due, oldest first, and counts the try that is about to begin.
    func claimDeliveries(limit: Int, now: Int64) async throws -> [DeliveryRow]
    /// What an earlier process left in the middle is to be judged again.
    func releaseDeliveries() async throws
    /// A try failed.
    func retryDelivery(_ id: DeliveryID, at: Int64?, message: String) async throws
    func deliveries(_ filter: DeliveryFilter, page: Int, perPage: Int) async throws -> Page<DeliveryView>
    func delivery(_ id: DeliveryID) async throws -> DeliveryView?
    /// The one that its sender gave this id.
    func delivery(named name: String, of hook: HookID) async throws -> DeliveryID?
    /// Forgets what is no longer to be kept. Gives how many rows and bodies went.
    func sweepDeliveries(now: Int64) async throws -> Int

    // MARK: Heads

    func heads(of hook: HookID) async throws -> [HookHead]
    func saveHeads(_ heads: [HookHead], of hook: HookID) async throws
    func removeHeads(_ branches: [String], of hook: HookID) async throws
}
