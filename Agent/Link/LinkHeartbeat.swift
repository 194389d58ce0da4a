package import AnsFlowProtocol
package import AnsFlowTransport

/// The agent's heartbeats on one connection.
package enum LinkHeartbeat {
    /// Sends one now and then one at each interval, busy or not, until the connection ends or the task is cancelled.
    ///
    /// Never waits for the socket: where it is full, a heartbeat more would say nothing. The answer to a probe is one heartbeat
    /// out of turn: ``send(_:on:)``.
    package static func run(
        on connection: MessageConnection, every interval: Duration = ProtocolLimits.heartbeatInterval,
        sample: @Sendable () async -> AgentHeartbeat
    ) async {
        while connection.end == nil {
            send(await sample(), on: connection)
            guard (try? await Task.sleep(for: interval)) != nil else { return }
        }
    }

    package static func send(_ heartbeat: AgentHeartbeat, on connection: MessageConnection) {
        guard let bytes = try? WireCodec.encode(.heartbeat(heartbeat)) else { return }
        _ = connection.trySend(bytes)
    }
}
