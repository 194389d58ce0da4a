package import AnsFlowTransport
import Glibc
import NIOPosix
import Synchronization

/// Finds the addresses of a name.
package protocol AddressResolving: Sendable {
    /// In the order in which they are to be tried.
    ///
    /// - Throws: ``ControllerCore/OutgoingFailure`` or anything else, where there are none.
    func addresses(of host: String) async throws -> [IPAddress]
}

/// Asks the system, as its files and name servers say.
package struct SystemResolver: AddressResolving {
    /// Why a name has no address. The text is a sentence.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Looking up blocks a thread, so it has few of its own.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 4)
        pool.start()
        return pool
    }()

    private let timeout: Duration

    package init(timeout: Duration = .seconds(10)) { self.timeout = timeout }

    package func addresses(of host: String) async throws -> [IPAddress] {
        let once = Once()
        // Ends with the timeout at the latest, or when the answer is there.
        let timer = Task {
            try? await Task.sleep(for: timeout)
            once.give(.failure(Failure(description: "The name \(host) could not be looked up in time.")))
        }
        defer { timer.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            once.wait(continuation)
            Self.threads.submit { _ in once.give(Result { try Self.lookUp(host) }) }
        }
    }

    private static func lookUp(_ host: String) throws -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &first)
        defer { if let first { freeaddrinfo(first) } }
        guard code == 0 else {
            throw Failure(
                description: "The name \(host) could not be looked up: \(String(cString: gai_strerror(code))).")
        }
        var found: [IPAddress] = []
        var next = first
        while let entry = next {
            if let address = address(entry.pointee), !found.contains(address) { found.append(address) }
            next = entry.pointee.ai_next
        }
        return found
    }

    private static func address(_ entry: addrinfo) -> IPAddress? {
        guard let socket = entry.ai_addr else { return nil }
        let raw = UnsafeRawPointer(socket)
        switch entry.ai_family {
        case AF_INET:
            let value = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            return IPAddress(bytes: withUnsafeBytes(of: value) { Array($0) })
        case AF_INET6:
            let value = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return IPAddress(bytes: withUnsafeBytes(of: value) { Array($0) })
        default: return nil
        }
    }

    /// The first of two answers.
    private final class Once: Sendable {
        private enum State {
            case open
            case waiting(CheckedContinuation<[IPAddress], any Error>)
            case given(Result<[IPAddress], any Error>)
            case done
        }

        private let state = Mutex(State.open)

        func wait(_ continuation: CheckedContinuation<[IPAddress], any Error>) {
            let early = state.withLock { state -> Result<[IPAddress], any Error>? in
                if case .given(let result) = state {
                    state = .done
                    return result
                }
                state = .waiting(continuation)
                return nil
            }
            if let early { continuation.resume(with: early) }
        }

        func give(_ result: Result<[IPAddress], any Error>) {
            let waiting = state.withLock { state -> CheckedContinuation<[IPAddress], any Error>? in
                switch state {
                case .open:
                    state = .given(result)
                    return nil
                case .waiting(let continuation):
                    state = .done
                    return continuation
                case .given, .done: return nil
                }
            }
            waiting?.resume(with: result)
        }
    }
}
