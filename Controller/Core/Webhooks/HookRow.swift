import AnsFlowProtocol

/// A place that webhooks come to.
package struct HookID: Identifier {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
}

/// One webhook that came.
package struct DeliveryID: Identifier {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
}

/// Who sends. Each has its own address, its own way to sign and its own words.
package enum WebhookSource: String, Sendable, CaseIterable, Codable {
    case github, gitlab, gitea, bitbucket, jenkins, generic

    /// Whether it tells of a repository's pushes and pull requests.
    package var isForge: Bool { self != .jenkins && self != .generic }
}

/// Limits of webhooks.
package enum WebhookLimits {
    package static let bodyBytesMax = 25 << 20
    package static let hooksPerProjectMax = 200
    /// Of one hook: the newest signs, the older ones are still taken until they are deleted.
    package static let secretsMax = 5
    package static let secretBytesMin = 16
    package static let secretBytesMax = 256
    package static let pipelinesMax = 100
    package static let nameBytesMax = 64
    /// A sender's own id of a delivery; a longer one is cut.
    package static let deliveryIDBytesMax = 200
    /// Deliveries that are not judged yet; one more is refused for a while.
    package static let waitingMax = 100_000
    /// Their stored bytes together.
    package static let waitingBytesMax: Int64 = 1 << 30
    /// How long ids and hashes of bodies are remembered, and so deliveries shown.
    package static let keptMs: Int64 = 40 * 86_400_000
    /// How long bodies are kept once they are judged, for looking at and for replays.
    package static let bodyKeptMs: Int64 = 7 * 86_400_000
    /// Of bodies that are kept, together; the oldest go first.
    package static let bodiesBytesMax: Int64 = 512 << 20
    /// How far a signed time may be off, both ways.
    package static let clockToleranceMs: Int64 = 300_000
    /// Pauses after each try to judge that failed; with the last one gone it is given up.
    package static let pausesMs: [Int64] = [5_000, 30_000, 120_000, 600_000, 1_800_000]

    /// Letters, digits, `-`, `_`, `.`: it stands in addresses and in `on.webhook.source`.
    package static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= nameBytesMax
            && name.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || [45, 46, 95].contains($0)
            }
    }
}

/// What a hook does about pushes that came while the controller was down, or that the forge did not deliver.
package enum HookCatchUp: String, Sendable, CaseIterable, Codable {
    case off
    /// They are shown, and start runs when somebody replays them.
    case offer
    /// They start runs as if they had been delivered.
    case start
}

/// A hook as it is stored.
package struct HookRow: Equatable, Sendable {
    package var id: HookID
    package var project: ProjectID
    package var source: WebhookSource
    package var name: String
    package var enabled: Bool
    /// The forge's own id of the repository; empty until the first verified delivery names it.
    package var repositoryID: String
    /// For people, and for finding pipelines; empty where nobody gave it and nothing was delivered.
    package var repositoryURL: String
    /// What it may start; empty for all pipelines of the project that check out its repository.
    package var pipelines: [PipelineID]
    package var catchUp: HookCatchUp
    /// Whether the sender's builds are shown as runs of the hook's pipelines, instead of starting runs here.
    package var mirrorsBuilds: Bool
    package var createdBy: String
    package var createdAt: Int64
    package var updatedAt: Int64
    package var lastDeliveryAt: Int64?

    package init(
        id: HookID = HookID(0), project: ProjectID, source: WebhookSource, name: String, enabled: Bool = true,
        repositoryID: String = "", repositoryURL: String = "", pipelines: [PipelineID] = [],
        catchUp: HookCatchUp = .off, mirrorsBuilds: Bool = false, createdBy: String, createdAt: Int64, updatedAt: Int64,
        lastDeliveryAt: Int64? = nil
    ) {
        self.id = id
        self.project = project
        self.source = source
        self.name = name
        self.enabled = enabled
        self.repositoryID = repositoryID
        self.repositoryURL = repositoryURL
        self.pipelines = pipelines
        self.catchUp = catchUp
        self.mirrorsBuilds = mirrorsBuilds
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.lastDeliveryAt = lastDeliveryAt
    }
}

/// One secret of a hook: sealed, never readable from the row alone.
package struct HookSecretRow: Equatable, Sendable {
    package var id: Int64
    package var hook: HookID
    package var project: ProjectID
    package var keyID: String
    package var sealed: [UInt8]
    package var createdBy: String
    package var createdAt: Int64

    package init(
        id: Int64 = 0, hook: HookID, project: ProjectID, keyID: String = "", sealed: [UInt8] = [], createdBy: String,
        createdAt: Int64
    ) {
        self.id = id
        self.hook = hook
        self.project = project
        self.keyID = keyID
        self.sealed = sealed
        self.createdBy = createdBy
        self.createdAt = createdAt
    }
}

/// Why a hook was not changed.
package enum HookChange: Error, Equatable, Sendable {
    case noProject
    case nameTaken
    case tooMany
    case tooManySecrets
    case lastSecret
    case notFound
}

/// Seals hooks' secrets, and opens them for checking signatures.
package protocol HookSecretSealing: Sendable {
    /// Random, for a hook whose owner gives none.
    func makeHookSecret() -> String
    func sealHookSecret(_ value: String, at row: HookSecretRow) throws -> (keyID: String, sealed: [UInt8])
    /// `nil` where the bytes are not what this key sealed for this row.
    func openHookSecret(_ row: HookSecretRow) -> String?
}
