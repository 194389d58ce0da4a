import AnsFlowProtocol
import ControllerCore

/// Puts secrets into STARTs at the moment they are sent. Nothing of a value is kept behind the message.
struct SecretDelivery: Sendable {
    let secrets: any SecretReading
    let engine: Engine

    /// What becomes of a START.
    enum Outcome: Equatable {
        case send(Start)
        /// It can't be sent, and the same again would not help.
        case refuse(String)
        /// The values can't be read now: the agent asks for it again when it connects anew.
        case later(String)
    }

    /// What attempts that are about to be started ask for.
    struct Plan {
        /// Of those that ask for any.
        var needs: [AttemptID: SecretNeeds] = [:]
        /// Those that have ended meanwhile: they are not sent, since nobody knows any more what they ask for.
        var ended: Set<AttemptID> = []
    }

    func plan(_ attempts: [AttemptID]) async -> Plan {
        guard !attempts.isEmpty else { return Plan() }
        return await engine.read { engine in
            var plan = Plan()
            for attempt in attempts {
                plan.needs[attempt] = engine.secretNeeds(of: attempt)
                if !engine.isLive(attempt) { plan.ended.insert(attempt) }
            }
            return plan
        } ?? Plan(ended: Set(attempts))
    }

    func complete(_ start: Start, _ needs: SecretNeeds) async -> Outcome {
        guard needs.trusted else {
            return .refuse(
                "This step asks for secrets, and the run comes from outside: such runs get none. Start a run of the "
                    + "same commit by hand once it is reviewed.")
        }
        let values: [String: String]
        do throws(SecretFailure) {
            values = try await secrets.values(
                of: Set(needs.variables.values), project: needs.project, environment: needs.environment)
        } catch {
            return error.kind == .configuration ? .refuse(error.description) : .later(error.description)
        }
        var complete = start
        complete.secrets = needs.variables.compactMapValues { values[$0] }
        guard Self.fits(complete) else {
            return .refuse(
                "The step's commands, variables and secrets have more than \(ProtocolLimits.stepSpecBytesMax) bytes "
                    + "together. Make secrets smaller, or give the step fewer of them.")
        }
        return .send(complete)
    }

    /// As JSON, which is how it goes out: 224 KiB, and a little for what else stands in the message.
    private static func fits(_ start: Start) -> Bool {
        guard let bytes = try? WireCodec.encode(ControllerMessage.start(start)) else { return false }
        return bytes.count <= ProtocolLimits.stepSpecBytesMax + 1024
    }
}
