import ControllerCore
import HTTPTypes

/// Backups that the running controller makes.
struct BackupRoutes {
    let services: HTTPServices

    var routes: [Route] {
        guard let backups = services.backups else { return [] }
        let path = "/api/v1/system/backups"
        return [
            Route(
                .get, path, .admin, "listBackups", "Backups in the directory of the settings, newest first",
                query: Query.pagingIfWanted,
                describes: Description(.system, answers: [.whole(of: Schemas.backup)])
            ) { call in
                try ListJSON.whole(await backups.backups(), call) { json, backup in
                    json.object { Self.members(backup, &$0) }
                }
            },
            Route(
                .post, path, .admin, "makeBackup", "Make a backup now, where the settings say",
                describes: Description(
                    .system, answers: [.created(.component(Schemas.backup), at: false)], problems: [409])
            ) { _ in
                let backup: BackupSummary
                do {
                    backup = try await backups.makeBackup()
                } catch let refusal as BackupRefusal {
                    throw Problem.conflict(refusal.description)
                }
                return Reply.json(.created) { json in json.object { Self.members(backup, &$0) } }
            },
        ]
    }

    private static func members(_ backup: BackupSummary, _ json: inout JSONWriter) {
        json.field("name", backup.name)
        json.field("created_at", time: backup.createdAt)
        json.field("files", backup.files)
        json.field("bytes", backup.bytes)
        json.field("has_keys", backup.hasKeys)
    }
}
