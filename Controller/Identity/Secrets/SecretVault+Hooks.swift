package import ControllerCore
import FoundationEssentials

/// Hooks' secrets are sealed as projects' secrets are, under a place of their own that no secret's name can have.
extension SecretVault: HookSecretSealing {
    /// 256 random bits in the form of Standard Webhooks, which every forge takes as a text.
    package func makeHookSecret() -> String {
        "whsec_" + Data(Secrets.randomBytes(32)).base64EncodedString()
    }

    package func sealHookSecret(_ value: String, at row: HookSecretRow) throws -> (keyID: String, sealed: [UInt8]) {
        try seal.sealed(value, at: Self.place(of: row))
    }

    package func openHookSecret(_ row: HookSecretRow) -> String? { seal.open(Self.place(of: row)) }

    private static func place(of row: HookSecretRow) -> SecretRow {
        SecretRow(
            id: row.id, project: row.project, environment: "", name: "hook:\(row.hook)", version: 1, keyID: row.keyID,
            sealed: row.sealed, updatedBy: "", createdAt: 0, updatedAt: 0)
    }
}
