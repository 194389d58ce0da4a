/// A schedule of a pipeline, as the controller shows it.
package struct ScheduleModel: Decodable, Sendable {
    package var name: String
    package var at: String
    package var zone: String
    package var active: Bool
    package var next: [String]
    package var error: String?
}
