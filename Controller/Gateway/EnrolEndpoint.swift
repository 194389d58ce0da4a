import AnsFlowProtocol
import AnsFlowTransport
import Logging

/// `POST /agent/enrol`: a first certificate for a token, or a new one for a key that is known.
struct EnrolEndpoint: Sendable {
    var authority: CertificateAuthority
    var directory: any AgentDirectory
    var limiter: RateLimiter
    var generation: @Sendable () -> Int64
    var logger: Logger

    func answer(_ body: [UInt8], remote: String) async -> HTTPAnswer {
        guard limiter.allow(remote) else {
            return refuse(429, .slowDown, "Too many enrolments from this address. Try again in a minute.")
        }
        let request: EnrolRequest
        let signing: SigningRequest
        do {
            request = try WireCodec.decodeEnrolRequest(body)
            signing = try SigningRequest(pem: request.csr)
        } catch {
            return refuse(400, .malformed, "\(error)")
        }
        do {
            let outcome = try await directory.enrol(
                token: request.token, key: signing.keyFingerprint, name: request.name, labels: request.labels,
                slots: request.slots, remote: remote)
            switch outcome {
            case .refused(let refusal):
                logger.notice(
                    "enrolment refused", metadata: ["code": "\(refusal.code.rawValue)", "remote": "\(remote)"])
                return refuse(status(refusal.code), refusal.code, refusal.message)
            case .agent(let agent):
                let certificate = try authority.issueAgent(signing, agent: agent)
                let response = EnrolResponse(
                    agent: agent, certificate: certificate, authority: authority.certificatePEM,
                    generation: generation())
                logger.info(
                    request.token == nil ? "agent's certificate renewed" : "agent enrolled",
                    metadata: ["agent.id": "\(agent)", "remote": "\(remote)"])
                return HTTPAnswer(status: 200, body: try WireCodec.encode(response))
            }
        } catch {
            logger.error("enrolment failed", metadata: ["error": "\(error)", "remote": "\(remote)"])
            return refuse(503, .unavailable, "The controller can't enrol at the moment. Try again later.")
        }
    }

    private func refuse(_ status: Int, _ code: EnrolRefusal.Code, _ message: String) -> HTTPAnswer {
        // A refusal is two short texts: it can always be encoded.
        HTTPAnswer(status: status, body: (try? WireCodec.encode(EnrolRefusal(code, message))) ?? [])
    }

    private func status(_ code: EnrolRefusal.Code) -> Int {
        switch code {
        case .malformed: 400
        case .token, .unknownKey, .revoked: 403
        case .conflict: 409
        case .slowDown: 429
        case .unavailable: 503
        }
    }
}
