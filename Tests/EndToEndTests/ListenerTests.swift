import Foundation
import TestSupport
import Testing

/// The users' listener with a certificate, and behind proxies.
@Suite struct ListenerTests {
    private static func run(_ program: String, _ arguments: [String], output: String = "/dev/null") throws -> Int32 {
        try ChildProcess("/usr/bin/env", [program] + arguments, output: output).wait(within: 60, program)
    }

    /// A certificate of its own authority for 127.0.0.1.
    private static func certificate(_ directory: String, _ name: String) throws {
        let code = try run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj",
                "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "\(directory)/\(name).key", "-out",
                "\(directory)/\(name).pem",
            ])
        try #require(code == 0)
    }

    private static func install(_ directory: String, _ certificate: String, _ key: String) throws {
        for (from, to) in [(key + ".key", "live.key"), (certificate + ".pem", "live.pem")] {
            try Data(contentsOf: URL(filePath: "\(directory)/\(from)")).write(
                to: URL(filePath: "\(directory)/\(to)"), options: .atomic)
        }
    }

    private static func answers(_ directory: String, _ port: Int, trusting name: String) throws -> Bool {
        try run("curl", ["-fsS", "--cacert", "\(directory)/\(name).pem", "https://127.0.0.1:\(port)/health/live"]) == 0
    }

    @Test func aNewCertificateIsTakenAndABadOneIsNot() throws {
        let directory = try Cluster.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Self.certificate(directory, "one")
        try Self.certificate(directory, "two")
        try Self.install(directory, "one", "one")
        let controller = try ControllerProcess(dataDirectory: directory + "/c", log: directory + "/log")
        controller.arguments = ["--tls-cert", directory + "/live.pem", "--tls-key", directory + "/live.key"]
        try controller.launch()
        defer { controller.kill() }
        try eventually(within: 60, "the controller answers by TLS") {
            try Self.answers(directory, controller.port, trusting: "one")
        }
        // Plain HTTP gets no answer there.
        #expect(throws: (any Error).self) { try APIClient(port: controller.port).request("GET", "/health/live") }
        #expect(try Self.answers(directory, controller.port, trusting: "two") == false)

        // A key that does not belong to the certificate: what was there stays.
        try Self.install(directory, "two", "one")
        try eventually(within: 30, "the controller says that it is no pair") {
            try String(contentsOfFile: controller.log, encoding: .utf8).contains("the old certificate stays")
        }
        let still = try Self.answers(directory, controller.port, trusting: "one")
        #expect(still)

        try Self.install(directory, "two", "two")
        try eventually(within: 30, "the new certificate is served") {
            try Self.answers(directory, controller.port, trusting: "two")
        }
    }

    /// What `X-Forwarded-For` says counts where a trusted proxy wrote it, and only that far.
    @Test func theClientsAddressIsTakenFromTrustedProxiesAlone() async throws {
        for (options, forwarded, wanted) in [
            ([], "203.0.113.9", "127.0.0.1"), (["--trusted-proxy", "10.0.0.0/8"], "203.0.113.9", "127.0.0.1"),
            (["--trusted-proxy", "127.0.0.0/8"], "198.51.100.1, 203.0.113.9, 127.0.0.7", "203.0.113.9"),
        ] {
            try await Cluster.with([], prepare: { $0.controller.arguments = options }) { cluster in
                let answer = try APIClient(port: cluster.controller.port).request(
                    "POST", "/api/v1/auth/login", headers: ["X-Forwarded-For": forwarded],
                    body: Array(#"{"username":"nobody","password":"wrong"}"#.utf8))
                #expect(answer.status == 401)
                let logins = try cluster.api.get("/api/v1/audit-logs?limit=100")["items"].items.filter {
                    $0["operation"].text == "login"
                }
                #expect(logins.first?["remote"].text == wanted)
            }
        }
    }
}
