package import AnsFlowProtocol
import HashTreeCollections

/// Something about an agent that an operator is to look at. It is kept in memory: a start of the controller forgets it.
package struct AgentAlarm: Equatable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A connection that showed the agent's key was refused.
        case refused
        /// It holds attempts that this controller never made, as after a backup was put back.
        case orphans
        /// It reported the end of an attempt that had been given up as lost.
        case lateEnd = "late_end"
    }

    package var kind: Kind
    /// With which the connection was closed; nil for other kinds.
    package var closeCode: UInt16?
    /// A full sentence.
    package var message: String
    /// Milliseconds since 1970, of the last time.
    package var at: Int64
    /// How often the same came.
    package var count: Int

    package init(_ kind: Kind, closeCode: UInt16? = nil, message: String, at: Int64, count: Int = 1) {
        self.kind = kind
        self.closeCode = closeCode
        self.message = message
        self.at = at
        self.count = count
    }
}

extension AgentState {
    /// The newest stay.
    static let alarmsMax = 8
    /// Attempts given up as lost whose late end is recognised.
    static let givenUpMax = 256

    /// The same again counts up instead of taking another place.
    mutating func note(_ alarm: AgentAlarm) {
        var alarm = alarm
        if let old = alarms.firstIndex(where: {
            $0.kind == alarm.kind && $0.closeCode == alarm.closeCode && $0.message == alarm.message
        }) {
            alarm.count += alarms.remove(at: old).count
        }
        alarms.append(alarm)
        if alarms.count > Self.alarmsMax { alarms.removeFirst(alarms.count - Self.alarmsMax) }
    }

    /// What it was refused for is over; another process with its key is not.
    mutating func wasLetIn() {
        alarms.removeAll { $0.kind == .orphans }
        alarms.removeAll { $0.kind == .refused && $0.closeCode != CloseCode.identityConflict.rawValue }
    }

    mutating func gaveUp(_ attempt: AttemptID) {
        givenUp.append(attempt)
        if givenUp.count > Self.givenUpMax { givenUp.removeFirst(givenUp.count - Self.givenUpMax) }
    }
}

extension EngineMachine {
    /// A connection that showed the agent's key was refused. It changes nothing that is stored.
    package mutating func refused(_ id: AgentID, _ code: CloseCode, reason: String) {
        agents[id]?.note(AgentAlarm(.refused, closeCode: code.rawValue, message: reason, at: now))
    }

    /// The agent says how an attempt ended that was given up before: the end that is stored stays.
    mutating func noteLateEnd(of attempt: AttemptID, _ result: String?, by id: AgentID) {
        guard let place = agents[id]?.givenUp.firstIndex(of: attempt) else { return }
        agents[id]?.givenUp.remove(at: place)
        let how = result.map { " with \($0)" } ?? ""
        agents[id]?.note(
            AgentAlarm(
                .lateEnd,
                message:
                    "Attempt \(attempt), which was given up as lost, had ended\(how) at the agent. Its end stays lost.",
                at: now))
    }

    mutating func noteOrphans(of id: AgentID) {
        guard let orphans = agents[id]?.orphans, !orphans.isEmpty else { return }
        let names = orphans.prefix(8).map { "\($0)" }.joined(separator: ", ") + (orphans.count > 8 ? ", …" : "")
        agents[id]?.note(
            AgentAlarm(
                .orphans,
                message: "It holds attempts that this controller does not know: \(names). Was a backup put back? "
                    + "They are not run again; what still runs of them is stopped.", at: now))
    }
}
