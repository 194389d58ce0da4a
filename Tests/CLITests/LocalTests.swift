import Foundation
import TestSupport
import Testing

/// `up` and `down` with small stand-ins for controller and agent, so that only what they do is tested.
@Suite(.serialized) struct LocalTests {
    /// A controller that knows health, login, logout and tokens.
    static let controller = """
        #!/usr/bin/env python3
        import http.server, json, os, sys
        arguments = dict(zip(sys.argv[2::2], sys.argv[3::2]))
        os.makedirs(arguments["--data-dir"], exist_ok=True)
        kept = arguments["--data-dir"] + "/password"
        if not os.path.exists(kept):
            open(kept, "w").write(os.environ["ANSFLOW_ADMIN_PASSWORD"])
        print("controller begins", sys.argv[1:], "PASSWORD" if "ANSFLOW_ADMIN_PASSWORD" in os.environ else "", flush=True)
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *a): pass
            def answer(self, status, value):
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            def do_GET(self): self.answer(200, {"status": "ready", "items": []})
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
                if self.path.endswith("login"):
                    good = body["password"] == open(kept).read()
                    return self.answer(200 if good else 401, {"access_token": "a", "refresh_token": "r", "expires_in": 900})
                if self.path.endswith("enrolment-tokens"): return self.answer(201, {"token": "enrol-me"})
                self.answer(200, {})
        host, port = arguments["--listen"].rsplit(":", 1)
        http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()

        """
    static let agent = """
        #!/bin/sh
        if [ "$1" = status ]; then echo '{"name":"local","connected":true}'; exit 0; fi
        echo "agent $*"
        if [ "$1" = enrol ]; then mkdir -p "$7" && echo "{\\"controller\\":\\"$3\\",\\"slots\\":2}" > "$7/link.json"; fi
        [ "$1" = run ] || exit 0
        if [ -e "$3/code" ]; then code=$(cat "$3/code"); rm "$3/code"; exit "$code"; fi
        trap 'echo "agent ends"; exit 0' TERM
        while :; do sleep 0.1; done

        """

    /// A directory with the built `ansflow` and the stand-ins beside it.
    struct Place {
        let client: Client
        let program: String
        let data: String
        let arguments: [String]

        init(controller: String = LocalTests.controller) throws {
            client = try Client()
            let folder = client.home + "/bin"
            data = client.home + "/data"
            program = folder + "/ansflow"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: BuiltProducts.path("ansflow"), toPath: program)
            let parts = [("controller", controller), ("agent", LocalTests.agent), ("shim", LocalTests.agent)]
            for (name, text) in parts {
                let path = folder + "/ansflow-" + name
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
            arguments = [
                "--data-dir", data, "--listen", "127.0.0.1:\(try LocalTests.freePort())", "--agent-listen",
                "127.0.0.1:\(try LocalTests.freePort())",
            ]
        }

        func run(_ words: [String]) async throws -> Client.Result { try await client.run(words, program: program) }
        func pid(_ name: String) -> Int32? {
            (try? String(contentsOfFile: data + "/\(name).pid", encoding: .utf8)).flatMap {
                Int32($0.trimmingCharacters(in: .newlines))
            }
        }
        func text(_ name: String) -> String { (try? String(contentsOfFile: data + "/" + name, encoding: .utf8)) ?? "" }
    }

    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        try #require(bound)
        return Int(UInt16(bigEndian: address.sin_port))
    }

    static func eventually(_ seconds: Double = 20, _ condition: () -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while !condition() {
            if ContinuousClock.now > deadline { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    /// Whether a process runs; one that ended and that nobody has reaped yet does not.
    static func alive(_ pid: Int32?) -> Bool {
        guard let pid, let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
            return false
        }
        return text.split(separator: ")").last?.hasPrefix(" Z") == false
    }

    @Test func upDetachesRestartsAndGoesDown() async throws {
        let place = try Place()
        defer { place.client.removeHome() }
        let up = try await place.run(["up", "--detach"] + place.arguments)
        #expect(up.code == 0, "\(up.errors)")
        let first = try #require(
            up.output.split(separator: "\n").first { $0.hasPrefix("administrator: admin  password: ") })
        #expect(up.output.contains("AnsFlow is ready at http://127.0.0.1:"))
        #expect(!up.output.contains("ansflow-up-ready"))
        let password = String(first.split(separator: " ").last ?? "")
        #expect(password.count == 20)
        #expect(place.text("controller.log").contains("--allow-local-repositories"))
        #expect(place.text("agent.log").contains("enrol --controller https://127.0.0.1:"))
        #expect(place.text("agent.log").contains("--token enrol-me"))
        for name in ["up.log", "controller.log", "agent.log"] { #expect(!place.text(name).contains(password)) }
        #expect(!FileManager.default.fileExists(atPath: place.data + "/enrolling"))

        // A second one on the same directory says who holds it.
        let second = try await place.run(["up"] + place.arguments)
        #expect(second.code == 6)
        #expect(second.errors.contains("in use by another `ansflow up`"))

        // A part that is killed is started again.
        let killed = try #require(place.pid("agent"))
        kill(killed, SIGKILL)
        let again = try await Self.eventually { place.pid("agent") != killed && Self.alive(place.pid("agent")) }
        #expect(again)

        let parts = [place.pid("controller"), place.pid("agent"), place.pid("up")]
        #expect(parts.allSatisfy { Self.alive($0) })
        let down = try await place.run(["down", "--data-dir", place.data])
        #expect(down.code == 0, "\(down.errors)")
        #expect(down.output == "stopped\n")
        #expect(parts.allSatisfy { !Self.alive($0) })
        #expect(place.text("agent.log").contains("agent ends"))

        // The second start neither makes nor prints a password, and does not enrol again.
        let restart = try await place.run(["up", "--detach"] + place.arguments)
        #expect(restart.code == 0, "\(restart.errors)")
        #expect(!restart.output.contains("password"))
        #expect(place.text("agent.log").components(separatedBy: "agent enrol").count == 2)
        #expect(place.text("controller.log").components(separatedBy: "PASSWORD").count == 2)

        // On another port, the agent is told.
        #expect(try await place.run(["down", "--data-dir", place.data]).code == 0)
        let port = try Self.freePort()
        let moved = try await place.run(
            ["up", "--detach"] + place.arguments.dropLast() + ["127.0.0.1:\(port)"])
        #expect(moved.code == 0, "\(moved.errors)")
        #expect(place.text("agent/link.json") == #"{"controller":"https://127.0.0.1:\#(port)","slots":2}"#)

        // What a killed `up` leaves behind is ended by the next one.
        let left = place.pid("controller")
        kill(try #require(place.pid("up")), SIGKILL)
        let after = try await Self.eventually { !Self.alive(place.pid("up")) }
        #expect(after)
        #expect(Self.alive(left))
        let third = try await place.run(["up", "--detach"] + place.arguments)
        #expect(third.code == 0, "\(third.errors)")
        #expect(!Self.alive(left))
        #expect(try await place.run(["down", "--data-dir", place.data]).output == "stopped\n")
        #expect(try await place.run(["down", "--data-dir", place.data]).output == "nothing runs on \(place.data)\n")
    }

    /// Cut off after the administrator was made, before the password was shown: the next `up` knows it still.
    @Test func aFirstStartThatWasCutOffIsRepeated() async throws {
        let place = try Place()
        defer { place.client.removeHome() }
        let kept = place.data + "/administrator-password"
        try FileManager.default.createDirectory(atPath: place.data + "/controller", withIntermediateDirectories: true)
        try Data("made-before\n".utf8).write(to: URL(fileURLWithPath: kept))
        try Data("made-before".utf8).write(to: URL(fileURLWithPath: place.data + "/controller/password"))
        let up = try await place.run(["up", "--detach"] + place.arguments)
        #expect(up.code == 0, "\(up.errors)")
        #expect(up.output.contains("administrator: admin  password: made-before\n"))
        #expect(!FileManager.default.fileExists(atPath: kept))
        #expect(try await place.run(["down", "--data-dir", place.data]).output == "stopped\n")
    }

    /// An agent that was drained (0) or revoked (3) left as it was told: the controller goes on, and only the drained one comes back.
    @Test(arguments: [0, 3]) func anAgentThatLeftDoesNotEndTheRest(code: Int) async throws {
        let place = try Place()
        defer { place.client.removeHome() }
        let up = try await place.run(["up", "--detach"] + place.arguments)
        #expect(up.code == 0, "\(up.errors)")
        try Data("\(code)\n".utf8).write(to: URL(fileURLWithPath: place.data + "/agent/code"))
        kill(try #require(place.pid("agent")), SIGKILL)
        let word = code == 0 ? "was drained and left" : "has revoked the local agent"
        let said = try await Self.eventually { place.text("up.log").contains(word) }
        #expect(said, "\(place.text("up.log"))")
        let starts = place.text("agent.log").components(separatedBy: "agent run").count
        if code == 0 {
            let again = try await Self.eventually {
                place.text("agent.log").components(separatedBy: "agent run").count > starts
            }
            #expect(again)
        }
        #expect(Self.alive(place.pid("controller")))
        #expect(try await place.run(["down", "--data-dir", place.data]).output == "stopped\n")
    }

    @Test func aTakenPortIsSaid() async throws {
        let place = try Place()
        defer { place.client.removeHome() }
        let server = try await FakeController { _ in .json("{}") }
        let port = try #require(server.url.split(separator: ":").last)
        for words in [["up"], ["up", "--detach"]] {
            let result = try await place.run(words + ["--data-dir", place.data, "--listen", "127.0.0.1:\(port)"])
            #expect(result.code == 6)
            #expect(result.errors.contains("Port \(port) on 127.0.0.1 is in use"))
            #expect(result.errors.contains("--listen"))
        }
        await server.close()
    }

    @Test func aControllerThatEndsIsShownWithItsLog() async throws {
        let place = try Place(controller: "#!/bin/sh\necho 'the disk is on fire' >&2\nexit 3\n")
        defer { place.client.removeHome() }
        let result = try await place.run(["up"] + place.arguments)
        #expect(result.code == 7)
        #expect(result.errors.contains("the disk is on fire"))
        #expect(result.errors.contains("exit code 3"))
        #expect(result.errors.contains(place.data + "/controller.log"))
    }

    @Test func missingProgramsAreNamed() async throws {
        let place = try Place()
        defer { place.client.removeHome() }
        try FileManager.default.removeItem(atPath: place.client.home + "/bin/ansflow-shim")
        let result = try await place.run(["up"] + place.arguments)
        #expect(result.code == 2)
        #expect(result.errors.contains("/bin/ansflow-shim is missing"))
        #expect(try await place.run(["down", "--data-dir", "/nonexistent-place"]).code == 3)
    }

    /// `up | head -1` is how a script takes the password: what runs must go on.
    @Test func upGoesOnWhenNobodyReadsIt() async throws {
        let place = try Place()
        defer { place.client.removeHome() }
        let words = ([place.program, "up"] + place.arguments).map { "'\($0)'" }.joined(separator: " ")
        let script = "(\(words); echo $? > \(place.client.home)/ended) 2>&1 | head -1"
        async let shell = place.client.run(["-c", script], limit: 120, program: "/bin/sh")
        #expect(try await Self.eventually { place.text("up.url").hasPrefix("http://") })
        #expect(try await Self.eventually { Self.alive(place.pid("agent")) && Self.alive(place.pid("controller")) })
        #expect(!FileManager.default.fileExists(atPath: place.client.home + "/ended"))
        #expect(try await place.run(["down", "--data-dir", place.data]).output == "stopped\n")
        #expect(try await shell.output.hasPrefix("administrator: admin  password: "))
        #expect(try String(contentsOfFile: place.client.home + "/ended", encoding: .utf8) == "0\n")
    }

    @Test func wrongUseOfUp() async throws {
        let place = try Place()
        defer { place.client.removeHome() }
        let same = try await place.run(
            ["up", "--data-dir", place.data, "--listen", "127.0.0.1:7000", "--agent-listen", "127.0.0.1:7000"])
        #expect(same.code == 2 && same.errors.contains("two ports"), "\(same)")
        for command in ["up", "down"] {
            let empty = try await place.run([command, "--data-dir", ""])
            #expect(empty.code == 2 && empty.errors.contains("--data-dir is empty"), "\(empty)")
        }
        #expect(!FileManager.default.fileExists(atPath: place.data))
    }
}
