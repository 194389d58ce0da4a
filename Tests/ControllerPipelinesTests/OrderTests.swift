import ControllerCore
import ControllerPipelines
import Testing

@Suite("Order of steps, and the graph")
struct OrderTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var job: String
        var repository: String?
        /// `step<-needs`
        var edges: [String]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "in a row", job: "steps: [{ id: a, run: x }, { id: b, run: x }, { id: c, run: x }]",
            edges: ["a<-", "b<-a", "c<-b"]),
        Case(
            name: "in a row behind the checkout", job: "steps: [{ id: a, run: x }, { id: b, run: x }]",
            repository: repository,
            edges: ["checkout<-", "a<-checkout", "b<-a"]),
        Case(
            name: "one names needs",
            job: "steps: [{ id: a, run: x }, { id: b, run: x }, { id: c, run: x, needs: [a] }]",
            edges: ["a<-", "b<-", "c<-a"]),
        Case(
            name: "a graph behind the checkout",
            job:
                "steps: [{ id: a, run: x }, { id: b, run: x, needs: [] }, { id: c, run: x, needs: [a, b] }, { id: d, run: x, needs: checkout }]",
            repository: repository, edges: ["checkout<-", "a<-checkout", "b<-", "c<-checkout,a,b", "d<-checkout"]),
        Case(
            name: "no checkout wanted",
            job: "checkout: false\nsteps: [{ id: checkout, run: x }, { id: b, run: x, needs: checkout }]",
            repository: repository, edges: ["checkout<-", "b<-checkout"]),
        Case(
            name: "needs of a checkout that is not there", job: "steps: [{ id: a, run: x, needs: [checkout] }]",
            edges: ["a<-"]),
        Case(
            name: "needs of a later step", job: "steps: [{ id: a, run: x, needs: [b] }, { id: b, run: x }]",
            edges: ["a<-b", "b<-"]),
    ]

    @Test("edges", arguments: cases)
    func edges(_ example: Case) throws {
        let plan = try plan(example.job, CompileContext(repository: example.repository))
        let edges = plan.jobs[0].steps.map { "\($0.id)<-\($0.needs.map(\.id).joined(separator: ","))" }
        #expect(edges == example.edges)
        // Every edge leads to a step of the job.
        let ids = Set(plan.jobs[0].steps.map(\.id))
        #expect(ids.count == plan.jobs[0].steps.count)
        #expect(plan.jobs[0].steps.allSatisfy { ids.isSuperset(of: $0.needs.map(\.id)) })
    }

    @Test("checkout options")
    func checkout() throws {
        let source = "checkout: { depth: 0, submodules: true, lfs: true, clean: false }\nsteps: [{ run: x }]"
        let plan = try plan(source, CompileContext(repository: repository))
        let options = CheckoutOptions(depth: 0, submodules: true, lfs: true, clean: false)
        #expect(plan.jobs[0].checkout == options)
        #expect(plan.jobs[0].steps[0].action == .checkout(options))
        #expect(plan.facts.repository == RunFacts.Repository(url: repository))
    }

    @Test("the graph for drawing")
    func graph() throws {
        let source = """
            jobs:
              build: { name: Build, steps: [{ id: a, name: First, run: x }, { run: y }] }
              test: { needs: [build], checkout: false, steps: [{ id: t, run: x }] }
            """
        let context = CompileContext(repository: repository)
        let graph = PlanGraph(try plan(source, context))
        #expect(graph.nodes.map(\.id) == ["build", "build/checkout", "build/a", "build/step-2", "test", "test/t"])
        #expect(graph.nodes.map(\.name) == ["Build", "Checkout", "First", "y", "test", "t"])
        #expect(graph.nodes.map(\.builtIn) == [false, true, false, false, false, false])
        #expect(
            graph.edges == [
                .init(from: "build/checkout", to: "build/a"), .init(from: "build/a", to: "build/step-2"),
                .init(from: "build", to: "test"),
            ])
        let definition = try #require(PipelineCompiler.validate(source, file: "").definition)
        #expect(definition.graph(hasRepository: true) == graph)
        #expect(definition.graph(hasRepository: false).nodes.count == 5)
    }

    private static func large(jobs: Int) -> String {
        var source = "jobs:\n"
        for job in 0..<jobs {
            source +=
                "  job\(job):\n    needs: [\(job > 0 ? "job\(job - 1)" : "")]\n    steps:\n      - { id: s0, run: make }\n"
            for step in 1..<50 {
                source += """
                          - id: s\(step)
                            name: Step ${{ branch }}
                            run: make target-\(step)
                            if: branch == 'main' && steps.s0.result == 'success'
                            env: { A: b }
                            timeout: 5m
                            needs: [s0]

                    """
            }
        }
        return source
    }

    @Test("a thousand steps compile quickly")
    func speed() throws {
        let context = CompileContext(branch: "main")
        func time(jobs: Int) -> (whole: Duration, plan: Duration) {
            let source = Array(Self.large(jobs: jobs).utf8)
            var best: (whole: Duration, plan: Duration) = (.seconds(1000), .seconds(1000))
            for _ in 0..<3 {
                var reading = PipelineCompiler.read(source, file: "")
                best.whole = min(
                    best.whole, ContinuousClock().measure { reading = PipelineCompiler.read(source, file: "") })
                best.plan = min(
                    best.plan,
                    ContinuousClock().measure {
                        let plan = PipelineCompiler.compile(reading, context: context).plan
                        #expect(plan?.jobs.reduce(0) { $0 + $1.steps.count } == jobs * 50)
                    })
            }
            return best
        }
        let (small, large) = (time(jobs: 2), time(jobs: 20))
        print(
            "1,000 steps are read in \(large.whole) and compiled in \(large.plan): "
                + "\(large.whole / small.whole) and \(large.plan / small.plan) times as long as 100")
        // Without optimization and beside other tests; with it the aim is 50 ms.
        #expect(large.whole + large.plan < .seconds(15))
    }

    @Test("a job of a thousand steps in a row compiles too")
    func wide() throws {
        let steps = (0..<1000).map { "      - { id: s\($0), run: x, needs: [\($0 > 0 ? "s\($0 - 1)" : "")] }\n" }
            .joined()
        let time = try ContinuousClock().measure { _ = try plan("jobs:\n  a:\n    steps:\n" + steps) }
        #expect(time < .seconds(15))
    }
}
