import AnsFlowProtocol
package import ControllerCore

/// What people do with hooks and deliveries.
package struct WebhookManager: WebhookManaging {
    private let store: any WebhookRepository
    private let seal: any HookSecretSealing
    private let intake: WebhookIntake
    private let now: @Sendable () -> Int64

    package init(
        store: any WebhookRepository, seal: any HookSecretSealing, intake: WebhookIntake,
        now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.seal = seal
        self.intake = intake
        self.now = now
    }

    package func hooks(of project: ProjectID) async throws -> [HookView] {
        let secrets = Dictionary(try await store.allHooks().map { ($0.row.id, $0.secrets) }) { $1 }
        return try await store.hooks(of: project).map { HookView(row: $0, secrets: secrets[$0.id] ?? []) }
    }

    package func hook(_ id: HookID) async throws -> HookView? {
        try await store.hook(id).map { HookView(row: $0.row, secrets: $0.secrets) }
    }

    package func createHook(_ row: HookRow, secret: String?) async throws -> HookView {
        let text = secret ?? seal.makeHookSecret()
        let made = try await store.createHook(row) { [seal] in try seal.sealHookSecret(text, at: $0) }
        return try await view(made.id, secret: secret == nil ? text : nil)
    }

    package func updateHook(_ row: HookRow) async throws -> HookView {
        try await view(try await store.updateHook(row).id)
    }

    package func deleteHook(_ id: HookID, by actor: String) async throws {
        try await store.deleteHook(id, by: actor, at: now())
    }

    package func addSecret(_ secret: String?, to hook: HookID, by actor: String) async throws -> HookView {
        let text = secret ?? seal.makeHookSecret()
        _ = try await store.addHookSecret(hook, by: actor, at: now()) { [seal] in
            try seal.sealHookSecret(text, at: $0)
        }
        return try await view(hook, secret: secret == nil ? text : nil)
    }

    package func deleteSecret(_ id: Int64, of hook: HookID) async throws {
        try await store.deleteHookSecret(id, of: hook)
    }

    private func view(_ id: HookID, secret: String? = nil) async throws -> HookView {
        guard let found = try await store.hook(id) else { throw HookChange.notFound }
        return HookView(row: found.row, secrets: found.secrets, secret: secret)
    }

    // MARK: Deliveries

    package func test(_ hook: HookID, by actor: String) async throws -> DeliveryID {
        guard let row = try await store.hook(hook)?.row else { throw HookChange.notFound }
        let at = now()
        let body = Array("{\"test\":true}".utf8)
        let delivery = DeliveryRow(
            hook: row.id, project: row.project, source: row.source, sourceName: row.name,
            delivery: "test:\(at)", event: CatchUpDelivery.testEvent, headers: [:], contentType: "application/json",
            remote: "", proof: Words.line("sent by \(actor)"), bodyHash: Signature.hash(body), bodyBytes: body.count,
            body: body, isCompressed: false, receivedAt: at)
        return try await stored(delivery)
    }

    package func deliveries(_ filter: DeliveryFilter, page: Int, perPage: Int) async throws -> Page<DeliveryView> {
        try await store.deliveries(filter, page: page, perPage: perPage)
    }

    package func delivery(
        _ id: DeliveryID, bodyBytesMax: Int
    ) async throws -> (view: DeliveryView, body: String?)? {
        guard let view = try await store.delivery(id) else { return nil }
        guard let body = StoredBody.open(view.row), String(validating: body, as: UTF8.self) != nil else {
            return (view, nil)
        }
        // A character that is cut through shows as a replacement.
        return (view, String(decoding: body.prefix(bodyBytesMax), as: UTF8.self))
    }

    package func replay(_ id: DeliveryID, by actor: String) async throws -> DeliveryID? {
        guard let found = try await store.delivery(id)?.row else { throw HookChange.notFound }
        guard found.body != nil else { return nil }
        guard try await store.hook(found.hook) != nil else { throw HookChange.notFound }
        var row = found
        row.receivedAt = now()
        row.delivery = "replay:\(id):\(row.receivedAt)"
        row.proof = Words.line("replayed by \(actor)")
        row.remote = ""
        (row.state, row.tries, row.retryAt, row.judgedAt, row.message) = (.received, 0, nil, nil, "")
        (row.replayOf, row.duplicates, row.lastDuplicateAt) = (id, 0, nil)
        return try await stored(row)
    }

    private func stored(_ row: DeliveryRow) async throws -> DeliveryID {
        switch try await intake.store(NewDelivery(row, copies: .byID)) {
        case .stored(let id), .duplicate(let id): return id
        case .full: throw WebhookRefusal.full(retryAfter: 30)
        }
    }
}
