import Glibc

/// The other programs of AnsFlow, in the directory of this one.
package struct Programs: Equatable, Sendable {
    package var own: String
    package var controller: String
    package var agent: String

    package static func beside() throws -> Programs {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlink("/proc/self/exe", &buffer, Int(PATH_MAX))
        guard length > 0 else { throw ClientFailure(.usage, "/proc/self/exe cannot be read: \(FileIO.reason()).") }
        let own = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let directory = own.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        let programs = Programs(
            own: own, controller: directory + "/ansflow-controller", agent: directory + "/ansflow-agent")
        for path in [programs.controller, programs.agent, directory + "/ansflow-shim"] where access(path, X_OK) != 0 {
            throw ClientFailure(
                .usage, "\(path) is missing.",
                cure: "`ansflow up` needs ansflow-controller, ansflow-agent and ansflow-shim beside itself.")
        }
        return programs
    }
}
