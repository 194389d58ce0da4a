import ControllerCore

extension Schemas {
    static let user = Component(
        "User",
        .object([
            "id": .id, "username": .text, "is_administrator": .flag, "disabled": .flag, "version": .id,
            "created_at": .time, "updated_at": .time,
        ]),
        example: """
            {"id":2,"username":"octo","is_administrator":false,"disabled":false,"version":1,\
            "created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:00.000Z"}
            """)

    private static let password = Schema.text(UserRoutes.passwordBytesMin...1024)
    static let newUser = Description.Payload(
        .input(
            [
                "username": .text(1...128, pattern: "^[^\\s\\u0000-\\u001F\\u007F-\\u009F]+$"), "password": password,
                "is_administrator": .flag,
            ], required: ["username", "password"]),
        example: #"{"username":"octo","password":"correct horse battery staple"}"#)
    static let userEdit = Description.Payload(
        .input(["password": password, "is_administrator": .flag, "disabled": .flag]), example: #"{"disabled":true}"#)
    static let passwordChange = Description.Payload(
        .input(
            ["current_password": .text(1...1024), "new_password": password],
            required: ["current_password", "new_password"]),
        example: #"{"current_password":"correct horse","new_password":"correct horse battery staple"}"#)

    static let browserSession = Component(
        "BrowserSession",
        .object([
            "id": .id, "username": .text, "is_administrator": .flag, "csrf_token": .text, "expires_at": .time,
        ]),
        example: """
            {"id":1,"username":"admin","is_administrator":true,"csrf_token":"send-it-with-writes",\
            "expires_at":"2026-02-14T12:00:00.000Z"}
            """)
    static let session = Component(
        "Session",
        .object([
            "id": .id, "kind": .one(of: SessionKind.self), "remote": .text, "created_at": .time, "last_used_at": .time,
            "expires_at": .time, "current": .flag,
        ]),
        example: """
            {"id":9,"kind":"browser","remote":"192.0.2.7","created_at":"2026-01-31T12:00:00.000Z",\
            "last_used_at":"2026-01-31T12:05:00.000Z","expires_at":"2026-02-14T12:00:00.000Z","current":true}
            """)

    // MARK: Projects

    static let project = Component(
        "Project",
        .object([
            "id": .id, "name": .text, "description": .text, "state": .one(of: ProjectState.self),
            "role": .optional(.one(of: Role.self)), "version": .id, "created_at": .time, "updated_at": .time,
        ]),
        example: """
            {"id":2,"name":"widgets","description":"","state":"active","role":"owner","version":1,\
            "created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:00.000Z"}
            """)
    static let newProject = Description.Payload(
        .input(["name": line(), "description": .text(0...4096), "owner_id": .id], required: ["name"]),
        example: #"{"name":"widgets"}"#)
    static let projectText = Description.Payload(
        .input(["name": line(), "description": .text(0...4096)], required: ["name"]),
        example: #"{"name":"widgets","description":"What we sell"}"#)
    static let projectEdit = Description.Payload(
        .input(["name": line(), "description": .text(0...4096), "archived": .flag]), example: #"{"archived":true}"#)

    static let member = Component(
        "Member",
        .object([
            "user_id": .id, "username": .text, "role": .one(of: Role.self), "added_by": .text, "created_at": .time,
            "updated_at": .time,
        ]),
        example: """
            {"user_id":2,"username":"octo","role":"developer","added_by":"admin",\
            "created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:00.000Z"}
            """)
    static let memberRole = Description.Payload(
        .input(["role": .one(of: Role.self)], required: ["role"]), example: #"{"role":"developer"}"#)
}

extension Schemas {
    static let variables = Component(
        "Variables", .object(["variables": .map(.text), "project_version": .id]),
        example: #"{"variables":{"REGION":"north","STAGE":"test"},"project_version":4}"#)
    static let newVariables = Description.Payload(
        .input(["variables": .map(.text(0...VariableLimits.valueBytesMax))], required: ["variables"]),
        example: #"{"variables":{"REGION":"north","STAGE":"test"}}"#)
}
