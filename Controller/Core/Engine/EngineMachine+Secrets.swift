package import AnsFlowProtocol
import HashTreeCollections

/// What a START must carry of secrets. The engine itself never sees a value.
package struct SecretNeeds: Equatable, Sendable {
    package var project: ProjectID
    /// The environment that the step's job deploys to.
    package var environment: String?
    /// Names of secrets by the variable that gets their value.
    package var variables: [String: String]
    /// Whether the run may use secrets at all.
    package var trusted: Bool

    package init(project: ProjectID, environment: String?, variables: [String: String], trusted: Bool) {
        self.project = project
        self.environment = environment
        self.variables = variables
        self.trusted = trusted
    }
}

extension EngineMachine {
    /// What a live attempt's step asks for; nil where it asks for none.
    package func secretNeeds(of attempt: AttemptID) -> SecretNeeds? {
        guard let place = places[attempt], let run = runs[place.run] else { return nil }
        let job = run.plan.jobs[place.step.job]
        let variables = job.steps[place.step.step].secrets
        guard !variables.isEmpty else { return nil }
        return SecretNeeds(
            project: run.row.project, environment: job.deployment, variables: variables,
            trusted: run.plan.facts.trusted)
    }

    /// A START could not be put together, and the same again would not help: the attempt ends without having been sent.
    package mutating func unsendable(_ attempt: AttemptID, reason: String) {
        guard let place = places[attempt] else { return }
        change(place.run) { [now, clock] run in
            run.attempt(at: place.step, now: now, clock: clock) { $0.declined(reason, cause: .config, at: now) }
        }
        // Where an earlier START of it was taken, it must not run any more.
        send(.stop(attempt, reason: .ended, graceMs: 10_000), to: place.agent)
    }
}
