import AnsFlowProtocol
import AnsFlowRecords
import Testing

/// The exact bytes of every kind of message. When one changes, `ProtocolVersion.current` must move with it, and the old bytes
/// stay here as what that version spoke.
struct GoldenFrameTests {
    @Test func versionIsTheOneThatTheseBytesBelongTo() {
        #expect(ProtocolVersion.current == 1)
        #expect(ProtocolVersion.oldest == 1)
        #expect(ProtocolVersion.subprotocol == "ansflow.agent.v1")
        #expect(ProtocolVersion.path == "/agent/v1")
        #expect(ProtocolVersion.enrolPath == "/agent/enrol")
    }

    @Test(arguments: Samples.agentMessages)
    func fromTheAgent(_ sample: Samples.Agent) throws {
        let bytes = try WireCodec.encode(sample.message)
        #expect(String(decoding: bytes, as: UTF8.self) == sample.text)
        #expect(try WireCodec.decodeAgentMessage(Array(sample.text.utf8)) == sample.message)
    }

    @Test(arguments: Samples.controllerMessages)
    func fromTheController(_ sample: Samples.Controller) throws {
        let bytes = try WireCodec.encode(sample.message)
        #expect(String(decoding: bytes, as: UTF8.self) == sample.text)
        #expect(try WireCodec.decodeControllerMessage(Array(sample.text.utf8)) == sample.message)
    }

    @Test func everyKindHasASample() {
        // A new case makes this switch incomplete: give it a sample, then list it here.
        let agent = Samples.agentMessages.map { sample in
            switch sample.message {
            case .hello: "hello"
            case .started: "started"
            case .declined: "declined"
            case .log: "log"
            case .gap: "gap"
            case .eof: "eof"
            case .finish: "finish"
            case .heartbeat: "heartbeat"
            }
        }
        #expect(Set(agent) == ["hello", "started", "declined", "gap", "eof", "finish", "heartbeat"])
        let controller = Samples.controllerMessages.map { sample in
            switch sample.message {
            case .welcome: "welcome"
            case .start: "start"
            case .stop: "stop"
            case .logAck: "log_ack"
            case .logResend: "log_resend"
            case .forget: "forget"
            case .jobEnded: "job_ended"
            case .heartbeat: "heartbeat"
            case .probe: "probe"
            case .drain: "drain"
            }
        }
        #expect(Set(controller).count == 10)
    }

    @Test func log() throws {
        let records = LogRecord.encode(offset: 5, time: 1000, bytes: Array("hi\n".utf8))
        let message = AgentMessage.log(LogFrame(attempt: AttemptID(258), records: records))
        let head: [UInt8] = [1, 2, 1, 0, 0, 0, 0, 0, 0]
        let record: [UInt8] =
            [5, 0, 0, 0, 0, 0, 0, 0, 0xE8, 3, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0] + Self.crcOfRecord + [104, 105, 10]
        #expect(try WireCodec.encode(message) == head + record)
        #expect(try WireCodec.decodeAgentMessage(head + record) == message)
    }

    /// By the table, which shares nothing with the processor's instruction.
    private static let crcOfRecord: [UInt8] = {
        let covered: [UInt8] = [5, 0, 0, 0, 0, 0, 0, 0, 0xE8, 3, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 104, 105, 10]
        let sum = CRC32C.portable(covered)
        return (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(8 * $0)) }
    }()

    @Test func enrolment() throws {
        let request = EnrolRequest(token: "secret", csr: "PEM", name: "b1", labels: ["os": "linux"], slots: 2)
        let text = #"{"csr":"PEM","labels":{"os":"linux"},"name":"b1","slots":2,"token":"secret"}"#
        #expect(String(decoding: try WireCodec.encode(request), as: UTF8.self) == text)
        #expect(try WireCodec.decodeEnrolRequest(Array(text.utf8)) == request)
        let renewal = EnrolRequest(token: nil, csr: "PEM", name: "b1", labels: [:], slots: 2)
        #expect(
            String(decoding: try WireCodec.encode(renewal), as: UTF8.self)
                == #"{"csr":"PEM","labels":{},"name":"b1","slots":2}"#)
        let response = EnrolResponse(agent: AgentID(3), certificate: "C", authority: "A", generation: 1)
        #expect(
            String(decoding: try WireCodec.encode(response), as: UTF8.self)
                == #"{"agent_id":3,"ca":"A","certificate":"C","generation":1}"#)
        let refusal = EnrolRefusal(.token, "No.")
        #expect(
            String(decoding: try WireCodec.encode(refusal), as: UTF8.self)
                == #"{"code":"token_refused","message":"No."}"#)
        #expect(try WireCodec.decodeEnrolRefusal(Array(#"{"code":"revoked","message":"x"}"#.utf8)).code == .revoked)
    }

    /// Actions as they stand in START's specification.
    @Test func actions() throws {
        let store = StepSpec.StoreArtifacts(
            rules: [.init(paths: ["out/**", "!*.o"], keepMs: 5, optional: true), .init(paths: ["a"])],
            reports: [.init(step: "test", paths: ["r.xml"])])
        let fetch = StepSpec.FetchArtifacts(sources: [.init(jobs: ["build"], paths: ["out/*"], into: "in")])
        let samples: [(StepSpec.Action, String)] = [
            (
                .storeArtifacts(store),
                #"{"storeArtifacts":{"_0":{"reports":[{"paths":["r.xml"],"step":"test"}],"rules":[{"keep_ms":5,"#
                    + #""optional":true,"paths":["out/**","!*.o"]},{"optional":false,"paths":["a"]}]}}}"#
            ),
            (
                .fetchArtifacts(fetch),
                #"{"fetchArtifacts":{"_0":{"sources":[{"into":"in","jobs":["build"],"paths":["out/*"]}]}}}"#
            ),
        ]
        for (action, text) in samples {
            let spec = StepSpec(
                jobAttempt: JobAttemptID(5), title: "t", action: action, environment: [:], timeoutMs: 1, graceMs: 2,
                logLimitBytes: 3)
            let bytes = try WireCodec.encodeSpec(spec)
            let whole =
                #"{"action":"# + text
                + #","environment":{},"grace_ms":2,"job_attempt":5,"log_limit_bytes":3,"timeout_ms":1,"title":"t","type":"spec"}"#
            #expect(String(decoding: bytes, as: UTF8.self) == whole)
            #expect(try WireCodec.decodeSpec(Array(whole.utf8)) == spec)
        }
    }

    /// Bodies and names of the requests about artifacts.
    @Test func artifacts() throws {
        #expect(ArtifactPaths.content == "/agent/artifacts/" && ArtifactPaths.manifest == "/agent/artifact-manifest")
        #expect(ArtifactPaths.offsetField == "upload-offset" && ArtifactPaths.completeField == "upload-complete")
        let digest = String(repeating: "0a", count: 32)
        let manifest = ArtifactManifest(
            files: [.init(path: "out/a", size: 7, sha256: digest, executable: true, keepMs: 9)],
            reports: [.init(step: "test", path: "r.xml", size: 1, sha256: digest)])
        let text =
            #"{"files":[{"executable":true,"keep_ms":9,"path":"out/a","sha256":""# + digest + #"","size":7}],"#
            + #""reports":[{"path":"r.xml","sha256":""# + digest + #"","size":1,"step":"test"}]}"#
        #expect(String(decoding: try WireCodec.encode(manifest), as: UTF8.self) == text)
        #expect(try WireCodec.decodeManifest(Array(text.utf8)) == manifest)
        let receipt = ArtifactReceipt(notes: ["n"])
        #expect(String(decoding: try WireCodec.encode(receipt), as: UTF8.self) == #"{"notes":["n"]}"#)
        #expect(try WireCodec.decodeReceipt(Array(#"{"notes":["n"]}"#.utf8)) == receipt)
        let listing = ArtifactListing(files: manifest.files)
        #expect(try WireCodec.decodeListing(try WireCodec.encode(listing)) == listing)
    }

    @Test func manifestsThatBreakALimitAreRefused() {
        let digest = String(repeating: "0a", count: 32)
        func refused(_ manifest: ArtifactManifest) -> Bool {
            guard let bytes = try? WireCodec.encode(manifest) else { return false }
            return (try? WireCodec.decodeManifest(bytes)) == nil
        }
        func file(_ path: String, size: UInt64 = 1, digest name: String? = nil) -> ArtifactManifest.File {
            .init(path: path, size: size, sha256: name ?? digest)
        }
        for path in ["", "/a", "../a", "a/../b", "a//b", "a/.", "a\n", "a/", String(repeating: "x", count: 1025)] {
            #expect(refused(ArtifactManifest(files: [file(path)])), "\(path)")
        }
        #expect(refused(ArtifactManifest(files: [file("a"), file("a")])))
        #expect(refused(ArtifactManifest(files: [file("a", digest: digest.uppercased())])))
        #expect(refused(ArtifactManifest(files: [file("a", size: ArtifactLimits.fileBytesMax + 1)])))
        #expect(refused(ArtifactManifest(files: (0...ArtifactLimits.filesMax).map { file("f\($0)") })))
        #expect(!refused(ArtifactManifest(files: [file("a b/..c/ä", size: ArtifactLimits.fileBytesMax)])))
        let report = ArtifactManifest.Report(
            step: "s", path: "r", size: ArtifactLimits.reportBytesMax + 1, sha256: digest)
        #expect(refused(ArtifactManifest(files: [], reports: [report])))
    }
}
