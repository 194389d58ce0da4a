import ControllerCore

/// `notify`.
extension DefinitionBuilder {
    static func notify(_ fields: SchemaFields) -> [NotifyPlan] {
        var plans: [NotifyPlan] = []
        for item in fields["notify"]?.items ?? [] {
            guard let words = item.fields, let webhook = words["to"]?.fields?["webhook"]?.literal else { continue }
            let events = (words["on"]?.items ?? []).compactMap { $0.literal.flatMap(NoticeEvent.init(rawValue:)) }
            plans.append(NotifyPlan(on: events, webhook: webhook))
        }
        return plans
    }
}
