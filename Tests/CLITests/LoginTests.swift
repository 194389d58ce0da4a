import Foundation
import Synchronization
import Testing

@Suite struct LoginTests {
    /// Accepts the newest access token only; a refresh token works once.
    private final class Sessions: Sendable {
        let state = Mutex<(access: Int, refresh: Int, refused: Int)>((0, 0, 0))

        func answer(_ request: FakeController.Request) -> FakeController.Response {
            state.withLock { state in
                switch request.path {
                case "/api/v1/auth/login":
                    guard request.body.contains(#""password":"right""#) else { return .problem(401, "no") }
                    state.access += 1
                    state.refresh += 1
                    return tokens(state)
                case "/api/v1/auth/refresh":
                    guard request.body == #"{"refresh_token":"r\#(state.refresh)"}"# else {
                        state.refused += 1
                        return .problem(401, "spent")
                    }
                    state.access += 1
                    state.refresh += 1
                    return tokens(state)
                case "/api/v1/auth/logout":
                    return FakeController.Response(status: 204, body: "")
                default:
                    guard request.headers["authorization"] == "Bearer a\(state.access)" else {
                        return .problem(401, "no")
                    }
                    return .json(#"{"items":[],"page":1,"per_page":20,"total":0}"#)
                }
            }
        }

        private func tokens(_ state: (access: Int, refresh: Int, refused: Int)) -> FakeController.Response {
            .json(
                #"{"access_token":"a\#(state.access)","refresh_token":"r\#(state.refresh)","token_type":"bearer","expires_in":900}"#
            )
        }

        /// The access token that clients hold is worth nothing any more.
        func expire() { state.withLock { $0.access += 1 } }
    }

    @Test func loginIsKeptRefreshedAndForgotten() async throws {
        let sessions = Sessions()
        let server = try await FakeController { sessions.answer($0) }
        let client = try Client()
        defer { client.removeHome() }
        let wrong = try await client.run(["login", "--url", server.url, "--password-stdin"], input: "wrong\n")
        #expect(wrong.code == 4)
        #expect(wrong.errors.contains("password is wrong"))
        #expect(!FileManager.default.fileExists(atPath: client.credentials))

        let right = try await client.run(["login", "--url", server.url + "/", "--password-stdin"], input: "right\n")
        #expect(right.code == 0, "\(right.errors)")
        let attributes = try FileManager.default.attributesOfItem(atPath: client.credentials)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        let folder = try FileManager.default.attributesOfItem(atPath: client.home + "/ansflow")
        #expect((folder[.posixPermissions] as? NSNumber)?.intValue == 0o700)

        // The kept address and token are used without any option.
        #expect(try await client.run(["runs"]).code == 0)

        // An access token that has ended is renewed, by several clients at once, and no refresh token is used twice.
        sessions.expire()
        try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<4 { group.addTask { try await client.run(["runs"]).code } }
            for try await code in group { #expect(code == 0) }
        }
        #expect(sessions.state.withLock { $0.refused } == 0)

        #expect(try await client.run(["logout"]).code == 0)
        let kept = try String(contentsOfFile: client.credentials, encoding: .utf8)
        #expect(!kept.contains("refresh"))
        let after = try await client.run(["runs", "--url", server.url])
        #expect(after.code == 4)
        #expect(after.errors.contains("ansflow login"))
        await server.close()
    }

    @Test func anEndedLoginSaysSo() async throws {
        let server = try await FakeController { request in
            request.path == "/api/v1/auth/login"
                ? .json(#"{"access_token":"a","refresh_token":"r","token_type":"bearer","expires_in":1}"#)
                : .problem(401, "over")
        }
        let client = try Client()
        defer { client.removeHome() }
        #expect(try await client.run(["login", "--url", server.url, "--password-stdin"], input: "x\n").code == 0)
        let result = try await client.run(["runs"])
        #expect(result.code == 4)
        #expect(result.errors.contains("ansflow login --url \(server.url)"))
        await server.close()
    }

    @Test func withoutATerminalItAsksForStandardInput() async throws {
        let client = try Client()
        defer { client.removeHome() }
        let result = try await client.run(["login", "--url", "http://127.0.0.1:1", "--password-stdin"], input: "\n")
        #expect(result.code == 2)
        #expect(result.errors.contains("--password-stdin"))
    }
}
