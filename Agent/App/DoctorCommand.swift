import AgentExec
import AgentLink
import ArgumentParser

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks what an agent needs on this host.",
        discussion: """
            Looks at identity, clock, the way to the controller, cgroups, disk and git. Ends with 1 where something must be mended.

              ansflow-agent doctor --data-dir /var/lib/ansflow-agent
            """)

    @OptionGroup var data: DataDirectoryOption

    func run() async throws {
        var report = Doctor()
        await report.examine(data.absolute)
        Terminal.out(report.text)
        if report.isIll { throw ExitCode(1) }
    }
}
