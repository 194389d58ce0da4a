/// The orders in which lists of named things come. What has no such time goes by its id.
package enum ListOrder: String, Sendable, CaseIterable {
    case name
    case nameDown = "-name"
    /// Oldest first.
    case created = "created_at"
    case createdDown = "-created_at"
    case updated = "updated_at"
    case updatedDown = "-updated_at"
}
