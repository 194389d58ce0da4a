import ControllerCore

/// Types that several words have, and the maps inside jobs and steps.
extension PipelineSchema {
    static let name = SchemaType.text(.init(bytesMax: PlanLimits.nameBytesMax))
    static let plainName = name
    static let timeout = SchemaType.duration(PlanLimits.timeoutMsMin...PlanLimits.timeoutMsMax)
    static let shell = SchemaType.choice(["sh", "bash"])
    static let priority = SchemaType.integer(-PlanLimits.priorityMax...PlanLimits.priorityMax)
    static let checkout = SchemaType.falseOr(.object(checkoutOptions))
    static let jobs = SchemaType.map(.object(job), keys: .id, max: PlanLimits.stepsMax)
    static let inputs = SchemaType.map(.object(input), keys: .id, max: PlanLimits.inputsMax)
    static let environment = SchemaType.map(
        .text(.init(bytesMax: PlanLimits.stepSpecBytesMax, isEmptyAllowed: true)), keys: .variable,
        max: PlanLimits.environmentMax)
    static let labels = SchemaType.labels(
        .map(.text(.init(bytesMax: PlanLimits.labelBytesMax)), keys: .label, max: PlanLimits.labelsMax))
    static let exitCodes = SchemaType.listOrOne(.integer(1...255), max: PlanLimits.exitCodesMax)
    static let glob = SchemaType.text(.init(bytesMax: PlanLimits.globBytesMax, isInterpolated: false))
    static let secretName = SchemaType.text(.init(bytesMax: SecretLimits.nameBytesMax, isInterpolated: false))
    static let secrets = SchemaType.byShape(
        scalar: nil, list: .list(secretName, max: PlanLimits.secretsMax),
        map: .map(secretName, keys: .secret, max: PlanLimits.secretsMax), "a map of variables or a list of names")
    static let includePath = SchemaType.text(.init(bytesMax: 1024, isInterpolated: false))
    static let includes = SchemaType.listOrOne(
        .byShape(scalar: includePath, list: nil, map: .object(includeObject), "a path"), max: PlanLimits.includesMax)
    static let concurrency = SchemaType.byShape(
        scalar: name, list: nil, map: .object(concurrencyObject), "a group's name or a map")
    static let artifacts = SchemaType.listOrOne(.object(artifact), max: PlanLimits.artifactRulesMax)
    static let matrix = SchemaType.open(
        matrixObject,
        others: .list(.text(matrixValue), max: PlanLimits.matrixCellsMax), keys: .id, max: PlanLimits.matrixAxesMax)
    static let matrixValue = SchemaType.TextRule(
        bytesMax: PlanLimits.matrixValueBytesMax, isEmptyAllowed: false, isInterpolated: false)
    static let cell = SchemaType.map(.text(matrixValue), keys: .id, max: PlanLimits.matrixAxesMax)

    static let includeObject = SchemaObject(
        title: "an include", words: [word("local", includePath, isRequired: true, "A path from the repository's root.")]
    )

    static let defaults = SchemaObject(
        title: "the defaults",
        words: [
            word("timeout", timeout, "The timeout of steps that have none."),
            word("shell", shell, "The shell of steps that have none."),
            word("agents", labels, aliases: ["runs-on", "tags"], "The labels of jobs that have none."),
        ])

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

    static let allowance = SchemaObject(
        title: "an allowed failure",
        words: [word("exit_codes", exitCodes, isRequired: true, "Only an exit with one of these is allowed.")])

    static func needs(of object: SchemaObject) -> SchemaType {
        let isJob = object === jobNeed
        let one = SchemaType.text(
            .init(bytesMax: isJob ? 512 : PlanLimits.idBytesMax, isInterpolated: isJob))
        return .listOrOne(
            .byShape(scalar: one, list: nil, map: .object(object), "a name or a map"), max: PlanLimits.needsMax)
    }

    static let jobNeed = SchemaObject(
        title: "a need",
        words: [word("job", .text(.init(bytesMax: 512)), isRequired: true, "The job; of a matrix all cells.")]
            + needWords)
    static let stepNeed = SchemaObject(
        title: "a need",
        words: [
            word(
                "step", .text(.init(bytesMax: PlanLimits.idBytesMax, isInterpolated: false)), isRequired: true,
                "The step.")
        ] + needWords)
    private static let needWords = [
        word("optional", .boolean, "Whether it is fine that there is no such job or step."),
        word("allow_failure", .boolean, "Whether it may have failed or been cancelled."),
    ]

    static func retry(of object: SchemaObject) -> SchemaType {
        .byShape(scalar: .integer(1...PlanLimits.retriesMax), list: nil, map: .object(object), "a number or a map")
    }

    static let stepRetry = retryObject(["exit", "timeout", "oom"])
    static let jobRetry = retryObject(RetryPlan.Reason.allCases.map(\.rawValue))

    private static func retryObject(_ reasons: [String]) -> SchemaObject {
        SchemaObject(
            title: "a retry",
            words: [
                word("max", .integer(1...PlanLimits.retriesMax), isRequired: true, "Attempts beyond the first."),
                word("on", .listOrOne(.choice(reasons), max: 10), "The reasons for which it is tried again."),
                word("exit_codes", exitCodes, "Only these exits are tried again."),
                word(
                    "backoff", .duration(1000...PlanLimits.backoffMsMax),
                    "The first pause; each further one is twice as long."),
            ])
    }

    static let concurrencyObject = SchemaObject(
        title: "a concurrency group",
        words: [
            word("group", name, isRequired: true, "The group's name; runs and jobs of one project share it."),
            word(
                "limit", .integer(1...PlanLimits.concurrencyLimitMax),
                "How many go on at a time; 1 where it is not given."),
            word(
                "order", .choice(ConcurrencyPlan.Order.allCases.map(\.rawValue)), "Who goes first of those that wait."),
            word(
                "on_new", .choice(ConcurrencyPlan.OnNew.allCases.map(\.rawValue)), "What a new one does to the others."),
        ])

    static let approval = SchemaObject(
        title: "an approval",
        words: [
            word(
                "by", .listOrOne(.choice(ApprovalPlan.Role.allCases.map(\.rawValue)), max: 3), "Roles that may say yes."
            ),
            word(
                "inputs", .map(.object(approvalInput), keys: .id, max: PlanLimits.inputsMax),
                "Values that are asked for."),
            word(
                "expires", .duration(60_000...PlanLimits.approvalMsMax),
                "How long it waits; 7 days where it is not given."),
            word("message", name, "What is asked, for people."),
        ])

    static let artifact = SchemaObject(
        title: "an artifact",
        words: [
            word(
                "paths", .listOrOne(.text(.init(bytesMax: PlanLimits.globBytesMax)), max: PlanLimits.artifactPathsMax),
                "Files below the workspace; `**` crosses folders, a leading `!` takes files out."),
            word(
                "from", .listOrOne(.text(.init(bytesMax: 512)), max: PlanLimits.needsMax),
                "Jobs whose artifacts are fetched before the first step."),
            word("into", .text(.init(bytesMax: 1024)), "The folder for what is fetched."),
            word("keep", .duration(3_600_000...PlanLimits.artifactKeepMsMax), "How long they are kept."),
            word(
                "when", .choice(ArtifactRule.When.allCases.map(\.rawValue)),
                "The job's result with which they are kept."),
            word("optional", .boolean, "Whether it is fine that no file matches."),
        ])

    static let reports = SchemaObject(
        title: "the reports",
        words: [
            word(
                "junit", .listOrOne(.text(.init(bytesMax: PlanLimits.globBytesMax)), max: PlanLimits.artifactPathsMax),
                "Test reports in JUnit's XML.")
        ])

    static let matrixObject = SchemaObject(
        title: "a matrix",
        words: [
            word("include", .list(cell, max: PlanLimits.matrixCellsMax), "Further cells, as they stand."),
            word("exclude", .list(cell, max: PlanLimits.matrixCellsMax), "Combinations that are left out."),
            word("override", .list(.object(override), max: PlanLimits.matrixCellsMax), "Other values for some cells."),
        ])

    static let override = SchemaObject(
        title: "an override",
        words: [
            word("match", cell, isRequired: true, "The cells: all that have these values."),
            word("allow_failure", .boolean, "A failure is shown as a warning and hinders nothing."),
            word("agents", labels, "Labels over those of the job."),
            word("env", environment, "Variables over those of the job."),
            word("timeout", timeout, "The timeout of the job."),
            word("priority", priority, "The priority of the job."),
        ])

    package static let input = inputObject("an input")
    static let approvalInput = inputObject("an approval's input")

    private static func inputObject(_ title: String) -> SchemaObject {
        SchemaObject(
            title: title,
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
                word("required", .boolean, "Whether it must be given."),
                word(
                    "description",
                    .text(.init(bytesMax: 1024, isEmptyAllowed: true, isInterpolated: false)), "A sentence for people."),
            ])
    }
}
