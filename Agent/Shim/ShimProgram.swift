import CAgentSystem
import Glibc

/// What happens between the shim's start and its loop.
enum ShimProgram {
    private static let usage = """
        usage: ansflow-shim --dir DIRECTORY [--cgroup DIRECTORY] [--leash]

        Supervises one step. The agent starts it; it is of no use by hand.
          --dir DIRECTORY     where it keeps lock, sock and shim.log; absolute, and made by the caller
          --cgroup DIRECTORY  a writable cgroup of version 2, in which it makes its own
          --leash             end the step, and go, when whoever started it is gone; without it a step outlives its agent

        It exits with 0 as soon as a copy of itself runs in the background, holds the lock and answers on the socket.

        """

    /// Starts the shim in the background and never returns.
    static func run(_ arguments: [String]) -> Never {
        guard let options = Options(arguments.dropFirst()) else {
            Diagnostics.print(usage)
            exit(arguments.dropFirst().first == "--help" ? 0 : 64)
        }
        _ = ansflow_close_from(3)
        ansflow_ignore_signals()
        var ready: Int32 = -1
        let failed = ansflow_daemonize(&ready)
        guard failed == 0 else { give(up: "The shim could not go into the background", failed) }
        _ = chdir("/")
        do throws(ShimFailure) {
            let supervisor = try Supervisor(options)
            detach()
            var code: UInt8 = 0
            write(ready, &code, 1)
            close(ready)
            supervisor.run()
        } catch {
            give(up: error.text, error.code)
        }
        exit(0)
    }

    /// Lets go of whatever standard input, output and error the spawner gave.
    private static func detach() {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { return }
        for descriptor: Int32 in 0...2 { dup2(null, descriptor) }
        if null > 2 { close(null) }
    }

    private static func give(up text: String, _ code: Int32) -> Never {
        Diagnostics.print("ansflow-shim: \(text): \(Diagnostics.text(of: -code)).\n")
        exit(1)
    }

    struct Options {
        var directory: String
        var cgroup: String?
        /// Whether the step ends when the last agent's connection does.
        var isLeashed = false

        init?(_ arguments: ArraySlice<String>) {
            var values: [String: String] = [:]
            var rest = arguments
            while let name = rest.popFirst() {
                if name == "--leash" {
                    isLeashed = true
                    continue
                }
                guard ["--dir", "--cgroup"].contains(name), let value = rest.popFirst(), value.hasPrefix("/"),
                    values.updateValue(value, forKey: name) == nil
                else { return nil }
            }
            guard var directory = values["--dir"] else { return nil }
            while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
            self.directory = directory
            cgroup = values["--cgroup"]
        }

        /// The shim's name: the last part of its directory, also the name of its cgroup.
        var name: String { directory.split(separator: "/").last.map(String.init) ?? "shim" }
    }
}

/// Why a shim can't begin.
struct ShimFailure: Error {
    var text: String
    /// Negative errno.
    var code: Int32
}
