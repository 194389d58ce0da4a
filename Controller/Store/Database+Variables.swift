package import ControllerCore
import GRDB

extension Database: ProjectVariableRepository {
    package func variables(of project: ProjectID) async throws -> ProjectVariables? {
        try await read { db in
            try db.first(
                "SELECT variables, version FROM projects WHERE id = ? AND state <> 'deleting'", { $0.add(project) }
            ) { columns in
                ProjectVariables(
                    values: try StoredJSON.map(columns.text()), projectVersion: columns.int())
            }
        }
    }

    package func setVariables(
        _ values: [String: String], of project: ProjectID, expected: Int?, at: Int64
    ) async throws -> ProjectVariables {
        let text = StoredJSON.text(values)
        return try await write { db in
            let row = try Self.known(db, project, expected)
            if row.state == .archived { throw PeopleChange.archived }
            try db.run("UPDATE projects SET variables = ?, version = ?, updated_at = ? WHERE id = ?") {
                $0.add(text)
                $0.add(row.version + 1)
                $0.add(at)
                $0.add(project)
            }
            return ProjectVariables(values: values, projectVersion: row.version + 1)
        }
    }
}
