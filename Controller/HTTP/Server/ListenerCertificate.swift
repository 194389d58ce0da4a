import Glibc
import Logging
import NIOCore
package import NIOSSL
import Synchronization

/// The users' listener's certificate and key, read anew when their files have changed.
package final class ListenerCertificate: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private struct Mark: Equatable {
        var seconds = 0
        var nanoseconds = 0
        var size = 0
        var node: UInt = 0
    }

    private struct Current {
        var context: NIOSSLContext
        var marks: [Mark]
    }

    private let certificate: String
    private let key: String
    private let current: Mutex<Current>

    /// - Parameters:
    ///   - certificate: path of the certificate's chain, PEM, the listener's own first.
    ///   - key: path of its private key, PEM, without a passphrase.
    package init(certificate: String, key: String) throws(Failure) {
        self.certificate = certificate
        self.key = key
        current = Mutex(try Self.load(certificate, key))
    }

    /// For the next connection.
    package var context: NIOSSLContext { current.withLock { $0.context } }

    /// Takes what the files hold now, where they changed. Where that is no good pair, the old one stays.
    ///
    /// - Returns: whether a new one was taken.
    package func reload() throws(Failure) -> Bool {
        let marks = current.withLock { $0.marks }
        guard [Self.mark(certificate), Self.mark(key)] != marks else { return false }
        let fresh = try Self.load(certificate, key)
        current.withLock { $0 = fresh }
        return true
    }

    /// Looks for changes until it is cancelled.
    func watch(every time: Duration, logger: Logger) async {
        var told = ""
        while !Task.isCancelled {
            try? await Task.sleep(for: time)
            do throws(Failure) {
                guard try reload() else { continue }
                told = ""
                logger.notice("the listener's certificate was read anew", metadata: ["file": "\(certificate)"])
            } catch {
                guard error.description != told else { continue }
                told = error.description
                logger.error("the old certificate stays", metadata: ["reason": "\(told)"])
            }
        }
    }

    private static func load(_ certificate: String, _ key: String) throws(Failure) -> Current {
        // Before they are read: what changes meanwhile is seen as a change.
        let marks = [mark(certificate), mark(key)]
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificate)
        } catch {
            throw Failure(description: "\(certificate) is no certificate that can be read (PEM): \(error).")
        }
        guard !chain.isEmpty else { throw Failure(description: "\(certificate) holds no certificate.") }
        do {
            let secret = try NIOSSLPrivateKey(file: key, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(secret))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            configuration.shutdownTimeout = .seconds(1)
            return Current(context: try NIOSSLContext(configuration: configuration), marks: marks)
        } catch {
            throw Failure(
                description:
                    "\(key) is no private key for \(certificate) that can be read (PEM, no passphrase): \(error).")
        }
    }

    private static func mark(_ path: String) -> Mark {
        var status = stat()
        guard stat(path, &status) == 0 else { return Mark() }
        return Mark(
            seconds: Int(status.st_mtim.tv_sec), nanoseconds: Int(status.st_mtim.tv_nsec), size: Int(status.st_size),
            node: UInt(status.st_ino))
    }
}
