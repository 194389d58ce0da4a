import AgentCore
import AgentShimCore
import AnsFlowProtocol
import CAgentSystem
import Glibc
import NIOCore
import NIOPosix

// What shims say, and what their silence means.
extension ShimHost {
    func connect(_ shim: Shim) {
        let descriptor = ansflow_unix_connect(settings.paths.shim(shim.name), "sock")
        guard descriptor >= 0 else { return ended(shim) }
        open(shim, descriptor, reader: ShimFrameReader())
        try? shim.connection?.send(.attach(version: ShimLimits.version))
    }

    func open(_ shim: Shim, _ descriptor: Int32, reader: ShimFrameReader) {
        let connection = ShimConnection(
            loop: loop, reader: reader, onReport: { [weak self] in self?.report($0, shim) },
            onEnd: { [weak self] in
                shim.connection = nil
                self?.ended(shim)
            })
        shim.connection = connection
        connection.open(descriptor)
    }

    private func report(_ report: ShimReport, _ shim: Shim) {
        switch report {
        case .state(let state): take(state, shim)
        case .started(let attempt, _):
            shim.owesAnswer = false
            emit(.shimStarted(AttemptID(attempt)))
            refillIfBusy()
        case .startRefused(let attempt, let reason, let message):
            shim.owesAnswer = false
            switch reason {
            case .startFileExists: emit(.shimRefused(AttemptID(attempt), reason: message))
            case .badSpec, .storage, .busy: emit(.shimUnable(AttemptID(attempt), reason: message))
            }
            dismiss(shim)
        case .spooled(let bytes, _):
            if let attempt = shim.attempt { emit(.spooled(attempt, bytes)) }
        case .ended(let record): exited(record, shim)
        case .emptied(let attempt): emit(.vacated(AttemptID(attempt)))
        case .masked: break
        }
    }

    private func take(_ state: ShimState, _ shim: Shim) {
        switch state.phase {
        case .warm:
            if shim.attempt == nil, !shim.isDismissed { becameWarm(shim) }
        case .running(let attempt, _, _, _):
            guard shim.attempt == AttemptID(attempt) else { return }
            shim.owesAnswer = false
            emit(.shimStarted(AttemptID(attempt)))
            emit(.spooled(AttemptID(attempt), state.spooled))
        case .ended(let record, let treeEmpty):
            guard shim.attempt == AttemptID(record.attempt) else { return }
            exited(record, shim)
            if treeEmpty { emit(.vacated(AttemptID(record.attempt))) }
        }
        if shim.isForgotten { dismiss(shim) }
    }

    private func exited(_ record: ExitRecord, _ shim: Shim) {
        guard let attempt = shim.attempt, let job = shim.job, !shim.hasEnded else { return }
        shim.hasEnded = true
        shim.owesAnswer = false
        let paths = settings.paths
        emit(.spooled(attempt, record.spooled))
        // Small and local, so it is read at once; a step that made a FIFO or a link of it gets nothing.
        emit(.exited(attempt, AttemptEnding(record, from: paths, job: job.rawValue)))
        // Where nothing had to be killed for long, nothing is left behind either.
        if !record.unkillable { emit(.vacated(attempt)) }
    }

    /// Nothing more comes on the connection: either it broke, or the shim is gone.
    func ended(_ shim: Shim) {
        if shim.attempt == nil { return lostWarm(shim) }
        if shim.isForgotten || shim.hasEnded || shim.isDismissed { return buried(shim) }
        investigate(shim)
    }

    /// Asks the lock, again and again while it is held.
    private func investigate(_ shim: Shim) {
        guard let attempt = shim.attempt, let job = shim.job else { return }
        let (probe, name) = (probe, shim.name)
        let bound = NIOLoopBound(shim, eventLoop: loop)
        pool.submit { [self] _ in
            // The lock may be free an instant after the socket.
            for _ in 0..<20 where probe.isAlive(name) { usleep(10_000) }
            let remains = probe.isAlive(name) ? nil : probe.remains(of: attempt.rawValue, shim: name)
            loop.execute { [self] in
                let shim = bound.value
                guard shim.connection == nil else { return }
                switch remains {
                case nil: reconnect(shim)
                case .ended(let record):
                    shim.hasEnded = true
                    emit(.exited(attempt, AttemptEnding(record, from: settings.paths, job: job.rawValue)))
                    emit(.vacated(attempt))
                    buried(shim)
                case .notStarted:
                    emit(.shimLost(attempt, spooled: 0))
                    buried(shim)
                case .lost(let spooled):
                    note("The shim of attempt \(attempt) is gone without an exit record.")
                    emit(.shimLost(attempt, spooled: spooled))
                    buried(shim)
                }
            }
        }
    }

    func reconnect(_ shim: Shim) {
        let bound = NIOLoopBound(shim, eventLoop: loop)
        later(milliseconds: 500) { [self] in
            if bound.value.connection == nil { connect(bound.value) }
        }
    }

    /// Removes what is left of a shim once its lock is free, and its attempt's files where it is forgotten.
    func buried(_ shim: Shim) {
        let (probe, name) = (probe, shim.name)
        let bound = NIOLoopBound(shim, eventLoop: loop)
        pool.submit { [self] _ in
            for _ in 0..<20 where probe.isAlive(name) { usleep(5_000) }
            let isAlive = probe.isAlive(name)
            if !isAlive {
                probe.emptyTree(name)
                probe.removeDirectory(name)
            }
            loop.execute { [self] in
                let shim = bound.value
                guard shim.connection == nil else { return }
                guard !isAlive else {
                    // The connection broke and the shim lives: it is told once more.
                    return later(milliseconds: 1_000) { self.connect(shim) }
                }
                shims[name] = nil
                if let attempt = shim.attempt {
                    if byAttempt[attempt] === shim { byAttempt[attempt] = nil }
                    if shim.isForgotten { removeFiles(of: attempt, shim: shim) }
                }
            }
        }
    }

    /// Only when no shim can have an unread START of it: then the start file has done its work.
    func removeFiles(of attempt: AttemptID, shim: Shim?) {
        let (probe, start) = (probe, settings.paths.startFile(attempt.rawValue))
        guard !shims.values.contains(where: { $0.attempt == attempt }) else { return }
        pool.submit { _ in
            probe.removeOutput(attempt.rawValue)
            unlink(start)
        }
    }
}
