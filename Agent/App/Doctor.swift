import AgentExec
import AgentLink
import AnsFlowProtocol
import AnsFlowTransport
import Glibc
import NIOPosix
import NIOSSL

/// What `ansflow-agent doctor` finds.
struct Doctor {
    private var lines: [String] = []
    private(set) var isIll = false

    var text: String { lines.joined(separator: "\n") }

    mutating func examine(_ directory: String) async {
        await link(directory)
        disk(directory)
        containment(directory)
        program("git", ["/usr/bin/git", "/usr/local/bin/git", "/bin/git"], cure: "Install git; checkouts need it.")
        shim()
    }

    private mutating func note(_ good: Bool, _ what: String, _ text: String, isVital: Bool = true) {
        lines.append("\(good ? "ok      " : isVital ? "PROBLEM " : "note    ") \(what): \(text)")
        if !good, isVital { isIll = true }
    }

    private mutating func link(_ directory: String) async {
        do {
            guard let identity = try LinkIdentity.load(directory) else {
                return note(false, "identity", "\(directory) is not enrolled. Run `ansflow-agent enrol`.")
            }
            note(true, "identity", "\"\(identity.settings.name)\" at \(identity.settings.controller)")
            certificate(identity)
            let address = try ControllerAddress(parsing: identity.settings.controller)
            let client = TransportClient(address, group: MultiThreadedEventLoopGroup.singleton)
            _ = try await client.presentedChain()
            note(true, "controller", "a TLS listener answers at \(identity.settings.controller)")
        } catch {
            note(false, "controller", "\(error)")
        }
    }

    private mutating func certificate(_ identity: LinkIdentity) {
        guard let certificate = try? NIOSSLCertificate(bytes: identity.certificate, format: .pem) else {
            return note(false, "certificate", "agent.crt is damaged. Enrol the agent with a new token.")
        }
        let now = Int64(time(nil))
        if now < Int64(certificate.notValidBefore) {
            note(false, "clock", "The agent's certificate is not valid yet: this host's clock is behind.")
        } else if now >= Int64(certificate.notValidAfter) {
            note(false, "certificate", "It has expired; the agent renews it when it runs.", isVital: false)
        } else {
            note(true, "clock", "within the certificate's time")
        }
    }

    private mutating func disk(_ directory: String) {
        let free = HostFacts.freeBytes(at: directory) >> 20
        note(free >= 1024, "disk", "\(free) MiB free in \(directory)")
    }

    private mutating func containment(_ directory: String) {
        let probe = ContainmentProbe.run(storeID: "doctor-\(getpid())")
        if let parent = probe.parent { rmdir(parent) }
        note(probe.parent != nil, "containment", probe.explanation, isVital: false)
    }

    private mutating func program(_ name: String, _ places: [String], cure: String) {
        let found = places.first { access($0, X_OK) == 0 }
        note(found != nil, name, found ?? cure)
    }

    private mutating func shim() {
        let own = HostFacts.ownProgram() ?? ""
        let path = String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)]) + "/ansflow-shim"
        note(access(path, X_OK) == 0, "shim", access(path, X_OK) == 0 ? path : "\(path) is missing. Install it there.")
    }
}
