import Testing

/// A file that is refused, and everything that is found in it: `line:column code path`.
struct InvalidFixture: CustomTestStringConvertible, Sendable {
    var name: String
    var source: String
    var expected: [String]

    init(_ name: String, _ source: String, _ expected: String...) {
        self.name = name
        self.source = source
        self.expected = expected
    }

    var testDescription: String { name }
}

let yamlFixtures: [InvalidFixture] = [
    .init("empty", "", "1:1 empty_file"),
    .init("only a comment", "# nothing\n", "1:1 empty_file"),
    .init("null", "~\n", "1:1 empty_file"),
    .init("open bracket", "steps: [{ run: make }\nname: x\n", "2:1 yaml_syntax"),
    .init("tab", "steps:\n\t- run: make\n", "2:1 yaml_syntax"),
    .init("colon in text", "steps:\n  - run: echo: a: b\n", "2:14 yaml_syntax"),
    .init("at sign", "name: @me\nsteps: [{ run: a }]\n", "1:7 yaml_syntax"),
    .init(
        "unquoted interpolation", "agents: { arch: ${{ branch }} }\nsteps: [{ run: make }]\n",
        "1:17 unquoted_interpolation"),
    .init(
        "unquoted interpolation in a list", "steps:\n  - run: [echo, ${{ commit }}]\n",
        "2:17 unquoted_interpolation"),
    .init(
        "tag", "steps:\n  - run: make\n    if: !inputs.x\n", "3:9 yaml_tag steps[0].if", "3:9 wrong_type steps[0].if"),
    .init("two documents", "steps: [{ run: a }]\n---\nsteps: [{ run: b }]\n", "2:1 yaml_documents"),
    .init("unknown alias", "steps: *stps\nname: &steps x\n", "1:8 alias_unknown steps"),
    .init("alias of itself", "steps: &a [*a]\n", "1:12 alias_cycle steps[0]"),
    .init("alias as key", "name: &a x\n*a : y\nsteps: [{ run: a }]\n", "2:1 key_not_text"),
    .init("list as key", "? [a]\n: b\nsteps: [{ run: a }]\n", "1:3 key_not_text"),
    .init(
        "duplicate keys", "name: a\nname: b\nsteps:\n  - run: a\n    run: b\n    run: c\n",
        "2:1 duplicate_key name", "5:5 duplicate_key steps[0].run", "6:5 duplicate_key steps[0].run"),
    .init("merge of a text", "steps:\n  - run: a\n    <<: b\n", "3:9 merge_invalid steps[0]['<<']"),
    .init("NUL", "name: \"a\\0b\"\nsteps: [{ run: a }]\n", "1:7 invalid_value name"),
    .init("a list", "- a\n", "1:1 wrong_type"),
    .init("a text", "hello\n", "1:1 wrong_type"),
]

let wordFixtures: [InvalidFixture] = [
    .init("nothing to do", "name: x\n", "1:1 missing_word"),
    .init("unknown word", "steps:\n  - run: make\n    timeuot: 5m\n", "3:5 unknown_word steps[0].timeuot"),
    .init(
        "word of a step in a job", "jobs:\n  a:\n    shell: bash\n    steps: [{ run: a }]\n",
        "3:5 unknown_word jobs.a.shell"),
    .init(
        "later words",
        "services: []\njobs:\n  a:\n    cache: []\n    steps: [{ run: a, container: x }]\n    limits: { cpu: 1 }\n",
        "1:1 not_supported_yet services", "4:5 not_supported_yet jobs.a.cache",
        "5:23 not_supported_yet jobs.a.steps[0].container", "6:15 not_supported_yet jobs.a.limits.cpu"),
    .init(
        "foreign words", "stages: [a]\nsteps: [{ uses: x, run: a }]\n", "1:1 foreign_word stages",
        "2:11 foreign_word steps[0].uses"),
    .init("no command", "steps:\n  - name: x\n", "2:5 missing_word steps[0]"),
    .init("step as text", "steps: [make]\n", "1:9 wrong_type steps[0]"),
    .init(
        "no steps", "jobs:\n  a: { name: x }\n  b: { steps: [] }\n", "2:3 missing_word jobs.a",
        "3:15 invalid_value jobs.b.steps"),
    .init("no jobs", "jobs: {}\n", "1:7 invalid_value jobs"),
    .init("jobs and steps", "agents: { os: linux }\njobs: { a: { steps: [{ run: a }] } }\n", "1:1 conflict agents"),
    .init("both spellings", "steps: [{ run: a, script: b }]\n", "1:19 conflict steps[0].script"),
    .init(
        "wrong types",
        "name: [a]\nenv: x\nsteps:\n  - run: { a: b }\n    allow_failure: yes\n    timeout: 30\n    shell: zsh\n",
        "1:7 wrong_type name", "2:6 wrong_type env", "4:10 wrong_type steps[0].run",
        "5:20 wrong_type steps[0].allow_failure",
        "6:14 wrong_type steps[0].timeout", "7:12 wrong_type steps[0].shell"),
    .init("quoted boolean", "steps: [{ run: a, allow_failure: \"true\" }]\n", "1:34 wrong_type steps[0].allow_failure"),
    .init(
        "nothing as a text", "name:\nenv: { A: }\nsteps: [{ run: ~ }]\n", "1:6 wrong_type name",
        "2:11 wrong_type env.A", "3:16 wrong_type steps[0].run"),
    .init(
        "empty command", "steps: [{ run: \"  \" }, { run: [] }]\n", "1:16 invalid_value steps[0].run",
        "1:31 invalid_value steps[1].run"),
    .init(
        "ranges",
        "timeout: 73h\nparallel: 0\ncheckout: { depth: -1 }\nlimits: { log: 2GiB }\nsteps: [{ run: a, timeout: 0s }]\n",
        "1:10 out_of_range timeout", "2:11 out_of_range parallel", "3:20 out_of_range checkout.depth",
        "4:16 out_of_range limits.log", "5:28 out_of_range steps[0].timeout"),
    .init("checkout: true", "checkout: true\nsteps: [{ run: a }]\n", "1:11 wrong_type checkout"),
    .init("labels", "agents: [linux]\nsteps: [{ run: a }]\n", "1:10 wrong_type agents"),
    .init("label twice", "tags: [os=a, os=b]\nsteps: [{ run: a }]\n", "1:14 duplicate_key tags"),
    .init(
        "names of variables", "env: { A-B: x, ANSFLOW_X: y, 1: z }\nsteps: [{ run: a }]\n",
        "1:8 invalid_id env.A-B", "1:16 reserved_name env.ANSFLOW_X", "1:30 invalid_id env.1"),
    .init("long name", "name: \(String(repeating: "x", count: 300))\nsteps: [{ run: a }]\n", "1:7 too_long name"),
    .init(
        "many commands", "steps: [{ run: [\(String(repeating: "a,", count: 101))] }]\n", "1:16 too_many steps[0].run"),
    .init("long command", "steps: [{ run: \(String(repeating: "x", count: 65537)) }]\n", "1:16 too_long steps[0].run"),
]

let graphFixtures: [InvalidFixture] = [
    .init(
        "unknown needs",
        "jobs:\n  build: { steps: [{ run: a }] }\n  test: { needs: [biuld, docs], steps: [{ id: a, run: a }, { run: b, needs: c }] }\n",
        "3:19 unknown_need jobs.test.needs[0]", "3:26 unknown_need jobs.test.needs[1]",
        "3:77 unknown_need jobs.test.steps[1].needs"),
    .init(
        "need of a checkout that is switched off", "checkout: false\nsteps: [{ run: a, needs: checkout }]\n",
        "2:26 unknown_need steps[0].needs"),
    .init(
        "needed twice", "jobs:\n  a: { steps: [{ run: a }] }\n  b: { needs: [a, a], steps: [{ run: a }] }\n",
        "3:19 duplicate_need jobs.b.needs[1]"),
    .init(
        "cycles",
        "jobs:\n  a: { needs: [c], steps: [{ run: a }] }\n  b: { needs: [a], steps: [{ run: a }] }\n  c: { needs: [b], steps: [{ run: a }] }\n"
            + "  d: { steps: [{ id: x, needs: [x], run: a }] }\n",
        "3:16 cycle jobs.b.needs[0]", "5:33 cycle jobs.d.steps[0].needs[0]"),
    .init(
        "ids",
        "steps:\n  - { id: a, run: a }\n  - { id: a, run: b }\n  - { id: 1a, run: c }\n  - { id: checkout, run: d }\n",
        "3:11 duplicate_id steps[1].id", "4:11 invalid_id steps[2].id", "5:11 reserved_name steps[3].id"),
    .init("job ids", "jobs:\n  a.b: { steps: [{ run: a }] }\n", "2:3 invalid_id jobs['a.b']"),
    .init("interpolated id", "steps: [{ id: \"${{ branch }}\", run: a }]\n", "1:15 not_available_here steps[0].id"),
    .init(
        "need of a broken job", "jobs:\n  a: 5\n  b: { needs: a, steps: [{ run: a }] }\n", "2:6 wrong_type jobs.a"),
    .init(
        "inputs",
        """
        inputs:
          level: { type: choice, options: [debug, release, debug], default: relase }
          count: { type: number, default: many, options: [a] }
          kind: { type: chioce }
          pick: { type: choice }
          Count: { type: boolean, default: "true" }
          none: { type: choice, options: [] }
        steps: [{ run: a }]
        """,
        "2:52 duplicate_id inputs.level.options[2]", "2:69 invalid_value inputs.level.default",
        "3:35 invalid_value inputs.count.default", "3:50 conflict inputs.count.options",
        "4:17 wrong_type inputs.kind.type",
        "5:9 missing_word inputs.pick", "6:3 duplicate_id inputs.Count", "7:34 invalid_value inputs.none.options"),
]

let expressionFixtures: [InvalidFixture] = [
    .init("syntax", "steps: [{ run: a, if: \"event = 'tag'\" }]\n", "1:30 expression_syntax steps[0].if"),
    .init("precedence of not", "steps: [{ run: a, if: \"!event == 'tag'\" }]\n", "1:31 expression_syntax steps[0].if"),
    .init("empty", "steps: [{ run: a, if: \"\" }]\n", "1:24 expression_syntax steps[0].if"),
    .init("unknown name", "steps: [{ run: a, if: \"brnch == 'x'\" }]\n", "1:24 unknown_name steps[0].if"),
    .init("unknown input", "steps: [{ run: a, if: \"inputs.x == 'x'\" }]\n", "1:31 unknown_name steps[0].if"),
    .init(
        "unknown function", "steps: [{ run: a, if: \"startswith(ref, 'x')\" }]\n", "1:24 unknown_function steps[0].if"),
    .init(
        "later names", "steps: [{ run: a, if: \"hash('x') == 'y' && secrets.a == 'b' && matrix.a == 'b'\" }]\n",
        "1:24 not_supported_yet steps[0].if", "1:44 unknown_name steps[0].if", "1:64 not_available_here steps[0].if"),
    .init("no condition", "steps: [{ run: a, if: branch }]\n", "1:23 type_mismatch steps[0].if"),
    .init(
        "types",
        "inputs: { n: { type: number } }\nsteps: [{ run: a, if: \"inputs.n == '5' || branch > 3 || true < false\" }]\n",
        "2:24 type_mismatch steps[0].if", "2:43 type_mismatch steps[0].if", "2:57 type_mismatch steps[0].if"),
    .init(
        "arguments", "steps: [{ run: a, if: \"contains(ref) || success(ref) || matches(ref, 1)\" }]\n",
        "1:24 type_mismatch steps[0].if", "1:41 type_mismatch steps[0].if", "1:70 type_mismatch steps[0].if"),
    .init(
        "a word that a result never is",
        "jobs:\n  a: { steps: [{ run: a }] }\n  b: { needs: a, if: \"needs.a.result == 'failure'\", steps: [{ run: a }] }\n",
        "3:23 type_mismatch jobs.b.if"),
    .init(
        "results that are not awaited",
        "jobs:\n  a: { steps: [{ run: a }] }\n  b:\n    if: needs.a.result == 'failed' || steps.x.result == 'failed'\n    steps:\n"
            + "      - { id: x, run: a, needs: [] }\n      - { id: y, run: a, if: steps.x.result == 'failed' }\n",
        "4:15 unknown_name jobs.b.if", "4:39 not_available_here jobs.b.if", "7:36 unknown_name jobs.b.steps[1].if"),
    .init("nothing inside a text", "steps: [{ run: a, if: branch.name == 'x' }]\n", "1:23 unknown_name steps[0].if"),
    .init(
        "deep",
        "steps:\n  - run: a\n    if: \(String(repeating: "(", count: 40))true\(String(repeating: ")", count: 40))\n",
        "3:26 expression_limit steps[0].if"),
    .init(
        "long", "steps:\n  - run: a\n    if: \(String(repeating: "true || ", count: 600))true\n",
        "3:9 expression_limit steps[0].if"),
    .init(
        "many", "steps:\n  - run: a\n    if: \(String(repeating: "true||", count: 300))true\n",
        "3:1545 expression_limit steps[0].if"),
    .init("no end", "name: \"${{ branch\"\nsteps: [{ run: a }]\n", "1:8 expression_syntax name"),
    .init(
        "results in values",
        "env: { A: \"${{ env.B }}\" }\nsteps: [{ run: a, name: \"x ${{ steps.a.result }} ${{ always() }}\" }]\n",
        "1:16 not_available_here env.A", "2:32 not_available_here steps[0].name",
        "2:54 not_available_here steps[0].name"),
    .init(
        "from outside into a command",
        "inputs: { level: { type: text } }\nsteps:\n  - run: |\n      echo\n      echo ${{ inputs.level }}\n  - run: [\"a ${{ branch }}\", \"b ${{ env.X }}\"]\n",
        "5:1 unsafe_interpolation steps[0].run", "6:18 unsafe_interpolation steps[1].run[0]",
        "6:37 unsafe_interpolation steps[1].run[1]"),
    .init(
        "a default from an input", "inputs: { a: { type: text, default: \"${{ inputs.a }}\" } }\nsteps: [{ run: a }]\n",
        "1:42 not_available_here inputs.a.default"),
]
