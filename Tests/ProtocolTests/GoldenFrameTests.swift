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
}
