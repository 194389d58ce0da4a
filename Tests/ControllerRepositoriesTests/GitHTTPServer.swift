import Foundation
import Synchronization
import TestSupport

/// Serves one repository over smart HTTP on loopback, with git's own `upload-pack`. A connection is one request.
final class GitHTTPServer: Sendable {
    struct Behaviour: Sendable {
        /// `user:token` that is wanted; nil lets everyone in.
        var credentials: String?
        /// Says nothing at all.
        var hangs = false
        /// Before each answer, in seconds.
        var pause = 0.0
        /// What is answered instead.
        var status: String?
    }

    let port: Int
    let behaviour: Mutex<Behaviour>
    /// First lines of the requests.
    let requests = Mutex<[String]>([])
    private let listener: Int32
    private let repository: String
    private let isOpen = Mutex(true)

    init(_ repository: String, _ behaviour: Behaviour = Behaviour()) throws {
        self.repository = repository
        self.behaviour = Mutex(behaviour)
        port = try Sockets.freePort()
        listener = try Self.listen(port)
        Thread.detachNewThread { [self] in
            while isOpen.withLock({ $0 }) {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                Thread.detachNewThread { [self] in
                    serve(descriptor)
                    close(descriptor)
                }
            }
        }
    }

    func stop() {
        isOpen.withLock { $0 = false }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    var url: String { "http://127.0.0.1:\(port)/origin" }

    private static func listen(_ port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0, Glibc.listen(descriptor, 64) == 0 else { throw TestFailure("Port \(port) is taken.") }
        return descriptor
    }

    private func serve(_ descriptor: Int32) {
        var data = Data()
        while data.range(of: Data("\r\n\r\n".utf8)) == nil {
            guard let more = Self.read(descriptor) else { return }
            data += more
        }
        guard let end = data.range(of: Data("\r\n\r\n".utf8)) else { return }
        let lines = String(decoding: data[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if parts.count == 2 { headers[parts[0].lowercased()] = parts[1] }
        }
        var body = Data(data[end.upperBound...])
        let length = Int(headers["content-length"] ?? "0") ?? 0
        while body.count < length {
            guard let more = Self.read(descriptor) else { return }
            body += more
        }
        requests.withLock { $0.append(lines[0]) }
        let behaviour = behaviour.withLock { $0 }
        if behaviour.hangs {
            _ = Self.read(descriptor)
            return
        }
        Clock.pause(behaviour.pause)
        let answer = answer(lines[0], headers, body, behaviour)
        _ = answer.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    private func answer(_ line: String, _ headers: [String: String], _ body: Data, _ behaviour: Behaviour) -> Data {
        func plain(_ status: String, _ more: String = "") -> Data {
            Data("HTTP/1.1 \(status)\r\n\(more)Content-Length: 0\r\nConnection: close\r\n\r\n".utf8)
        }
        if let status = behaviour.status { return plain(status) }
        if let wanted = behaviour.credentials {
            let given = headers["authorization"].map { $0.replacing("Basic ", with: "") }
            guard given == Data(wanted.utf8).base64EncodedString() else {
                return plain("401 Unauthorized", "WWW-Authenticate: Basic realm=\"git\"\r\n")
            }
        }
        let isRefs = line.hasPrefix("GET /origin/info/refs?service=git-upload-pack")
        guard isRefs || line.hasPrefix("POST /origin/git-upload-pack") else { return plain("404 Not Found") }
        var output = Data()
        var kind = "result"
        if isRefs {
            kind = "advertisement"
            if headers["git-protocol"] == nil { output += Data("001e# service=git-upload-pack\n0000".utf8) }
        }
        output += pack(isRefs, headers, body)
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-\(kind)\r\nCache-Control: no-cache\r\n"
            + "Content-Length: \(output.count)\r\nConnection: close\r\n\r\n"
        return Data(head.utf8) + output
    }

    private func pack(_ isRefs: Bool, _ headers: [String: String], _ body: Data) -> Data {
        let base = "/tmp/ansflow-git-http-\(UUID().uuidString)"
        defer { for end in ["in", "out"] { unlink("\(base).\(end)") } }
        try? body.write(to: URL(filePath: base + ".in"))
        let unpack = headers["content-encoding"] == "gzip" ? "gzip -dc" : "cat"
        let command =
            "\(unpack) < \(base).in | git upload-pack --stateless-rpc \(isRefs ? "--advertise-refs " : "")'\(repository)' > \(base).out"
        _ = try? ChildProcess.run(
            "/bin/sh", ["-c", command],
            environment: ["GIT_PROTOCOL": headers["git-protocol"] ?? "", "GIT_CONFIG_GLOBAL": "/dev/null"])
        return (try? Data(contentsOf: URL(filePath: base + ".out"))) ?? Data()
    }

    private static func read(_ descriptor: Int32) -> Data? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? Data(bytes[..<count]) : nil
    }
}
