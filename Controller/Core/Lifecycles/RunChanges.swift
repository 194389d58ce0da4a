import AnsFlowProtocol

/// A step's place in its run's plan.
package struct StepPlace: Hashable, Comparable, Sendable {
    package var job: Int
    package var step: Int

    package init(job: Int, step: Int) {
        self.job = job
        self.step = step
    }

    package static func < (left: StepPlace, right: StepPlace) -> Bool {
        (left.job, left.step) < (right.job, right.step)
    }
}

/// Which rows of a run are to be written and which events are to be told.
package struct RunChanges: Equatable, Sendable {
    /// The run as it was before, where it changed.
    package var before: RunRow?
    package var jobs: Set<Int> = []
    package var steps: Set<StepPlace> = []
    /// Jobs whose approval changed; ``wholeRun`` for the run's own.
    package var approvals: Set<Int> = []

    package static let wholeRun = -1

    package var run: Bool { before != nil }
    package var isEmpty: Bool { before == nil && jobs.isEmpty && steps.isEmpty && approvals.isEmpty }
}
