package import ControllerCore

/// Says what one viewer may see. Asked when it subscribes, and again when somebody's rights have changed.
package protocol ViewerAccess: Sendable {
    /// The projects whose events of `topic` the viewer sees; nil where the topic does not exist for it.
    func visibility(of topic: Topic) async throws -> Visibility?
}

/// Everything may be seen: for tests, and for what checks elsewhere.
package struct OpenViewing: ViewerAccess {
    package init() {}
    package func visibility(of topic: Topic) async throws -> Visibility? { .all }
}
