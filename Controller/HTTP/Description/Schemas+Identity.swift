import ControllerCore

extension Schemas {
    static let tokens = Component(
        "Tokens",
        .object([
            "access_token": .text, "refresh_token": .text, "token_type": .one(of: ["bearer"]), "expires_in": .count,
        ]),
        example: """
            {"access_token":"header.claims.signature","refresh_token":"shown-once","token_type":"bearer",\
            "expires_in":900}
            """)

    static let login = Description.Payload(
        .input(["username": .text(1...4096), "password": .text(1...4096)], required: ["username", "password"]),
        example: #"{"username":"octo","password":"correct horse battery staple"}"#)
    static let refresh = Description.Payload(
        .input(["refresh_token": .text(1...1024)], required: ["refresh_token"]),
        example: #"{"refresh_token":"the-last-one"}"#)

    static let me = Component(
        "Me",
        .object([
            "id": .id, "username": .text, "is_administrator": .flag, "csrf_token": .optional(.text),
            "scopes": .list(of: .one(of: Scope.self)),
            "authenticated_by": .one(of: ["session", "api_key"]),
        ]),
        example: """
            {"id":1,"username":"admin","is_administrator":true,"csrf_token":null,"scopes":["admin","read","run","write"],\
            "authenticated_by":"session"}
            """)

    static let key = Component(
        "APIKey",
        .object([
            "id": .id, "name": .text, "prefix": .text, "scopes": .list(of: .one(of: Scope.self)), "created_at": .time,
            "expires_at": .optional(.time), "last_used_at": .optional(.time),
        ]), example: "{\(keyMembers)}")

    static let ownedKey = Component(
        "OwnedAPIKey",
        .object([
            "id": .id, "name": .text, "prefix": .text, "scopes": .list(of: .one(of: Scope.self)), "created_at": .time,
            "expires_at": .optional(.time), "last_used_at": .optional(.time), "user_id": .id, "username": .text,
        ]), example: "{\(keyMembers),\"user_id\":2,\"username\":\"octo\"}")

    private static let keyMembers = """
        "id":4,"name":"deploy script","prefix":"ansk_abc","scopes":["run"],"created_at":"2026-01-31T12:00:00.000Z",\
        "expires_at":"2027-01-31T12:00:00.000Z","last_used_at":null
        """

    static let newKey = Description.Payload(
        .input(
            [
                "name": line(), "scopes": .list(of: .one(of: Scope.self), max: Scope.allCases.count),
                "expires_at": .time,
            ], required: ["name"]),
        example: #"{"name":"deploy script","scopes":["run"],"expires_at":"2027-01-31T12:00:00Z"}"#)
    static let issuedKey = Component(
        "IssuedAPIKey", .component(key).adding(["key": .text]), example: "{\(keyMembers),\"key\":\"ansk_shown-once\"}")

    static let ticket = Component(
        "Ticket", .object(["ticket": .text, "expires_at": .time]),
        example: #"{"ticket":"shown-once","expires_at":"2026-01-31T12:00:30.000Z"}"#)

    // MARK: Secrets

    private static let secretMembers = """
        "name":"DEPLOY_KEY","environment":null,"version":1,"created_at":"2026-01-31T12:00:00.000Z",\
        "updated_at":"2026-01-31T12:00:00.000Z","updated_by":"octo"
        """

    static let secret = Component(
        "Secret",
        .object([
            "name": .text, "environment": .optional(.text), "version": .id, "created_at": .time, "updated_at": .time,
            "updated_by": .text,
        ]), example: "{\(secretMembers)}")
    /// With whether logs will be masked for it.
    static let keptSecret = Component(
        "KeptSecret", .component(secret).adding(["masked": .flag]), example: "{\(secretMembers),\"masked\":true}")

    private static let value = Schema.text(1...SecretLimits.valueBytesMax, pattern: "^[^\\u0000]*$")
    static let secretName = Schema.text(1...SecretLimits.nameBytesMax, pattern: "^[A-Za-z_][A-Za-z0-9_]*$")
    static let newSecret = Description.Payload(
        .input(["name": secretName, "value": value], required: ["name", "value"]),
        example: #"{"name":"DEPLOY_KEY","value":"open sesame"}"#)
    static let secretValue = Description.Payload(
        .input(["value": value], required: ["value"]), example: #"{"value":"open sesame"}"#)
}
