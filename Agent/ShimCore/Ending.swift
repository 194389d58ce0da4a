import AnsFlowRecords

/// How an attempt ended: the first of exit, stop, deadline or out of memory that the shim acted on.
package enum Ending: Hashable, Sendable {
    case exited(Int32)
    /// Killed by a signal that the shim did not send.
    case signalled(Int32)
    /// The program could not be executed.
    case startFailed(StartStage, errno: Int32)
    case stopped(ShimStopReason)
    case timedOut
    case outOfMemory
    /// Nobody can know; never decided by a shim, but by an agent that finds neither shim nor record.
    case lost
}

/// Why an agent stops a step: the wire's reasons, in one byte.
package enum ShimStopReason: UInt8, Sendable, CaseIterable {
    case cancel = 1
    case timeout = 2
    case revoked = 3
    case superseded = 4
    case ended = 5
}

/// Where in a child's last steps before its program something failed. The numbers are those of `CAgentSystem`.
package enum StartStage: UInt8, Sendable, CaseIterable {
    /// The parked child was gone, or could not be spoken to.
    case release = 1
    case session = 2
    case descriptors = 3
    case workingDirectory = 4
    case program = 5
}

extension Ending {
    func encode(to buffer: inout [UInt8]) {
        let (kind, stage, value): (UInt8, UInt8, Int32) =
            switch self {
            case .exited(let code): (1, 0, code)
            case .signalled(let signal): (2, 0, signal)
            case .startFailed(let stage, let errno): (3, stage.rawValue, errno)
            case .stopped(let reason): (4, reason.rawValue, 0)
            case .timedOut: (5, 0, 0)
            case .outOfMemory: (6, 0, 0)
            case .lost: (7, 0, 0)
            }
        buffer.append(kind)
        buffer.append(stage)
        buffer.append(integer: value)
    }

    init?(_ reader: inout ByteReader) {
        guard let kind = reader.integer(UInt8.self), let detail = reader.integer(UInt8.self),
            let value = reader.integer(Int32.self)
        else { return nil }
        switch kind {
        case 1: self = .exited(value)
        case 2: self = .signalled(value)
        case 3:
            guard let stage = StartStage(rawValue: detail) else { return nil }
            self = .startFailed(stage, errno: value)
        case 4:
            guard let reason = ShimStopReason(rawValue: detail) else { return nil }
            self = .stopped(reason)
        case 5: self = .timedOut
        case 6: self = .outOfMemory
        case 7: self = .lost
        default: return nil
        }
    }
}
