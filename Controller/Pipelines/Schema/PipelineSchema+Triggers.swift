import ControllerCore

/// `on` and `when`.
extension PipelineSchema {
    static let triggers = SchemaType.byShape(
        scalar: .choice(events), list: .list(.choice(events), max: 4), map: .object(triggerObject),
        "an event, a list of events or a map")
    /// Events that need no further word.
    static let events = ["push", "pull_request", "tag", "webhook", "manual"]

    /// A pipeline of which nothing else is looked at.
    static let triggersAlone = SchemaObject(
        title: "a pipeline", words: [word("on", triggers, "What starts a run by itself.")])

    static let triggerObject = SchemaObject(
        title: "the triggers",
        words: [
            word("push", .flagOr(.object(push)), "Pushes to branches."),
            word("pull_request", .flagOr(.object(pullRequest)), "Pull and merge requests."),
            word("tag", .flagOr(globs), "Pushed tags."),
            word(
                "cron",
                .listOrOne(
                    .byShape(scalar: cronText, list: nil, map: .object(schedule), "a time or a map"),
                    max: TriggerLimits.schedulesMax), "Times."),
            word(
                "webhook", .flagOr(.listOrOne(.object(webhook), max: TriggerLimits.webhooksMax)),
                "Messages to its webhook."),
            word("manual", .boolean, "Whether it may be started by hand."),
        ]
            + [
                ("schedule", "Use `cron`."), ("workflow_dispatch", "Use `manual`, and `inputs` at the top."),
                ("merge_request", "Use `pull_request`."), ("branches", "Write it into `push` or `pull_request`."),
            ].map { SchemaWord(name: $0.0, kind: .foreign(hint: $0.1)) })

    static let globs = SchemaType.listOrOne(glob, max: TriggerLimits.globsMax)
    static let cronText = SchemaType.text(.init(bytesMax: CronExpression.bytesMax, isInterpolated: false))
    static let paths = SchemaType.byShape(
        scalar: glob, list: .list(glob, max: TriggerLimits.globsMax), map: .object(pathFilter), "patterns or a map")
    private static let ignored = [
        ("branches-ignore", "Write patterns that begin with `!` into `branches`."),
        ("paths-ignore", "Use `paths: { exclude: […] }`."), ("types", "Use `events`."),
    ].map { SchemaWord(name: $0.0, kind: .foreign(hint: $0.1)) }

    static let pathFilter = SchemaObject(
        title: "the paths",
        words: [
            word("include", globs, "A changed file counts when it matches."),
            word("exclude", globs, "A changed file that matches does not count."),
        ])

    static let push = SchemaObject(
        title: "a push",
        words: [
            word("branches", globs, "The branches; all where it is not given."),
            word("tags", globs, "Tags that count too."),
            word("paths", paths, "The changed files that matter."),
            word(
                "events", .listOrOne(.choice(PushTrigger.Event.allCases.map(\.rawValue)), max: 3),
                "What happened to the branch."),
        ] + ignored)

    static let pullRequest = SchemaObject(
        title: "a pull request",
        words: [
            word("branches", globs, "The branches that it is to be merged into."),
            word("paths", paths, "The changed files that matter."),
            word(
                "events", .listOrOne(.choice(PullRequestTrigger.Event.allCases.map(\.rawValue)), max: 7),
                "What happened to the pull request."),
            word("approve_forks", .boolean, "Whether runs of forks wait until a member approves them."),
        ] + ignored)

    static let schedule = SchemaObject(
        title: "a schedule",
        words: [
            word(
                "name", .text(.init(bytesMax: PlanLimits.nameBytesMax, isInterpolated: false)), "The schedule's name."),
            word("at", cronText, isRequired: true, "The time in five fields, as `30 2 * * *`."),
            word(
                "zone", .text(.init(bytesMax: 64, isInterpolated: false)), "The time zone; UTC where it is not given."),
            word(
                "missed", .choice(ScheduleTrigger.Missed.allCases.map(\.rawValue)),
                "What becomes of times that were missed."),
        ])

    static let webhook = SchemaObject(
        title: "a webhook",
        words: [
            word("source", .text(.init(bytesMax: PlanLimits.nameBytesMax, isInterpolated: false)), "Who sends it."),
            word("where", .expression, "Must be true of what was sent."),
        ])

    static let filter = SchemaObject(
        title: "a filter",
        words: [
            word("branch", patterns, aliases: ["branches"], "The branch."),
            word("tag", patterns, aliases: ["tags"], "The tag."),
            word("ref", patterns, "The ref."),
            word(
                "event", .listOrOne(.choice(ExpressionScope.events), max: 10), aliases: ["events"],
                "Why the run exists."),
            word(
                "path",
                .byShape(
                    scalar: glob, list: .list(glob, max: PlanLimits.patternsMax), map: .object(pathPatterns),
                    "patterns or a map"), aliases: ["paths"], "A changed file."),
            word("matrix", .map(patterns, keys: .id, max: PlanLimits.matrixAxesMax), "Values of the matrix."),
        ]
            + [
                ("status", "Use `if` with `success()`, `failure()` or `always()`."), ("evaluate", "Use `if`."),
            ].map { SchemaWord(name: $0.0, kind: .foreign(hint: $0.1)) })

    private static let patterns = SchemaType.byShape(
        scalar: glob, list: .list(glob, max: PlanLimits.patternsMax), map: .object(pathPatterns), "patterns or a map")
    private static let pathPatterns = SchemaObject(
        title: "the patterns",
        words: [
            word("include", .listOrOne(glob, max: PlanLimits.patternsMax), "What counts."),
            word("exclude", .listOrOne(glob, max: PlanLimits.patternsMax), "What does not."),
        ])
}
