import AnsFlowProtocol
import AnsFlowTransport
import Glibc
import Testing

@testable import AgentLink

struct LinkIdentityTests {
    private func inDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/ansflow-link-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        let directory = try #require(made)
        defer {
            try? LinkIdentity.remove(directory)
            rmdir(directory)
        }
        try body(directory)
    }

    private static let settings = LinkSettings(
        controller: "https://ci:8443", agent: AgentID(3), name: "b1", labels: ["os": "linux"], slots: 2)

    @Test func theKeyIsMadeOnce() throws {
        try inDirectory { directory in
            let key = try LinkIdentity.key(in: directory)
            #expect(try LinkIdentity.key(in: directory) == key)
            #expect(try LinkIdentity.signingRequest(key: key, name: "b1").contains("BEGIN CERTIFICATE REQUEST"))
            #expect(throws: LinkFailure.self) { try LinkIdentity.signingRequest(key: [1], name: "b1") }
        }
    }

    @Test func linkJSONSaysThatTheRestIsThere() throws {
        try inDirectory { directory in
            let key = try LinkIdentity.key(in: directory)
            #expect(try LinkIdentity.load(directory) == nil)
            let identity = LinkIdentity(settings: Self.settings, key: key, certificate: [1], authority: [2])
            try identity.save(directory)
            let loaded = try #require(try LinkIdentity.load(directory))
            #expect(loaded.settings == Self.settings)
            #expect(loaded.key == key && loaded.certificate == [1] && loaded.authority == [2])
            #expect(loaded.validity == nil)
            #expect(unlink(directory + "/agent.crt") == 0)
            #expect(throws: LinkFailure.self) { try LinkIdentity.load(directory) }
        }
    }

    @Test func refusalsSayWhetherNothingHelps() {
        #expect(LinkFailure.refused(EnrolRefusal(.revoked, "x")).isRevoked)
        #expect(!LinkFailure.refused(EnrolRefusal(.unknownKey, "x")).isRevoked)
        #expect(!LinkFailure.token.isRevoked)
        #expect(LinkFailure.token.description.contains("agent-token create"))
    }
}
