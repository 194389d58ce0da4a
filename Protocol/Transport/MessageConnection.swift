package import NIOCore

/// One WebSocket connection: whole messages in and out, both bounded.
///
/// Any task may send and close; one task receives. Memory is bounded whatever the peer does: a peer that sends faster than
/// ``receive()`` is called is not read from, one that does not read makes ``send(_:)`` wait and ``trySend(_:)`` report an
/// overflow. That a message was sent does not mean that the peer has it.
package final class MessageConnection: Sendable {
    /// The outcome of ``trySend(_:)``.
    package enum SendOutcome: Equatable, Sendable {
        case sent
        /// ``WebSocketOptions/outboundBytesMax`` is reached: the message was not taken.
        case overflow
        case closed
    }

    /// The peer's address, without its port.
    package let remoteAddress: String
    /// The certificate that the peer showed and TLS accepted.
    package let peerCertificateDER: [UInt8]?

    let mailbox: ConnectionMailbox
    private let channel: any Channel

    init(_ channel: any Channel, mailbox: ConnectionMailbox, peerCertificateDER: [UInt8]?) {
        self.channel = channel
        self.mailbox = mailbox
        self.peerCertificateDER = peerCertificateDER
        remoteAddress = channel.remoteAddress?.ipAddress ?? "unknown"
    }

    /// Makes `channel`, whose HTTP part is over, a WebSocket connection.
    ///
    /// - Parameter channel: A channel of bytes. To be called on its event loop; all of its later inbound bytes are frames.
    package static func install(
        on channel: any Channel, options: WebSocketOptions, peerCertificateDER: [UInt8]? = nil
    ) throws -> MessageConnection {
        let mailbox = ConnectionMailbox(options)
        let connection = MessageConnection(channel, mailbox: mailbox, peerCertificateDER: peerCertificateDER)
        try channel.pipeline.syncOperations.addHandler(WebSocketHandler(mailbox))
        return connection
    }

    /// How the connection ended; `nil` while it is open.
    package var end: ConnectionEnd? { mailbox.with { $0.end } }
    /// Bytes of messages that wait for ``receive()``, and for the socket.
    package var waitingBytes: (inbound: Int, outbound: Int) { mailbox.with { ($0.inboxBytes, $0.outboundBytes) } }

    /// The next message, in the order of sending; `nil` after the end.
    ///
    /// What the peer sent before it closed is still handed out. After a close by this side nothing is.
    /// - Throws: `CancellationError` when the task is cancelled while it waits.
    package func receive() async throws -> [UInt8]? {
        let (message, resume) = takeMessage()
        if resume { command(.resumeReading) }
        if let message { return message }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enum Next {
                    case message([UInt8]?)
                    case wait
                    case cancelled
                }
                let next = mailbox.with { state -> Next in
                    precondition(state.receiver == nil, "only one task may receive from a connection")
                    if let message = state.inbox.popFirst() {
                        state.inboxBytes -= message.count + ConnectionMailbox.overhead
                        return .message(message)
                    }
                    if state.end != nil { return .message(nil) }
                    if Task.isCancelled { return .cancelled }
                    state.receiver = continuation
                    return .wait
                }
                switch next {
                case .message(let message): continuation.resume(returning: message)
                case .wait: break
                case .cancelled: continuation.resume(throwing: CancellationError())
                }
            }
        } onCancel: {
            cancelReceive()
        }
    }

    /// Sends a message; waits while the socket is behind by ``WebSocketOptions/outboundBytesHigh``.
    ///
    /// - Throws: ``ConnectionEnd`` when the connection is closed, `CancellationError` when the task is cancelled while it
    ///   waits; the message is then not sent.
    package func send(_ message: [UInt8]) async throws {
        precondition(
            message.count <= mailbox.options.messageBytesMax, "a message is longer than its connection allows")
        let id = mailbox.with { state in
            state.nextSender += 1
            return state.nextSender
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                queue(message, id: id, continuation)
            }
        } onCancel: {
            let sender = mailbox.with { state in
                state.senders.firstIndex { $0.id == id }.map { state.senders.remove(at: $0) }
            }
            sender?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Sends a message without ever waiting.
    package func trySend(_ message: [UInt8]) -> SendOutcome {
        guard message.count <= mailbox.options.messageBytesMax else { return .overflow }
        let (outcome, drain) = mailbox.with { state -> (SendOutcome, Bool) in
            guard state.end == nil else { return (.closed, false) }
            guard state.hasRoom(message.count, mailbox.options.outboundBytesMax) else { return (.overflow, false) }
            state.enqueue(message)
            defer { state.drainScheduled = true }
            return (.sent, !state.drainScheduled)
        }
        if drain { command(.drain) }
        return outcome
    }

    /// Closes with a code and reason that the peer sees. At once, for this side, the connection is at its end and unread
    /// messages are dropped; what was sent before still goes out, for at most ``WebSocketOptions/closeTimeout``.
    ///
    /// Of several closes, also by several tasks at once, the peer sees the first: the one that ``end`` tells of.
    package func close(code: UInt16, reason: String) {
        mailbox.end(ConnectionEnd(.local, code: code, reason: reason), drop: true)
        command(.close)
    }

    /// Closes the socket at once; the peer learns nothing.
    package func abort(code: UInt16 = ConnectionEnd.abnormal, reason: String) {
        mailbox.end(ConnectionEnd(.local, code: code, reason: reason), drop: true)
        command(.abort)
    }

    /// Waits until the socket is closed.
    ///
    /// - Returns: How the connection ended.
    @discardableResult
    package func closed() async -> ConnectionEnd {
        await withCheckedContinuation { continuation in
            let gone = mailbox.with { state in
                if !state.gone { state.watchers.append(continuation) }
                return state.gone
            }
            if gone { continuation.resume() }
        }
        return end ?? ConnectionEnd(.transport, code: ConnectionEnd.abnormal, reason: "The connection was cut.")
    }

    private func takeMessage() -> ([UInt8]?, resume: Bool) {
        mailbox.with { state in
            guard let message = state.inbox.popFirst() else { return (nil, false) }
            state.inboxBytes -= message.count + ConnectionMailbox.overhead
            let resume = state.readPaused && state.inboxBytes <= mailbox.options.inboundBytesMax / 2
            if resume { state.readPaused = false }
            return (message, resume)
        }
    }

    private func cancelReceive() {
        let receiver = mailbox.with { state in
            defer { state.receiver = nil }
            return state.receiver
        }
        receiver?.resume(throwing: CancellationError())
    }

    private func queue(_ message: [UInt8], id: UInt64, _ continuation: CheckedContinuation<Void, any Error>) {
        enum Next {
            case go(drain: Bool)
            case wait
            case fail(any Error)
        }
        let next = mailbox.with { state -> Next in
            if let end = state.end { return .fail(end) }
            if state.senders.isEmpty, state.hasRoom(message.count, mailbox.options.outboundBytesHigh) {
                state.enqueue(message)
                defer { state.drainScheduled = true }
                return .go(drain: !state.drainScheduled)
            }
            if Task.isCancelled { return .fail(CancellationError()) }
            state.senders.append(ConnectionMailbox.Sender(id: id, message: message, continuation: continuation))
            return .wait
        }
        switch next {
        case .go(let drain):
            if drain { command(.drain) }
            continuation.resume()
        case .wait: break
        case .fail(let error): continuation.resume(throwing: error)
        }
    }

    private func command(_ command: WebSocketHandler.Command) {
        channel.triggerUserOutboundEvent(command, promise: nil)
    }
}
