import AgentCore
import AnsFlowProtocol
import Logging
import NIOCore
import NIOPosix

extension AgentRuntime {
    /// Above this the socket is behind, and log messages wait.
    private static let backlogBytesMax = 512 * 1024

    func send(_ message: AgentMessage, on link: UInt64) {
        guard let wire = wires[link] else { return }
        let bytes: [UInt8]
        do {
            bytes = try WireCodec.encode(message)
        } catch {
            guard case .finish(var finish) = message, !finish.outputs.isEmpty else {
                log.error("a message can't be encoded", metadata: ["error": "\(error)"])
                return
            }
            finish.outputs = [:]
            finish.message = "The step's outputs are too large to be sent and were left out."
            return send(.finish(finish), on: link)
        }
        // A link that takes no control message any more is of no use.
        if !wire.trySend(bytes) { wire.close(.goingAway) }
    }

    /// Reads on a thread of the pool and sends from there.
    func sendLog(_ link: UInt64, _ attempt: AttemptID, from: UInt64, upTo: UInt64) {
        guard let wire = wires[link] else { return }
        let reader = reader(of: attempt)
        pool.submit { [self] state in
            guard case .active = state else { return }
            switch reader.read(from: from, upTo: upTo) {
            case .message(let bytes, let end):
                let sent = AgentInput.logSent(link: link, attempt: attempt, from: from, end: end)
                if wire.backlogBytes < Self.backlogBytesMax {
                    guard wire.trySend(bytes) else { return wire.close(.goingAway) }
                    loop.execute { self.feed(sent) }
                } else {
                    // Awaited by nobody: it ends with the link at the latest.
                    Task {
                        guard (try? await wire.send(bytes)) != nil else { return }
                        loop.execute { self.feed(sent) }
                    }
                }
            case .unreadable(let length, let reason):
                let input = AgentInput.logUnreadable(
                    link: link, attempt: attempt, from: from, length: length, reason: reason)
                loop.execute { self.feed(input) }
            }
        }
    }

    func hash(_ attempt: AttemptID, total: UInt64) {
        let reader = reader(of: attempt)
        pool.submit { [self] state in
            guard case .active = state else { return }
            let sha256 = reader.finish(total: total)
            loop.execute { self.feed(.hashed(attempt, total: total, sha256: sha256)) }
        }
    }

    private func reader(of attempt: AttemptID) -> SpoolReader {
        if let reader = readers[attempt] { return reader }
        let reader = SpoolReader(attempt: attempt.rawValue, path: directory.paths.spool(attempt.rawValue))
        readers[attempt] = reader
        return reader
    }
}
