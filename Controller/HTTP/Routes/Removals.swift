import ControllerCore

/// Projects and pipelines that go with all that belongs to them.
struct Removals {
    let services: HTTPServices

    func remove(_ target: RemovalTarget, expected: Int?, _ call: Call) async throws {
        guard let retention = services.retention else {
            throw Problem.unavailable("Nothing is ever deleted here.")
        }
        do {
            try await retention.remove(target, expected: expected, by: call.principal.name)
        } catch let refusal as RemovalRefusal {
            switch refusal {
            case .notFound: throw Problem.notFound("It was deleted meanwhile.")
            case .stale(let current):
                throw Problem(
                    412, "Precondition failed", "It has version \(current) by now. Read it again and repeat.")
            case .runsGoOn:
                throw Problem.conflict("Runs of it go on. Cancel them or wait for their end, then delete it.")
            }
        }
    }
}
