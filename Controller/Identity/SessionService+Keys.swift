package import ControllerCore
import Synchronization

extension SessionService: APIKeyService {
    package func createKey(
        name: String, scopes: [Scope], expiresAt: Int64?, for principal: Principal
    ) async throws -> (row: APIKeyRow, text: String) {
        let text = Self.keyPrefix + Secrets.token()
        let row = try await repository.addAPIKey(
            APIKeyRow(
                user: principal.user, name: name, hash: Secrets.hash(text), prefix: String(text.prefix(10)),
                scopes: scopes.map(\.rawValue), createdAt: clock(), expiresAt: expiresAt))
        return (row, text)
    }

    package func keys(of principal: Principal) async throws -> [APIKeyRow] {
        try await repository.apiKeys(of: principal.user)
    }

    package func deleteKey(_ id: Int64, of user: UserID) async throws -> Bool {
        let deleted = try await repository.deleteAPIKey(id, of: user)
        if deleted { forget(.apiKey(id)) }
        return deleted
    }
}

extension SessionService: TicketService {
    package func issueTicket(for principal: Principal) -> IssuedSecret? {
        let text = Secrets.token()
        let now = clock()
        let expiresAt = now + configuration.ticketLifeMs
        let kept = state.withLock { $0.tickets.add(Secrets.hash(text), principal, expiresAt: expiresAt, now: now) }
        return kept ? IssuedSecret(text: text, expiresAt: expiresAt) : nil
    }

    package func redeemTicket(_ text: String) -> Principal? {
        let now = clock()
        return state.withLock { $0.tickets.take(Secrets.hash(text), now: now) }
    }
}
