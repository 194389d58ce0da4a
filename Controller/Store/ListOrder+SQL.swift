import ControllerCore

extension ListOrder {
    /// What stands behind ORDER BY: fixed text. Ids ascend as times of making do.
    var sql: String {
        switch self {
        case .name: "name, id"
        case .nameDown: "name DESC, id DESC"
        case .created: "id"
        case .createdDown: "id DESC"
        case .updated: "updated_at, id"
        case .updatedDown: "updated_at DESC, id DESC"
        }
    }
}
