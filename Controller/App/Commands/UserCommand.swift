import ArgumentParser
import ControllerCore
import ControllerMaintenance

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "List users, make one, or give one another password, without a login.",
        subcommands: [List.self, Create.self, ResetPassword.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List users.",
            discussion: """
                EXAMPLES
                  ansflow-controller user list --data-dir /var/lib/ansflow
                """)
        @OptionGroup var place: DataDirectoryOption

        func run() async throws {
            try await CommandEnd.run { try CommandEnd.show(try await DataDirectory.ask(.users, in: place.dataDir)) }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a user; a random password is printed once.",
            discussion: """
                EXAMPLES
                  ansflow-controller user create octo --data-dir /var/lib/ansflow
                  ansflow-controller user create octo --administrator --password-file F --data-dir /var/lib/ansflow
                """)
        @OptionGroup var place: DataDirectoryOption
        @Argument(help: "The user's name.") var name: String
        @Flag(help: "May do everything.") var administrator = false
        @Option(help: "A file whose first line is the password.") var passwordFile: String?

        func run() async throws {
            try await CommandEnd.run {
                let password = try passwordFile.map { try PassphraseOption.read($0) }
                try CommandEnd.show(
                    try await DataDirectory.ask(
                        .createUser(name: name, administrator: administrator, password: password), in: place.dataDir))
            }
        }
    }

    struct ResetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-password",
            abstract: "Give a user another password and end all of its logins; a random one is printed once.",
            discussion: """
                EXAMPLES
                  ansflow-controller user reset-password admin --data-dir /var/lib/ansflow
                """)
        @OptionGroup var place: DataDirectoryOption
        @Argument(help: "The user's name.") var name: String
        @Option(help: "A file whose first line is the password.") var passwordFile: String?

        func run() async throws {
            try await CommandEnd.run {
                let password = try passwordFile.map { try PassphraseOption.read($0) }
                try CommandEnd.show(
                    try await DataDirectory.ask(.resetPassword(name: name, password: password), in: place.dataDir))
            }
        }
    }
}

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "The key that seals secrets.", subcommands: [Rotate.self])

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Make a new key and seal every secret with it; everything goes on meanwhile.",
            discussion: """
                EXAMPLES
                  ansflow-controller key rotate --data-dir /var/lib/ansflow
                """)
        @OptionGroup var place: DataDirectoryOption

        func run() async throws {
            try await CommandEnd.run { try CommandEnd.show(try await DataDirectory.ask(.rotateKey, in: place.dataDir)) }
        }
    }
}

struct RetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "Remove what is older or more than the running controller's settings say, or only list it.",
        discussion: """
            While no controller runs, the default settings count.

            EXAMPLES
              ansflow-controller retention --dry-run --data-dir /var/lib/ansflow
            """)
    @OptionGroup var place: DataDirectoryOption
    @Flag(help: "Remove nothing, only say what would go.") var dryRun = false

    func run() async throws {
        try await CommandEnd.run {
            try CommandEnd.show(try await DataDirectory.ask(.retention(dryRun: dryRun), in: place.dataDir))
        }
    }
}
