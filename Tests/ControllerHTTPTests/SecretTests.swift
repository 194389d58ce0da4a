import AnsFlowProtocol
import ControllerCore
import Synchronization
import Testing

@testable import ControllerHTTP

/// Secrets in memory; project 1 alone is there.
private final class FakeVault: SecretManaging {
    let values = Mutex<[String: String]>([:])

    private func key(_ environment: String, _ name: String) -> String { "\(environment)/\(name)" }

    private func row(_ name: String, _ environment: String, version: Int) -> SecretRow {
        SecretRow(
            id: 1, project: .main, environment: environment, name: name, version: version, keyID: "k",
            sealed: Array("sealed".utf8), updatedBy: "admin", createdAt: 1000, updatedAt: 2000)
    }

    func list(project: ProjectID, environment: String?) async throws -> [SecretRow] {
        values.withLock { values in
            values.keys.sorted().compactMap { key in
                let parts = key.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
                return parts[0] == environment ? row(parts[1], parts[0], version: 1) : nil
            }
        }
    }
    func set(
        _ name: String, value: String, project: ProjectID, environment: String, mode: SecretPut, by actor: String
    ) async throws -> SecretRow {
        guard project == .main else { throw SecretChange.noProject }
        return try values.withLock { values in
            let old = values.updateValue(value, forKey: key(environment, name))
            if old != nil, case .create = mode { throw SecretChange.exists }
            return row(name, environment, version: old == nil ? 1 : 2)
        }
    }
    func delete(_ name: String, project: ProjectID, environment: String, expected: Int?) async throws -> Bool {
        values.withLock { $0.removeValue(forKey: key(environment, name)) != nil }
    }
}

@Suite struct SecretTests {
    private func withVault(_ body: (FakeVault, Client) async throws -> Void) async throws {
        let vault = FakeVault()
        try await withServer(services: { $0.secrets = vault }) { _, _, client in try await body(vault, client) }
    }

    private let path = "/api/v1/projects/1/secrets"

    @Test func valuesGoInAndNeverComeOut() async throws {
        try await withVault { vault, client in
            let value = "correct horse"
            let made = try await client.send("POST", path, body: #"{"name":"A","value":"correct horse"}"#)
            #expect(made.status == 201 && made.headers["location"] == "/api/v1/projects/1/secrets/A")
            let replaced = try await client.send("PUT", path + "/A", body: #"{"value":"correct horse"}"#)
            #expect(replaced.status == 200)
            #expect(try replaced.json()["version"] as? Int == 2)
            #expect(try replaced.json()["masked"] as? Bool == true)
            let listed = try await client.get(path)
            #expect(try listed.json()["total"] as? Int == 1)
            for answer in [made, replaced, listed] {
                #expect(!answer.body.contains("horse") && !answer.body.contains("sealed"))
            }
            #expect(vault.values.withLock { $0["/A"] } == value)
            #expect(try await client.send("DELETE", path + "/A").status == 204)
            #expect(try await client.send("DELETE", path + "/A").status == 404)
        }
    }

    @Test func environmentsHaveTheirOwn() async throws {
        try await withVault { vault, client in
            let base = "/api/v1/projects/1/environments/live%20eu/secrets"
            let made = try await client.send("PUT", base + "/A", body: #"{"value":"ab"}"#)
            #expect(made.status == 201)
            #expect(try made.json()["environment"] as? String == "live eu")
            #expect(try made.json()["masked"] as? Bool == false, "two characters are not masked")
            #expect(vault.values.withLock { $0["live eu/A"] } == "ab")
            #expect(try await client.get(path).json()["total"] as? Int == 0)
            #expect(try await client.get(base).json()["total"] as? Int == 1)
            #expect(try await client.send("DELETE", base + "/A").status == 204)
        }
    }

    @Test func whatIsWrongIsSaid() async throws {
        try await withVault { _, client in
            func status(_ method: String, _ path: String, _ body: String) async throws -> Int {
                try await client.send(method, path, body: body).status
            }
            let dashed = try await status("POST", path, #"{"name":"a-b","value":"x"}"#)
            #expect(dashed == 422)
            #expect(try await status("PUT", path + "/9a", #"{"value":"x"}"#) == 422)
            #expect(try await status("PUT", path + "/A", #"{"value":""}"#) == 422)
            #expect(try await status("PUT", path + "/A", #"{"value":"a\u0000b"}"#) == 422)
            #expect(try await status("PUT", path + "/A", #"{"value":"x","more":1}"#) == 422)
            let long = String(repeating: "x", count: 65_536)
            #expect(try await status("PUT", path + "/A", "{\"value\":\"\(long)\"}") == 201)
            #expect(try await status("PUT", path + "/A", "{\"value\":\"\(long)x\"}") == 422)
            #expect(try await status("POST", path, #"{"name":"A","value":"x"}"#) == 409)
            #expect(try await status("PUT", "/api/v1/projects/2/secrets/A", #"{"value":"x"}"#) == 404)
            #expect(try await status("PUT", "/api/v1/projects/x/secrets/A", #"{"value":"x"}"#) == 400)
        }
    }

    @Test func readingRightsAreNotEnough() async throws {
        try await withVault { _, client in
            let routes = client.routes.filter { $0.path.contains("/secrets") && !$0.path.contains("/hooks/") }
            #expect(routes.count == 10)
            #expect(routes.allSatisfy { $0.permission == .write })
            let nobody = try await client.send("GET", path, token: nil)
            #expect(nobody.status == 401)
        }
    }
}
