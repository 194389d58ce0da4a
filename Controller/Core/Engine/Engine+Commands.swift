package import AnsFlowProtocol

extension Engine: EngineCommands {
    package func createRun(_ request: RunRequest) async throws(CommandFailure) -> RunRow {
        try await submit { $0.createRun(request) }.get()
    }

    package func cancelRun(
        _ run: RunID, by actor: String, reason: String?, force: Bool, skipFinally: Bool
    ) async throws(CommandFailure) -> RunRow {
        try await submit { $0.cancelRun(run, by: actor, reason: reason, force: force, skipFinally: skipFinally) }.get()
    }

    package func approve(
        _ run: RunID, job: String?, by actor: String, inputs: [String: InputValue], reason: String?
    ) async throws(CommandFailure) -> ApprovalRow {
        try await submit { $0.approve(run, job: job, by: actor, inputs: inputs, reason: reason) }.get()
    }

    package func decline(
        _ run: RunID, job: String?, by actor: String, reason: String?
    ) async throws(CommandFailure) -> ApprovalRow {
        try await submit { $0.decline(run, job: job, by: actor, reason: reason) }.get()
    }

    package func waitingReasons(_ run: RunID) async -> [WaitingReason] {
        if let reasons = read({ $0.waitingReasons(run) }) { return reasons }
        let why = halted ?? "unknown"
        return [WaitingReason(job: "", kind: .halted, message: "the controller can't write: \(why)")]
    }

    package func agents() async -> [AgentView] {
        read { $0.agentViews } ?? []
    }

    package func agent(_ id: AgentID) async -> AgentView? {
        read { $0.view(of: id) } ?? nil
    }

    package func pauseAgent(_ id: AgentID, note: String?) async throws(CommandFailure) -> AgentView {
        try await agentCommand(id) { $0.pauseAgent(id, note: note) }
    }

    package func resumeAgent(_ id: AgentID) async throws(CommandFailure) -> AgentView {
        try await agentCommand(id) { $0.resumeAgent(id) }
    }

    package func drainAgent(_ id: AgentID) async throws(CommandFailure) -> AgentView {
        try await agentCommand(id) { $0.drainAgent(id) }
    }

    package func revokeAgent(_ id: AgentID, by actor: String) async throws(CommandFailure) -> AgentView {
        try await agentCommand(id) { $0.revokeAgent(id, by: actor) }
    }

    package func agentGone(
        _ id: AgentID, by actor: String, reason: String?
    ) async throws(CommandFailure) -> AgentView {
        try await agentCommand(id) { $0.agentGone(id, by: actor, reason: reason) }
    }

    package func statistics() async -> EngineStatistics {
        var statistics = read { $0.statistics } ?? EngineStatistics()
        statistics.commits = commitCount
        statistics.halted = halted
        return statistics
    }

    private func agentCommand(
        _ id: AgentID, _ decide: @escaping @Sendable (inout EngineMachine) -> Result<Void, CommandFailure>
    ) async throws(CommandFailure) -> AgentView {
        let view = try await submit { machine -> Result<AgentView, CommandFailure> in
            switch decide(&machine) {
            case .failure(let failure): .failure(failure)
            case .success: machine.view(of: id).map { .success($0) } ?? .failure(.notFound)
            }
        }
        return try view.get()
    }
}
