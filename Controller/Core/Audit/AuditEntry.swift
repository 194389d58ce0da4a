/// What kind of party did something.
package enum AuditActor: String, Codable, Sendable, CaseIterable {
    /// Somebody who logged in.
    case user
    /// Somebody's API key.
    case key
    /// A build machine.
    case agent
    /// AnsFlow itself: a schedule, a webhook, a command at the host.
    case system
    /// Somebody who did not say who they are, or not rightly.
    case nobody
}

/// What became of it.
package enum AuditResult: String, Codable, Sendable, CaseIterable {
    case success
    /// Not allowed, not possible, or wrong.
    case refused
    /// Allowed, but the controller could not do it.
    case failed
}

/// One act, before it has its place in the chain. It never holds a value that somebody gave, only names of fields.
package struct AuditEntry: Equatable, Sendable {
    /// Wall clock, ms since 1970.
    package var at: Int64
    package var actor: AuditActor
    /// The user's or agent's name, or what of AnsFlow itself acted.
    package var name: String
    /// The user's, agent's or nobody's number.
    package var actorID: Int64?
    /// The API key's number.
    package var key: Int64?
    /// The operation's id in the interface's description.
    package var operation: String
    /// In the singular, as `pipeline` or `api_key`; empty where there is none.
    package var objectType: String
    package var objectID: String
    package var project: ProjectID?
    package var result: AuditResult
    /// The answer's HTTP status; nil for what came by another way.
    package var status: Int?
    /// Names of the fields that were given.
    package var fields: [String]
    /// A sentence for people.
    package var detail: String
    /// The address, without its port.
    package var remote: String
    package var requestID: String

    package init(
        at: Int64, actor: AuditActor, name: String, actorID: Int64? = nil, key: Int64? = nil, operation: String,
        objectType: String = "", objectID: String = "", project: ProjectID? = nil, result: AuditResult = .success,
        status: Int? = nil, fields: [String] = [], detail: String = "", remote: String = "", requestID: String = ""
    ) {
        self.at = at
        self.actor = actor
        self.name = name
        self.actorID = actorID
        self.key = key
        self.operation = operation
        self.objectType = objectType
        self.objectID = objectID
        self.project = project
        self.result = result
        self.status = status
        self.fields = fields
        self.detail = detail
        self.remote = remote
        self.requestID = requestID
    }

    package static let nameBytesMax = 128
    package static let wordBytesMax = 64
    package static let idBytesMax = 200
    package static let detailBytesMax = 512
    package static let fieldsMax = 32

    /// With every text cut to its limit, so that nobody can fill the log with one request.
    package var bounded: AuditEntry {
        var entry = self
        entry.name = Self.cut(name, Self.nameBytesMax)
        entry.operation = Self.cut(operation, Self.wordBytesMax)
        entry.objectType = Self.cut(objectType, Self.wordBytesMax)
        entry.objectID = Self.cut(objectID, Self.idBytesMax)
        entry.fields = fields.prefix(Self.fieldsMax).map { Self.cut($0, Self.wordBytesMax) }
        entry.detail = Self.cut(detail, Self.detailBytesMax)
        entry.remote = Self.cut(remote, Self.wordBytesMax)
        entry.requestID = Self.cut(requestID, Self.wordBytesMax)
        return entry
    }

    private static func cut(_ text: String, _ bytes: Int) -> String {
        text.utf8.count <= bytes ? text : String(decoding: text.utf8.prefix(bytes), as: UTF8.self)
    }
}
