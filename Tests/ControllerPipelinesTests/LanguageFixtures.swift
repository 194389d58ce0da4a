/// Files that are refused for words of the whole language.
let languageFixtures: [InvalidFixture] = [
    .init(
        "empty matrices",
        "jobs:\n  a: { matrix: {}, steps: [{ run: a }] }\n  b: { matrix: { x: [1], exclude: [{ x: 1 }] }, steps: [{ run: a }] }\n"
            + "  c: { matrix: { x: [] }, steps: [{ run: a }] }\n",
        "2:16 matrix_empty jobs.a.matrix", "3:16 matrix_empty jobs.b.matrix", "4:21 matrix_empty jobs.c.matrix.x"),
    .init(
        "large matrices",
        "jobs:\n  a: { matrix: { x: [\(numbers(17))], y: [\(numbers(16))] }, steps: [{ run: a }] }\n"
            + "  b: { matrix: { x: [\(numbers(100))], y: [\(numbers(100))] }, steps: [{ run: a }] }\n",
        "2:16 matrix_too_large jobs.a.matrix", "3:16 matrix_too_large jobs.b.matrix"),
    .init(
        "cells that make no sense",
        """
        matrix:
          arch: [amd64, amd64, arm64]
          include: [{ arch: amd64 }, {}]
          exclude: [{ arhc: amd64 }, {}]
          override: [{ match: { os: linux }, timeout: 5m }, { timeout: 5m }]
        steps: [{ run: a }]
        """,
        "2:17 matrix_invalid matrix.arch[1]", "3:13 matrix_invalid matrix.include[0]",
        "3:30 matrix_invalid matrix.include[1]", "4:15 matrix_invalid matrix.exclude[0].arhc",
        "4:30 matrix_invalid matrix.exclude[1]", "5:25 matrix_invalid matrix.override[0].match.os",
        "5:53 missing_word matrix.override[1]"),
    .init(
        "values of a matrix", "matrix: { a: x, b: [[1]], c-d: [\"${{ ref }}\"], 1e: [x] }\nsteps: [{ run: a }]\n",
        "1:14 wrong_type matrix.a", "1:21 wrong_type matrix.b[0]", "1:33 not_available_here matrix.c-d[0]",
        "1:48 invalid_id matrix.1e"),
    .init(
        "names of a matrix",
        "jobs:\n  a:\n    matrix: { arch: [x], fast: [true, false] }\n    if: matrix.arhc == 'x' || matrix.fast == 'true'\n"
            + "    agents: { a: \"${{ matrix }}\" }\n    when: { matrix: { os: x } }\n    steps: [{ run: \"${{ matrix.arch }}\" }]\n"
            + "  b: { name: \"${{ matrix.arch }}\", steps: [{ run: a }] }\n",
        "4:16 unknown_name jobs.a.if", "4:31 type_mismatch jobs.a.if", "5:23 unknown_name jobs.a.agents.a",
        "6:23 unknown_name jobs.a.when.matrix.os", "8:19 not_available_here jobs.b.name"),
    .init(
        "needs of cells",
        """
        jobs:
          a:
            matrix: { arch: [x, y], mode: [d, r], exclude: [{ arch: y, mode: d }] }
            steps: [{ run: a }]
          b: { needs: ["a[arch=y,mode=d]", "a[arch=z]", "a[arch]"], steps: [{ run: a }] }
          c: { needs: ["b[x=y]", "${{ matrix.x }}", "a[arch=${{ branch }}]"], steps: [{ run: a }] }
          d:
            matrix: { mode: [d, r] }
            needs: ["a[arch=y,mode=${{ matrix.mode }}]"]
            steps: [{ run: a }]
          e: { needs: [{ job: a, optional: yes }, { step: a }], steps: [{ run: a, needs: [{ step: x }] }] }
        """,
        "5:16 unknown_need jobs.b.needs[0]", "5:36 unknown_need jobs.b.needs[1]", "5:49 matrix_invalid jobs.b.needs[2]",
        "6:16 unknown_need jobs.c.needs[0]", "6:26 invalid_value jobs.c.needs[1]",
        "6:45 not_available_here jobs.c.needs[2]", "9:13 unknown_need jobs.d.needs[0]",
        "11:36 wrong_type jobs.e.needs[0].optional", "11:43 missing_word jobs.e.needs[1]",
        "11:45 unknown_word jobs.e.needs[1].step", "11:91 unknown_need jobs.e.steps[0].needs[0]"),
    .init(
        "triggers",
        """
        on:
          push: { branches: [], branch: x, types: [created], events: [forcd] }
          pull_request: 5
          tag: { a: b }
          cron: ["0 25 * * *", { name: a }, { name: b, at: "0 1 * * *", zone: "5" }, { name: b, at: "0 2 * * *" }]
          webhook: { where: "payload.x", from: y }
          manual: yes
          schedule: x
        steps: [{ run: a }]
        """,
        "2:21 invalid_value on.push.branches", "2:25 unknown_word on.push.branch", "2:36 foreign_word on.push.types",
        "2:63 wrong_type on.push.events[0]", "3:17 wrong_type on.pull_request", "4:8 wrong_type on.tag",
        "5:10 invalid_value on.cron[0]", "5:24 missing_word on.cron[1]", "5:71 invalid_value on.cron[2].zone",
        "5:78 duplicate_id on.cron[3]", "6:34 unknown_word on.webhook.from", "7:11 wrong_type on.manual",
        "8:3 foreign_word on.schedule"),
    .init("triggers as texts", "on: [push, cron]\nsteps: [{ run: a }]\n", "1:12 wrong_type on[1]"),
    .init(
        "what a webhook can't see",
        "on: { webhook: { where: \"inputs.a == 'b' && payload.a == 'b' && env.X == 'y'\" } }\nsteps: [{ run: a }]\n",
        "1:26 not_available_here on.webhook.where", "1:65 not_available_here on.webhook.where"),
    .init(
        "filters",
        "jobs:\n  a: { when: [], steps: [{ run: a, when: {} }] }\n"
            + "  b: { when: { branch: [], event: [puhs], status: x, path: { exclude: [\"!a\"] } }, steps: [{ run: a }] }\n",
        "2:14 invalid_value jobs.a.when", "2:42 invalid_value jobs.a.steps[0].when",
        "3:36 wrong_type jobs.b.when.event[0]", "3:43 foreign_word jobs.b.when.status",
        "3:60 invalid_value jobs.b.when.path"),
    .init(
        "retries",
        "retry: { max: 11 }\nsteps:\n  - { run: a, retry: 0 }\n  - { run: a, retry: { on: [agent_lost] } }\n"
            + "  - { run: a, retry: { max: 1, on: timeout, exit_codes: 3 } }\n  - { run: a, retry: { max: 1, exit_codes: [0, 256] } }\n"
            + "  - { run: a, retry: { max: 1, exit_codes: [], backoff: 2h } }\n",
        "1:15 out_of_range retry.max", "3:22 out_of_range steps[0].retry", "4:22 missing_word steps[1].retry",
        "4:29 wrong_type steps[1].retry.on[0]", "5:22 conflict steps[2].retry",
        "6:45 out_of_range steps[3].retry.exit_codes[0]", "6:48 out_of_range steps[3].retry.exit_codes[1]",
        "7:44 invalid_value steps[4].retry.exit_codes", "7:57 out_of_range steps[4].retry.backoff"),
    .init(
        "allowed failures",
        "allow_failure: { exit_codes: [1] }\nsteps: [{ run: a, allow_failure: [1] }, { run: b, allow_failure: {} }]\n",
        "1:16 wrong_type allow_failure", "2:34 wrong_type steps[0].allow_failure",
        "2:66 missing_word steps[1].allow_failure"),
    .init(
        "secrets",
        "secrets: [a-b, ok, ok, ANSFLOW_X]\nenv: { A: x }\nsteps: [{ run: a, env: { B: x }, secrets: { B: b, ANSFLOW_Y: c, D: \"e f\" } }, { run: a, secrets: x }]\n",
        "1:11 invalid_id secrets[0]", "1:20 duplicate_key secrets[2]", "1:24 reserved_name secrets[3]",
        "3:48 conflict steps[0].secrets.B", "3:51 reserved_name steps[0].secrets.ANSFLOW_Y",
        "3:68 invalid_id steps[0].secrets.D", "3:98 wrong_type steps[1].secrets"),
    .init(
        "artifacts",
        """
        jobs:
          a:
            artifacts: [{ keep: 30d }, { paths: [] }, { paths: x, into: y }, { paths: x, keep: 1m, when: now }]
            steps: [{ run: a, artifacts: x, reports: { junt: x } }]
          b: { artifacts: { from: [a, c], keep: 1d }, steps: [{ run: a }] }
        """,
        "3:17 missing_word jobs.a.artifacts[0]", "3:32 invalid_value jobs.a.artifacts[1]",
        "3:47 conflict jobs.a.artifacts[2]", "3:88 out_of_range jobs.a.artifacts[3].keep",
        "3:98 wrong_type jobs.a.artifacts[3].when", "4:23 unknown_word jobs.a.steps[0].artifacts",
        "4:48 unknown_word jobs.a.steps[0].reports.junt", "5:28 unknown_need jobs.b.artifacts.from[0]",
        "5:31 unknown_need jobs.b.artifacts.from[1]", "5:35 conflict jobs.b.artifacts"),
    .init(
        "approvals",
        "inputs: { who: { type: text } }\njobs:\n  a:\n    approval: { by: [everybody], expires: 60d, inputs: { who: { type: text }, why: { type: text } } }\n"
            + "    if: inputs.why == 'x'\n    name: \"${{ inputs.why }}\"\n    steps: [{ run: a, if: inputs.why == 'x', name: \"${{ inputs.why }}\" }]\n"
            + "  b: { steps: [{ run: a, if: inputs.why == 'x' }] }\n",
        "4:22 wrong_type jobs.a.approval.by[0]", "4:43 out_of_range jobs.a.approval.expires",
        "4:58 duplicate_id jobs.a.approval.inputs.who", "5:16 not_available_here jobs.a.if",
        "6:23 not_available_here jobs.a.name", "7:64 not_available_here jobs.a.steps[0].name",
        "8:37 unknown_name jobs.b.steps[0].if"),
    .init(
        "groups",
        "concurrency: { limit: 0, on_new: cancel }\njobs:\n  a: { concurrency: [x], priority: 1001, steps: [{ run: a, concurrency: x }] }\n",
        "1:14 missing_word concurrency", "1:23 out_of_range concurrency.limit", "1:34 wrong_type concurrency.on_new",
        "3:21 wrong_type jobs.a.concurrency", "3:36 out_of_range jobs.a.priority",
        "3:60 unknown_word jobs.a.steps[0].concurrency"),
    .init(
        "clean-up",
        "finally: [{ id: a, run: a, needs: [a] }, { id: finally-1, run: x }, { id: store-artifacts, run: b, retry: 1 }]\nsteps: [{ id: a, run: a }]\n",
        "1:17 duplicate_id finally[0].id", "1:28 unknown_word finally[0].needs", "1:75 reserved_name finally[2].id",
        "1:100 unknown_word finally[2].retry"),
    .init(
        "late values",
        """
        env: { A: "${{ needs.a.result }}" }
        jobs:
          a: { steps: [{ id: x, run: a }] }
          b:
            needs: [a]
            env: { L: "${{ needs.a.outputs.v }}", M: "${{ steps.y.outputs.v }}" }
            concurrency: "${{ needs.a.outputs.v }}"
            steps:
              - { id: y, run: "echo ${{ needs.a.outputs.v }}", if: "env.L == 'x'" }
              - { id: z, run: a, needs: [], env: { N: "${{ steps.y.outputs.v }}", O: "${{ needs.a.outputs }}" } }
        """,
        "1:16 not_available_here env.A", "6:51 not_available_here jobs.b.env.M",
        "7:23 not_available_here jobs.b.concurrency", "9:33 not_available_here jobs.b.steps[0].run",
        "9:61 not_available_here jobs.b.steps[0].if", "10:58 unknown_name jobs.b.steps[1].env.N",
        "10:83 unknown_name jobs.b.steps[1].env.O"),
    .init(
        "foreign words of the whole language",
        "on: { workflow_dispatch: x }\njobs: { a: { strategy: x, extends: y, outputs: z, steps: [{ run: a }] } }\n",
        "1:7 foreign_word on.workflow_dispatch", "2:14 foreign_word jobs.a.strategy",
        "2:27 foreign_word jobs.a.extends",
        "2:39 foreign_word jobs.a.outputs"),
    .init(
        "steps of all cells",
        "jobs:\n  a: { matrix: { x: [\(numbers(200))] }, steps: [\(Array(repeating: "{ run: a }", count: 6).joined(separator: ", "))] }\n",
        "2:3 too_many jobs.a"),
    .init(
        "edges of all cells",
        "jobs:\n  a: { matrix: { x: [\(numbers(200))] }, steps: [{ run: a }] }\n"
            + "  b: { needs: a, matrix: { x: [\(numbers(200))] }, steps: [{ run: a }] }\n",
        "3:3 too_many jobs.b"),
]

private func numbers(_ count: Int) -> String { (0..<count).map(String.init).joined(separator: ", ") }

let allFixtures =
    yamlFixtures + wordFixtures + graphFixtures + expressionFixtures + (allWordsAreOn ? languageFixtures : [])
