import ControllerCore

/// The words of the pipeline language: the one table that the strict reader, its suggestions and every description are made from.
package enum PipelineSchema {
    package static let root = SchemaObject(
        title: "a pipeline",
        words: [
            word("name", name, "The pipeline's name in lists and titles."),
            word("on", triggers, "What starts a run by itself."),
            word("include", includes, "Files of the repository whose jobs, inputs and variables are added."),
            word("env", environment, "Variables of every step."),
            word("inputs", inputs, "Values that are given to a run."),
            word("defaults", .object(defaults), "Values for jobs and steps that do not say."),
            word("timeout", timeout, "From the run's creation to its end."),
            word("concurrency", concurrency, "Of a group of runs only so many go on at a time."),
            word("priority", priority, "Of jobs that have none: higher goes first."),
            word("notify", notify, "Who is told of what becomes of a run."),
            word("jobs", jobs, "The jobs by their id."),
        ] + soleJob + later(["cache", "container", "services"]) + foreign)

    /// What a file may say that is included by another.
    package static let included = SchemaObject(
        title: "an included file",
        words: [
            word("include", includes, "Further files."),
            word("env", environment, "Variables of every step; those of the file that includes it win."),
            word("inputs", inputs, "Further inputs."),
            word(
                "defaults", .object(defaults), "Values for jobs and steps that do not say, where the pipeline has none."
            ),
            word("jobs", jobs, "Further jobs."),
        ])

    /// Words of a job that stand at the top of a file without `jobs`.
    static let soleJobWords = Set(soleJob.map(\.name))

    private static let soleJob: [SchemaWord] =
        shared + [
            word("agents", labels, aliases: ["runs-on", "tags"], "Labels that the agent must have."),
            word("parallel", .integer(1...PlanLimits.parallelMax), "Steps that run side by side, at most."),
            word("checkout", checkout, "How the repository is checked out; `false` for not at all."),
            word("matrix", matrix, "Makes a job of each combination of values."),
            word("retry", retry(of: jobRetry), "Repeats the whole job, on any agent."),
            word("approval", .object(approval), "Somebody must say yes before the job starts."),
            word("environment", plainName, "What the job deploys to, with its own secrets and history."),
            word("secrets", secrets, "Secrets that each step of the job gets."),
            word("artifacts", artifacts, "Files that are kept, and files of earlier jobs that are fetched."),
            word("finally", .list(.object(finalStep), max: 50), "Steps that run at the end, whatever happened."),
            word("steps", .list(.object(step), max: PlanLimits.stepsMax), "The commands."),
        ]

    package static let job = SchemaObject(
        title: "a job",
        words: [
            word("name", name, "The job's name for people."),
            word("needs", needs(of: jobNeed), aliases: ["depends_on"], "Jobs that must have ended well before."),
            word("env", environment, "Variables of the job's steps."),
            word("timeout", timeout, "From the job's start on an agent."),
            word("concurrency", concurrency, "Of a group of jobs only so many go on at a time."),
            word("priority", priority, "Higher goes first."),
        ] + soleJob + later(["cache", "container", "services"]) + foreign)

    package static let step = SchemaObject(
        title: "a step",
        words: [
            word(
                "needs", needs(of: stepNeed), aliases: ["depends_on"],
                "Steps of the job that must have ended well before."),
            word("retry", retry(of: stepRetry), "Repeats the step in its workspace."),
            word("reports", .object(reports), "Test reports that the step writes."),
        ] + command + shared + later(["cache", "container", "services"]) + foreign)

    package static let finalStep = SchemaObject(title: "a clean-up step", words: command + shared)

    /// What steps and those of `finally` have in common.
    private static let command: [SchemaWord] = [
        word("id", .text(.init(bytesMax: PlanLimits.idBytesMax, isInterpolated: false)), "The step's id in its job."),
        word("name", name, "The step's name for people."),
        word(
            "run", .listOrOne(.text(.init(bytesMax: PlanLimits.commandBytesMax)), max: 100),
            aliases: ["script", "commands", "command"], isRequired: true, "A command, or a list of commands."),
        word("shell", shell, "What runs the commands."),
        word("env", environment, "Variables of the step."),
        word("secrets", secrets, "Secrets that the step gets as variables."),
        word("timeout", timeout, "From the command's start until it is told to end."),
    ]

    /// What jobs and steps have in common.
    private static let shared: [SchemaWord] = [
        word("if", .expression, "Runs only when this is true."),
        word(
            "when", .listOrOne(.object(filter), max: PlanLimits.filtersMax), "Runs only when one of these filters fits."
        ),
        word(
            "allow_failure",
            .byShape(scalar: .boolean, list: nil, map: .object(allowance), "`true`, `false` or `{ exit_codes: […] }`"),
            aliases: ["soft_fail", "continue-on-error"], "A failure is shown as a warning and hinders nothing."),
        word("limits", .object(limits), "What may be used."),
    ]

    /// All objects, for finding the one to which a misplaced word belongs.
    static let objects = [
        root, job, step, input, approvalInput, limits, checkoutOptions, matrixObject, override, jobNeed,
        stepNeed,
        jobRetry, notifyObject, notifyTarget, concurrencyObject, approval, artifact, reports, filter, push, pullRequest,
        schedule, webhook,
    ]

    static func word(
        _ name: String, _ type: SchemaType, aliases: [String] = [], isRequired: Bool = false, _ summary: String
    ) -> SchemaWord {
        SchemaWord(name: name, kind: .value(type), aliases: aliases, isRequired: isRequired, summary: summary)
    }

    static func later(_ names: [String]) -> [SchemaWord] {
        names.map { SchemaWord(name: $0, kind: .later) }
    }

    private static let foreign: [SchemaWord] = [
        ("rules", "Use `when`, a list of filters of which one must fit, or `if`."),
        ("uses", "There are no actions here; write the command under `run`."),
        ("with", "There are no actions here; pass values with `env`."),
        ("stage", "Order jobs with `needs`."),
        ("stages", "Order jobs with `needs`."),
        ("variables", "Use `env`."),
        ("only", "Use `when` or `if`."),
        ("except", "Use `if`."),
        ("before_script", "Make it a step of its own."),
        ("after_script", "Use `finally` in the job."),
        ("working-directory", "Begin the command with `cd`."),
        ("strategy", "Write `matrix` directly into the job."),
        ("resource_group", "Use `concurrency`."),
        ("timeout-minutes", "Use `timeout`, as in `timeout: 15m`."),
        ("extends", "Use an anchor and `<<`."),
        ("outputs", "None are declared: a step writes `name=value` lines to the file in $ANSFLOW_OUTPUT."),
        ("image", "Use `agents` to choose where it runs."),
    ].map { SchemaWord(name: $0.0, kind: .foreign(hint: $0.1)) }
}
