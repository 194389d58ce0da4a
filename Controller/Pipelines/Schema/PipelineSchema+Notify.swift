import ControllerCore

/// `notify`.
extension PipelineSchema {
    static let notify = SchemaType.list(.object(notifyObject), max: NotifyPlan.countMax)

    static let notifyObject = SchemaObject(
        title: "a notice",
        words: [
            word(
                "on", .listOrOne(.choice(NotifyPlan.events.map(\.rawValue)), max: NotifyPlan.events.count),
                isRequired: true, "What is told."),
            word("to", .object(notifyTarget), isRequired: true, "Who is told."),
        ])

    static let notifyTarget = SchemaObject(
        title: "a receiver",
        words: [
            word(
                "webhook", .text(.init(bytesMax: 64, isInterpolated: false)), isRequired: true,
                "The name of a notification target of the project.")
        ])
}
