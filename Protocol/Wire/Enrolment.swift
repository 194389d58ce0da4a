/// An enrolment token as an operator carries it to a build host: `<secret>.<fingerprint>`.
///
/// The secret may be used once. The fingerprint names the controller's authority, so that the agent knows whom it trusts before
/// it says anything.
package struct EnrolToken: Equatable, Sendable {
    /// Most bytes of the whole text.
    package static let bytesMax = 256

    /// What the controller gets to see. Letters, digits, `-` and `_`.
    package var secret: String
    /// SHA-256 of the authority's certificate (DER), lower-case hex.
    package var authorityFingerprint: String

    package init(secret: String, authorityFingerprint: String) {
        self.secret = secret
        self.authorityFingerprint = authorityFingerprint
    }

    /// Reads a token's text; `nil` where it is not one. White space around it is ignored, as it comes with copying.
    package init?(parsing text: String) {
        guard text.utf8.count <= Self.bytesMax + 32 else { return nil }
        let bare = text.drop { $0.isWhitespace }
        let end = bare.lastIndex { !$0.isWhitespace }.map { bare.index(after: $0) } ?? bare.startIndex
        let parts = bare[..<end].split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count >= 16, parts[0].utf8.allSatisfy(Self.isSecret),
            parts[1].utf8.count == 64, parts[1].utf8.allSatisfy(Self.isHex)
        else { return nil }
        secret = String(parts[0])
        authorityFingerprint = String(parts[1])
    }

    package var text: String { "\(secret).\(authorityFingerprint)" }

    private static func isHex(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte) }
    private static func isSecret(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45 || byte == 95
    }
}

/// The body of `POST /agent/enrol`. Without a token it renews the certificate of a key that is known already.
package struct EnrolRequest: Codable, Equatable, Sendable {
    /// Most bytes of a body, either way.
    package static let bytesMax = 16 * 1024
    /// Most bytes of a signing request.
    package static let signingRequestBytesMax = 8 * 1024

    /// ``EnrolToken/secret``.
    package var token: String?
    /// A PKCS #10 signing request, PEM, signed by the key that it names. That key is the agent's identity.
    package var csr: String
    package var name: String
    package var labels: [String: String]
    package var slots: Int

    package init(token: String?, csr: String, name: String, labels: [String: String], slots: Int) {
        self.token = token
        self.csr = csr
        self.name = name
        self.labels = labels
        self.slots = slots
    }

    func validate() throws(WireError) {
        guard (token?.utf8.count ?? 0) <= EnrolToken.bytesMax else { throw WireError("The token is too long.") }
        guard csr.utf8.count <= Self.signingRequestBytesMax else { throw WireError("The signing request is too long.") }
        let allowed = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || byte == 45 || byte == 46 || byte == 95
        }
        guard !name.isEmpty, name.utf8.count <= ProtocolLimits.agentNameBytesMax, allowed else {
            throw WireError(
                "An agent's name has 1 to \(ProtocolLimits.agentNameBytesMax) letters, digits, dots, hyphens or underscores."
            )
        }
        guard labels.count <= ProtocolLimits.labelsMax,
            labels.allSatisfy({
                !$0.key.isEmpty && $0.key.utf8.count <= ProtocolLimits.labelBytesMax
                    && $0.value.utf8.count <= ProtocolLimits.labelBytesMax
            })
        else {
            throw WireError(
                "At most \(ProtocolLimits.labelsMax) labels are allowed, of at most \(ProtocolLimits.labelBytesMax) bytes."
            )
        }
        guard (1...ProtocolLimits.slotsMax).contains(slots) else {
            throw WireError("An agent has 1 to \(ProtocolLimits.slotsMax) slots.")
        }
    }
}

/// What an enrolled or renewed agent gets.
package struct EnrolResponse: Codable, Equatable, Sendable {
    package var agent: AgentID
    /// The agent's certificate, PEM.
    package var certificate: String
    /// The authority's certificate, PEM.
    package var authority: String
    /// The controller's generation.
    package var generation: Int64

    package init(agent: AgentID, certificate: String, authority: String, generation: Int64) {
        self.agent = agent
        self.certificate = certificate
        self.authority = authority
        self.generation = generation
    }

    enum CodingKeys: String, CodingKey {
        case certificate, generation
        case agent = "agent_id"
        case authority = "ca"
    }
}

/// Why an enrolment or a renewal was refused.
package struct EnrolRefusal: Codable, Equatable, Sendable {
    package enum Code: String, Codable, Sendable {
        case malformed
        /// The token is unknown, used by another key, or too old.
        case token = "token_refused"
        /// A renewal for a key that was never enrolled.
        case unknownKey = "unknown_key"
        /// The agent is revoked: it ends its steps and asks no more.
        case revoked
        case conflict
        case slowDown = "slow_down"
        /// The controller can't make anything durable at the moment.
        case unavailable
    }

    package var code: Code
    /// A full sentence for the operator.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// What an agent keeps about its controller, beside its key and certificates.
package struct LinkSettings: Codable, Equatable, Sendable {
    /// `https://HOST:PORT`.
    package var controller: String
    package var agent: AgentID
    package var name: String
    package var labels: [String: String]
    package var slots: Int

    package init(controller: String, agent: AgentID, name: String, labels: [String: String], slots: Int) {
        self.controller = controller
        self.agent = agent
        self.name = name
        self.labels = labels
        self.slots = slots
    }
}
