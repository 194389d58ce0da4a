import AnsFlowProtocol
import ControllerCore
import ControllerPipelines
import Testing

@Suite("Plans of the whole language", .enabled(if: allWordsAreOn))
struct LanguageTests {
    @Test("a matrix makes a job of each cell")
    func matrix() throws {
        let plan = try plan(
            """
            env: { A: run }
            jobs:
              build:
                name: "build ${{ matrix.arch }}"
                agents: { arch: "${{ matrix.arch }}" }
                matrix:
                  arch: [amd64, arm64]
                  swift: [5.9, 5.10]
                  exclude: [{ arch: arm64, swift: "5.9" }]
                  include: [{ arch: "risc/v", extra: true }]
                  override: [{ match: { swift: 5.10 }, allow_failure: true, timeout: 5m, priority: 9, env: { A: "x${{ matrix.swift }}" } }]
                steps: [{ run: "make ${{ matrix.swift }}", if: "matrix.extra || matrix.arch == 'amd64'" }]
              all: { needs: build, steps: [{ run: a }] }
              one: { needs: ["build[swift=5.10]"], steps: [{ run: a }] }
              pair:
                matrix: { arch: [amd64, arm64] }
                needs: ["build[arch=${{ matrix.arch }},swift=5.10]", { job: "build[arch=mips]", optional: true }]
                steps: [{ run: a }]
            """)
        #expect(
            plan.jobs.map(\.id) == [
                "build[arch=amd64,swift=5.9]", "build[arch=amd64,swift=5.10]", "build[arch=arm64,swift=5.10]",
                "build[arch=risc_v,extra=true]", "all", "one", "pair[arch=amd64]", "pair[arch=arm64]",
            ])
        let cell = plan.jobs[1]
        #expect(cell.group == "build" && cell.name == "build amd64" && cell.agentLabels == ["arch": "amd64"])
        #expect(
            cell.matrix == [
                MatrixValue(axis: "arch", value: .text("amd64")), MatrixValue(axis: "swift", value: .text("5.10")),
            ])
        #expect(cell.allowFailure == .always && plan.jobs[0].allowFailure == .never)
        #expect(cell.timeoutMs == 300_000 && cell.priority == 9 && cell.environment == ["A": "x5.10"])
        #expect(cell.steps[0].action == .run(commands: ["make 5.10"], shell: .sh))
        #expect(plan.jobs[3].matrix[1] == MatrixValue(axis: "extra", value: .boolean(true)))
        let holds = plan.jobs.prefix(4).map { job in
            ConditionRule.holds(job.steps[0].condition, in: plan.expressionContext(job: job))
        }
        #expect(holds == [true, true, false, true])
        #expect(plan.jobs[4].needs.map(\.id) == plan.jobs.prefix(4).map(\.id))
        #expect(plan.jobs[5].needs.map(\.id) == [plan.jobs[1].id, plan.jobs[2].id])
        #expect(plan.jobs[6].needs == [NeedPlan(plan.jobs[1].id)])
        #expect(plan.jobs[7].needs == [NeedPlan(plan.jobs[2].id)])
    }

    @Test("cells whose ids would be the same stay apart")
    func cellIDs() throws {
        let plan = try plan("matrix: { path: [a/b, a_b, \"a,b\"] }\nsteps: [{ run: a }]")
        #expect(plan.jobs.map(\.id) == ["main[path=a_b]", "main[path=a_b~2]", "main[path=a_b~3]"])
        #expect(plan.jobs.map { $0.matrix[0].value.variable } == ["a/b", "a_b", "a,b"])
    }

    @Test("needs")
    func needs() throws {
        let plan = try plan(
            """
            jobs:
              a: { steps: [{ run: a }] }
              b:
                needs: [{ job: a, allow_failure: true }, { job: none, optional: true }]
                steps:
                  - { id: x, run: a }
                  - { run: b, needs: [{ step: x, allow_failure: true }, { step: none, optional: true }] }
            """)
        #expect(plan.jobs[1].needs == [NeedPlan("a", allowFailure: true)])
        #expect(plan.jobs[1].steps[1].needs == [NeedPlan("x", allowFailure: true)])
    }

    @Test("when is an OR of ANDs, and stands beside if")
    func when() throws {
        let source = """
            steps:
              - run: a
                if: event != 'cron'
                when:
                  - { branch: [main, "release/**", "!release/old"], event: push }
                  - { path: { include: ["src/**", docs/x], exclude: "**/*.md" } }
                  - { tag: "v*" }
            """
        func holds(
            _ event: String, branch: String? = nil, tag: String? = nil, paths: [String]? = []
        ) throws -> Bool {
            let plan = try plan(
                source, CompileContext(event: event, branch: branch, tag: tag, changedPaths: paths))
            return ConditionRule.holds(
                plan.jobs[0].steps[0].condition, in: plan.expressionContext(job: plan.jobs[0]))
        }
        #expect(try holds("push", branch: "main"))
        #expect(try holds("push", branch: "release/1/2"))
        #expect(try !holds("push", branch: "release/old"))
        #expect(try !holds("manual", branch: "main"))
        #expect(try holds("manual", paths: ["a", "src/b/c.swift"]))
        #expect(try !holds("manual", paths: ["src/b/c.md", "docs/y"]))
        #expect(try holds("manual", paths: nil))
        #expect(try holds("tag", tag: "v1"))
        #expect(try !holds("cron", tag: "v1"))
        let matrix = try plan(
            "matrix: { a: [x, y], b: [true, false] }\nwhen: { matrix: { a: \"x*\", b: true } }\nsteps: [{ run: a }]")
        let cells = matrix.jobs.map { ConditionRule.holds($0.condition, in: matrix.expressionContext(job: $0)) }
        #expect(cells == [true, false, false, false])
    }

    @Test("retries, groups, priority, approval, environment, secrets")
    func words() throws {
        let plan = try plan(
            """
            concurrency: "ci-${{ branch }}"
            priority: 2
            jobs:
              a:
                retry: 2
                steps: [{ run: a, retry: 3 }, { run: b, retry: { max: 1, exit_codes: 75, backoff: 10s, on: [exit, timeout] } }]
              b:
                priority: -1
                retry: { max: 1, exit_codes: [3] }
                concurrency: { group: deploy, limit: 2, order: ready, on_new: cancel_pending }
                environment: "prod-${{ branch }}"
                approval: { by: maintainer, expires: 2h, inputs: { why: { type: text, required: true, default: x } } }
                secrets: [TOKEN]
                steps: [{ run: a, secrets: { KEY: registry } }, { run: b, allow_failure: { exit_codes: [4, 5] } }]
            """, CompileContext(branch: "main"))
        #expect(plan.concurrency == ConcurrencyPlan(group: "ci-main"))
        let (a, b) = (plan.jobs[0], plan.jobs[1])
        #expect(a.priority == 2 && b.priority == -1)
        #expect(a.retry == RetryPlan(max: 2, on: [.exit, .agentLost]))
        #expect(a.steps[0].retry == RetryPlan(max: 3))
        #expect(a.steps[1].retry == RetryPlan(max: 1, on: [.exit, .timeout], exitCodes: [75], backoffMs: 10_000))
        #expect(b.retry == RetryPlan(max: 1, exitCodes: [3]))
        #expect(b.concurrency == ConcurrencyPlan(group: "deploy", limit: 2, order: .ready, onNew: .cancelPending))
        #expect(b.deployment == "prod-main")
        let input = InputPlan(name: "why", kind: .text, defaultValue: .text("x"), required: true)
        #expect(b.approval == ApprovalPlan(by: [.maintainer], inputs: [input], expiresMs: 7_200_000))
        #expect(b.steps.map(\.secrets) == [["TOKEN": "TOKEN", "KEY": "registry"], ["TOKEN": "TOKEN"]])
        #expect(b.steps[1].allowFailure == .exitCodes([4, 5]))
    }

    @Test("artifacts, reports and clean-up become steps")
    func stages() throws {
        let source = """
            jobs:
              build:
                matrix: { m: [x, y] }
                artifacts: [{ paths: ["out/${{ matrix.m }}/**"], keep: 30d }, { paths: log, when: always, optional: true }]
                steps: [{ id: t, run: a, reports: { junit: "*.xml" } }]
                finally: [{ run: c }, { id: tell, run: d, timeout: 1m, if: "branch == 'main'" }]
              use:
                needs: [build]
                artifacts: { from: "build[m=x]", paths: "out/**", into: in }
                steps: [{ run: a }, { run: b }]
              far: { needs: use, artifacts: { from: [build] }, steps: [{ id: x, run: a }, { run: b, needs: [] }] }
            """
        let plan = try plan(source, CompileContext(branch: "main", repository: repository))
        let build = plan.jobs[0]
        #expect(build.steps.map(\.id) == ["checkout", "t", "store-artifacts", "finally-1", "tell"])
        #expect(build.steps.map(\.stage) == [.body, .body, .collect, .finally, .finally])
        #expect(
            build.steps[2].action
                == .storeArtifacts(
                    [
                        ArtifactRule(paths: ["out/x/**"], keepMs: 2_592_000_000),
                        ArtifactRule(paths: ["log"], when: .always, optional: true),
                    ], reports: [ReportRule(kind: .junit, paths: ["*.xml"], step: "t")]))
        #expect(build.steps[3].condition == nil && build.steps[3].timeoutMs == 300_000)
        // Clean-up has no implied success().
        let failed = plan.expressionContext(job: build, success: false, failure: true)
        #expect(ConditionRule.holds(build.steps[4].condition, in: failed))
        let use = plan.jobs[2]
        #expect(use.steps.map(\.id) == ["checkout", "fetch-artifacts", "step-1", "step-2"])
        #expect(
            use.steps[1].action
                == .fetchArtifacts([
                    ArtifactSource(jobs: ["build[m=x]"], paths: ["out/**"], into: "in")
                ]))
        #expect(use.steps[1].needs == ["checkout"])
        #expect(use.steps[2].needs == ["checkout", "fetch-artifacts"] && use.steps[3].needs == ["step-1"])
        let far = plan.jobs[3]
        #expect(
            far.steps[1].action == .fetchArtifacts([ArtifactSource(jobs: ["build[m=x]", "build[m=y]"])]))
        #expect(far.steps[2].needs == ["checkout", "fetch-artifacts"] && far.steps[3].needs.isEmpty)
    }

    @Test(
        "paths that lead out of the workspace are refused",
        arguments: ["/etc", "../x", "a/../../b", "~/x", "${{ tag }}"])
    func paths(path: String) {
        for word in ["artifacts: { paths: \"\(path)\" }", "artifacts: { from: a, into: \"\(path)\" }"] {
            let source = "jobs:\n  a: { steps: [{ run: a }] }\n  b: { needs: a, \(word), steps: [{ run: a }] }\n"
            let outcome = PipelineCompiler.compile(source, file: "", context: CompileContext())
            #expect(outcome.plan == nil && outcome.diagnostics.map(\.code) == [.invalidValue])
        }
    }

    @Test("what is only known later is filled in later")
    func late() throws {
        let plan = try plan(
            """
            jobs:
              a: { steps: [{ id: s, run: a }] }
              b:
                needs: a
                approval: { inputs: { why: { type: text } } }
                env: { V: "v${{ needs.a.outputs.version }}", E: now, W: "${{ inputs.why }}" }
                steps:
                  - { id: one, run: a, env: { V: own } }
                  - { run: b, env: { X: "${{ env.E }}/${{ steps.one.outputs.x }}", Y: "${{ needs.a.result == env.E }}" }, if: "inputs.why == 'x'" }
            """)
        let job = plan.jobs[1]
        #expect(job.environment == ["E": "now"] && job.lateEnvironment.keys.sorted() == ["V", "W"])
        var context = plan.expressionContext(
            job: job, needs: ["a": "now"], needsOutputs: ["a": ["version": "7"]], stepsOutputs: ["one": ["x": "8"]],
            given: ["why": "x"])
        #expect(job.lateEnvironment["V"]?.filled(in: context) == "v7")
        #expect(job.lateEnvironment["W"]?.filled(in: context) == "x")
        #expect(job.steps[0].environment == ["V": "own"])
        #expect(job.steps[0].lateEnvironment["V"]?.filled(in: context) == "own")
        // The variables around the text are filled in when the run is created.
        context.environment = ["E": "other"]
        #expect(job.steps[1].lateEnvironment["X"]?.filled(in: context) == "now/8")
        #expect(job.steps[1].lateEnvironment["Y"]?.filled(in: context) == "true")
        #expect(ConditionRule.holds(job.steps[1].condition, in: context))
        #expect(job.steps[1].condition?.isKnownAtStart(given: ["why"]) == false)
        #expect(job.steps[1].condition?.isKnownAtStart() == true)
    }

    @Test("what starts a pipeline")
    func triggers() throws {
        func triggers(_ source: String) -> TriggerPlan? {
            let read = PipelineCompiler.validate(source + "\nsteps: [{ run: a }]\n", file: "").definition?.triggers
            #expect(PipelineCompiler.triggers(of: source + "\nsteps: [{ rum: a }]\n") == read)
            return read
        }
        #expect(triggers("") == TriggerPlan.whenAbsent)
        #expect(triggers("on: push") == TriggerPlan(push: PushTrigger()))
        #expect(
            triggers("on: [tag, webhook, pull_request]")
                == TriggerPlan(pullRequest: PullRequestTrigger(), tag: ["**"], webhooks: [WebhookTrigger()]))
        #expect(
            triggers("on: { push: , tag: false, manual: false, webhook: true, pull_request: { approve_forks: false } }")
                == TriggerPlan(
                    push: PushTrigger(), pullRequest: PullRequestTrigger(approveForks: false), manual: false,
                    webhooks: [WebhookTrigger()]))
        #expect(
            triggers("on: { push: { branches: main, paths: [\"src/**\"], events: created }, tag: [v1, v2] }")
                == TriggerPlan(
                    push: PushTrigger(
                        branches: ["main"], paths: PathFilter(include: ["src/**"]), events: [.created]),
                    tag: ["v1", "v2"]))
        let rich = triggers(
            "on: { cron: [\"@daily\", { name: n, at: 0 1 * * *, zone: Europe/Berlin, missed: skip }], webhook: { source: s, where: payload.n > 3 } }"
        )
        #expect(rich?.schedules.map(\.name) == ["@daily", "n"])
        #expect(rich?.schedules.map(\.zone) == ["UTC", "Europe/Berlin"])
        #expect(rich?.schedules.map(\.missed) == [.runOnce, .skip])
        var facts = RunFacts(payload: .object(["n": .number(4)]))
        #expect(rich?.webhooks[0].condition?.evaluate(in: ExpressionContext(facts: facts)) == true)
        facts.payload = .object(["n": .text("4")])
        #expect(rich?.webhooks[0].condition?.evaluate(in: ExpressionContext(facts: facts)) == false)
        #expect(PipelineCompiler.triggers(of: "on: pusch\nsteps: []") == nil)
        #expect(PipelineCompiler.triggers(of: "on: [") == nil)
    }

    @Test("pipelines that people use compile")
    func fixtures() throws {
        let files = try Corpus.pipelines()
        #expect(files.count >= 10)
        for (name, source) in files {
            let outcome = PipelineCompiler.compile(
                source, file: name,
                context: CompileContext(branch: "main", repository: repository, isDraft: true))
            #expect(outcome.plan != nil && outcome.diagnostics.isEmpty, "\(name): \(outcome.diagnostics)")
            guard let plan = outcome.plan else { continue }
            let ids = Set(plan.jobs.map(\.id))
            #expect(ids.count == plan.jobs.count)
            for job in plan.jobs { #expect(ids.isSuperset(of: job.needs.map(\.id)), "\(name): \(job.id)") }
        }
    }
}
