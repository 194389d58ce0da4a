import AgentExec
import AnsFlowProtocol
import ArgumentParser
import Glibc

/// Labels of an agent: those of the command line, and those that every agent has.
enum Labels {
    static func parse(_ text: String) throws -> [String: String] {
        var labels: [String: String] = [:]
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty,
                part.utf8.count <= ProtocolLimits.labelBytesMax
            else { throw ValidationError("\"\(part)\" is not a label: labels look like os=linux,gpu=none.") }
            labels[String(pair[0])] = String(pair[1])
        }
        guard labels.count <= ProtocolLimits.labelsMax - 3 else {
            throw ValidationError("An agent has at most \(ProtocolLimits.labelsMax - 3) labels of its own.")
        }
        return labels
    }

    /// The given labels with `os`, `arch` and `name` where they don't say otherwise; the name always stands.
    static func complete(_ labels: [String: String], name: String) -> [String: String] {
        var all = ["os": "linux", "arch": HostFacts.architecture].merging(labels) { $1 }
        all["name"] = name
        return all
    }

    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        let text = String(decoding: buffer.prefix { $0 != 0 && $0 != 46 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.isEmpty ? "agent" : text
    }
}
