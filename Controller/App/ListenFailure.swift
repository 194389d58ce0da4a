import Glibc
import NIOCore

/// An address that can't be listened on, with the option that names it.
struct ListenFailure: Error, CustomStringConvertible {
    let description: String

    /// Runs what binds, and names the option where the address is the reason that it fails.
    static func named<Value>(
        _ option: String, _ address: ListenAddress, _ bind: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await bind()
        } catch let error as IOError {
            let why =
                error.errnoCode == EADDRINUSE
                ? "is in use by another program"
                : "cannot be listened on: \(String(cString: strerror(error.errnoCode)))"
            throw ListenFailure(
                description: "\(ListenAddress.bracketed(address.host)):\(address.port) \(why). "
                    + "Free it, or give another address with \(option).")
        }
    }
}
