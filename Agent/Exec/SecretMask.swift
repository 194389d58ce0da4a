import AgentShimCore
import CAgentSystem
import Glibc

/// What `ansflow-agent mask` does inside a step.
package enum SecretMask {
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Reads a secret from standard input, gives it to the shim that `ANSFLOW_CONTROL` names, and waits until it is masked.
    package static func send() throws(Failure) {
        guard let path = getenv("ANSFLOW_CONTROL").map({ String(cString: $0) }), let slash = path.lastIndex(of: "/")
        else {
            throw Failure(description: "ANSFLOW_CONTROL is not set: this command works inside a step only.")
        }
        let secret = try readSecret()
        let descriptor = ansflow_unix_connect(String(path[..<slash]), String(path[path.index(after: slash)...]))
        guard descriptor >= 0 else {
            throw Failure(description: "The step's supervisor can't be reached: \(FileFailure.text(of: -descriptor)).")
        }
        defer { close(descriptor) }
        guard let command = try? ShimCodec.encode(.mask(secret)), Files.writeAll(descriptor, command) == 0 else {
            throw Failure(description: "The secret could not be handed over; at most 64 KiB are taken.")
        }
        guard answer(descriptor) else {
            throw Failure(description: "The secret was not taken: it is too short, or there are too many.")
        }
    }

    private static func readSecret() throws(Failure) -> [UInt8] {
        var secret: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while secret.count <= ShimLimits.secretBytesMax {
            let count = chunk.withUnsafeMutableBytes { read(0, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            secret.append(contentsOf: chunk[0..<count])
        }
        while secret.last == 10 || secret.last == 13 { secret.removeLast() }
        guard !secret.isEmpty, secret.count <= ShimLimits.secretBytesMax else {
            throw Failure(description: "Standard input holds no secret of 1 to \(ShimLimits.secretBytesMax) bytes.")
        }
        return secret
    }

    private static func answer(_ descriptor: Int32) -> Bool {
        var reader = ShimFrameReader()
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            reader.feed(chunk[0..<count])
            do {
                while let message = try reader.next() {
                    if case .masked(let done) = try ShimCodec.report(message) { return done }
                }
            } catch {
                return false
            }
        }
    }
}
