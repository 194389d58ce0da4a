import ControllerCore

/// The words of the pipeline language: the one table that the strict reader, its suggestions and every description are made from.
package enum PipelineSchema {
    package static let root = SchemaObject(
        title: "a pipeline",
        words: [
            word("name", name, "The pipeline's name in lists and titles."),
            word("env", environment, "Variables of every step."),
            word(
                "inputs", .map(.object(input), keys: .id, max: PlanLimits.inputsMax), "Values that are given to a run."),
            word("defaults", .object(defaults), "Values for steps that do not say."),
            word("timeout", timeout, "From the run's creation to its end."),
            word("jobs", .map(.object(job), keys: .id, max: PlanLimits.stepsMax), "The jobs by their id."),
        ] + soleJob
            + later([
                "on", "concurrency", "notify", "include", "priority", "matrix", "container", "services", "finally",
                "artifacts", "cache", "secrets", "approval", "environment", "when", "retry", "reports",
            ]) + foreign)

    /// Words of a job that stand at the top of a file without `jobs`.
    static let soleJobWords = Set(soleJob.map(\.name))

    private static let soleJob: [SchemaWord] =
        shared + [
            word("agents", labels, aliases: ["runs-on", "tags"], "Labels that the agent must have."),
            word("parallel", .integer(1...PlanLimits.parallelMax), "Steps that run side by side, at most."),
            word("checkout", checkout, "How the repository is checked out; `false` for not at all."),
            word("steps", .list(.object(step), max: PlanLimits.stepsMax), "The commands."),
        ]

    package static let job = SchemaObject(
        title: "a job",
        words: [
            word("name", name, "The job's name for people."),
            word("needs", needs, aliases: ["depends_on"], "Jobs that must have ended well before."),
            word("env", environment, "Variables of the job's steps."),
            word("timeout", timeout, "From the job's start on an agent."),
        ] + soleJob
            + later([
                "matrix", "retry", "when", "concurrency", "approval", "environment", "secrets", "artifacts", "cache",
                "container", "services", "finally", "notify", "reports", "priority", "outputs",
            ]) + foreign)

    package static let step = SchemaObject(
        title: "a step",
        words: [
            word(
                "id", .text(.init(bytesMax: PlanLimits.idBytesMax, isInterpolated: false)), "The step's id in its job."),
            word("name", name, "The step's name for people."),
            word("needs", needs, aliases: ["depends_on"], "Steps of the job that must have ended well before."),
            word(
                "run", .listOrOne(.text(.init(bytesMax: PlanLimits.commandBytesMax)), max: 100),
                aliases: ["script", "commands", "command"], isRequired: true, "A command, or a list of commands."),
            word("shell", .choice(["sh", "bash"]), "What runs the commands."),
            word("env", environment, "Variables of the step."),
            word("timeout", timeout, "From the command's start until it is told to end."),
        ] + shared
            + later([
                "retry", "when", "secrets", "artifacts", "cache", "container", "services", "reports", "approval",
                "concurrency", "environment", "outputs", "matrix", "finally", "priority", "notify",
            ]) + foreign)

    /// What jobs and steps have in common.
    private static let shared: [SchemaWord] = [
        word("if", .expression, "Runs only when this is true."),
        word(
            "allow_failure", .later([.map], .boolean), aliases: ["soft_fail", "continue-on-error"],
            "A failure is shown as a warning and hinders nothing."),
        word("limits", .object(limits), "What may be used."),
    ]

    package static let input = SchemaObject(
        title: "an input",
        words: [
            word("type", .choice(InputPlan.Kind.allCases.map(\.rawValue)), isRequired: true, "What the value is."),
            word(
                "options",
                .list(
                    .text(.init(bytesMax: PlanLimits.nameBytesMax, isInterpolated: false)),
                    max: PlanLimits.inputOptionsMax), "What a choice may be."),
            word(
                "default", .text(.init(bytesMax: PlanLimits.inputBytesMax, isEmptyAllowed: true)),
                "The value where none is given."),
            word("required", .boolean, "Whether a run without the value is refused."),
            word(
                "description",
                .text(.init(bytesMax: 1024, isEmptyAllowed: true, isInterpolated: false)), "A sentence for people."),
        ])

    static let defaults = SchemaObject(
        title: "the defaults", words: [word("timeout", timeout, "The timeout of steps that have none.")])

    static let limits = SchemaObject(
        title: "the limits",
        words: [
            word("log", .size(PlanLimits.logBytesMin...PlanLimits.logBytesMax), "Bytes of output that are kept.")
        ] + later(["cpu", "memory", "pids"]))

    static let checkoutOptions = SchemaObject(
        title: "the checkout",
        words: [
            word("depth", .integer(0...PlanLimits.checkoutDepthMax), "Commits of history; 0 for all."),
            word("submodules", .boolean, "Whether submodules are checked out too."),
            word("lfs", .boolean, "Whether files of Git LFS are fetched."),
            word("clean", .boolean, "Whether files that git does not know are removed first."),
        ])

    private static let name = SchemaType.text(.init(bytesMax: PlanLimits.nameBytesMax))
    private static let timeout = SchemaType.duration(PlanLimits.timeoutMsMin...PlanLimits.timeoutMsMax)
    private static let checkout = SchemaType.falseOr(.object(checkoutOptions))
    private static let needs = SchemaType.listOrOne(
        .later([.map], .text(.init(bytesMax: PlanLimits.idBytesMax, isInterpolated: false))), max: PlanLimits.needsMax)
    private static let environment = SchemaType.map(
        .text(.init(bytesMax: PlanLimits.stepSpecBytesMax, isEmptyAllowed: true)), keys: .variable,
        max: PlanLimits.environmentMax)
    private static let labels = SchemaType.labels(
        .map(.text(.init(bytesMax: PlanLimits.labelBytesMax)), keys: .label, max: PlanLimits.labelsMax))

    /// All objects, for finding the one to which a misplaced word belongs.
    static let objects = [root, job, step, input, defaults, limits, checkoutOptions]

    private static func word(
        _ name: String, _ type: SchemaType, aliases: [String] = [], isRequired: Bool = false, _ summary: String
    ) -> SchemaWord {
        SchemaWord(name: name, kind: .value(type), aliases: aliases, isRequired: isRequired, summary: summary)
    }

    private static func later(_ names: [String]) -> [SchemaWord] {
        names.map { SchemaWord(name: $0, kind: .later) }
    }

    private static let foreign: [SchemaWord] = [
        ("rules", "Use `if`."),
        ("uses", "There are no actions here; write the command under `run`."),
        ("with", "There are no actions here; pass values with `env`."),
        ("stage", "Order jobs with `needs`."),
        ("stages", "Order jobs with `needs`."),
        ("variables", "Use `env`."),
        ("only", "Use `if`."),
        ("except", "Use `if`."),
        ("before_script", "Make it a step of its own."),
        ("after_script", "Make it a step with `if: always()`."),
        ("working-directory", "Begin the command with `cd`."),
    ].map { SchemaWord(name: $0.0, kind: .foreign(hint: $0.1)) }
}
