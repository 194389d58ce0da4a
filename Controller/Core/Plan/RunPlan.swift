/// What a run will do, compiled once from a definition and what started it, and stored with the run. It never changes afterwards.
package struct RunPlan: Codable, Equatable, Sendable {
    /// The version of the stored form. A change that an older reader would misread gets the next number.
    package static let currentFormatVersion = 1

    package var formatVersion: Int
    package var name: String
    /// Of every step, unless job or step say otherwise.
    package var environment: [String: String]
    /// The declared inputs with the values of this run, in the order of the file.
    package var inputs: [InputPlan]
    /// In the order of the file, which need not be the order of ``JobPlan/needs``.
    package var jobs: [JobPlan]
    /// From the run's creation to its end.
    package var timeoutMs: UInt64
    package var concurrency: ConcurrencyPlan?
    /// Who is told of what; `nil` where the definition does not say. The store reads it by its name.
    package var notify: [NotifyPlan]?
    package var facts: RunFacts
    /// Findings that did not hinder compiling.
    package var warnings: [Diagnostic]

    package init(
        name: String, environment: [String: String] = [:], inputs: [InputPlan] = [], jobs: [JobPlan],
        timeoutMs: UInt64 = PlanLimits.runTimeoutMsDefault, concurrency: ConcurrencyPlan? = nil,
        facts: RunFacts = RunFacts(), warnings: [Diagnostic] = []
    ) {
        formatVersion = Self.currentFormatVersion
        self.name = name
        self.environment = environment
        self.inputs = inputs
        self.jobs = jobs
        self.timeoutMs = timeoutMs
        self.concurrency = concurrency
        self.facts = facts
        self.warnings = warnings
    }

    /// - Throws: `DecodingError` where a newer AnsFlow wrote the plan in a form that this one does not know.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        formatVersion = try container.decode(Int.self, forKey: .formatVersion)
        guard formatVersion == Self.currentFormatVersion else {
            throw DecodingError.dataCorruptedError(
                forKey: .formatVersion, in: container,
                debugDescription:
                    "The plan has format \(formatVersion); this AnsFlow reads \(Self.currentFormatVersion).")
        }
        name = try container.decode(String.self, forKey: .name)
        environment = try container.decode([String: String].self, forKey: .environment)
        inputs = try container.decode([InputPlan].self, forKey: .inputs)
        jobs = try container.decode([JobPlan].self, forKey: .jobs)
        timeoutMs = try container.decode(UInt64.self, forKey: .timeoutMs)
        concurrency = try container.decodeIfPresent(ConcurrencyPlan.self, forKey: .concurrency)
        notify = try container.decodeIfPresent([NotifyPlan].self, forKey: .notify)
        facts = try container.decode(RunFacts.self, forKey: .facts)
        warnings = try container.decode([Diagnostic].self, forKey: .warnings)
    }

    enum CodingKeys: String, CodingKey {
        case name, environment, inputs, jobs, concurrency, notify, facts, warnings
        case formatVersion = "format_version"
        case timeoutMs = "timeout_ms"
    }
}
