/// Checks what somebody gave for declared inputs. Nothing is converted but texts, since command lines and forms only know those.
package enum InputCheck {
    /// - Returns: The values with defaults filled in, and what is wrong, by field.
    package static func values(
        _ plans: [InputPlan], given: [String: InputValue]
    ) -> (values: [String: InputValue], faults: [FieldFault]) {
        var values: [String: InputValue] = [:]
        var faults: [FieldFault] = []
        for name in given.keys.sorted() where !plans.contains(where: { $0.name == name }) {
            let names = plans.map(\.name).joined(separator: ", ")
            faults.append(
                FieldFault(
                    field: name,
                    message: "There is no input of this name." + (names.isEmpty ? "" : " There are: \(names).")))
        }
        for plan in plans {
            guard let value = given[plan.name] else {
                if let value = plan.defaultValue {
                    values[plan.name] = value
                } else if plan.required {
                    faults.append(FieldFault(field: plan.name, message: "It is required; give a value."))
                }
                continue
            }
            if let read = read(value, plan) {
                values[plan.name] = read
            } else {
                faults.append(FieldFault(field: plan.name, message: wanted(plan)))
            }
        }
        return (values, faults)
    }

    private static func read(_ value: InputValue, _ plan: InputPlan) -> InputValue? {
        switch (value, plan.kind) {
        case (.text(let text), _) where text.utf8.count > PlanLimits.inputBytesMax || text.utf8.contains(0): nil
        case (.text, .text): value
        case (.text(let text), .choice): plan.options.contains(text) ? value : nil
        case (.text("true"), .boolean): .boolean(true)
        case (.text("false"), .boolean): .boolean(false)
        case (.boolean, .boolean): value
        case (.number(let number), .number): number.isFinite ? value : nil
        case (.text(let text), .number): Double(text).flatMap { $0.isFinite ? .number($0) : nil }
        default: nil
        }
    }

    private static func wanted(_ plan: InputPlan) -> String {
        switch plan.kind {
        case .text: "It must be a text of at most \(PlanLimits.inputBytesMax) bytes."
        case .number: "It must be a number."
        case .boolean: "It must be true or false."
        case .choice: "It must be one of: \(plan.options.joined(separator: ", "))."
        }
    }
}
