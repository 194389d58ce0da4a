import ArgumentParser
import Foundation

/// The options of `serve`, as the argument parser tells of them.
struct OptionTable {
    struct Entry: Equatable {
        var name: String
        var isFlag: Bool
        var isRepeating: Bool
        var standard: String?
    }

    let entries: [Entry]

    /// What can't be set but on the command line.
    private static let onlyArguments: Set<String> = ["help", "version", "config"]

    static func ofServe() -> OptionTable {
        struct Dump: Decodable {
            struct Command: Decodable { var arguments: [Argument] }
            struct Argument: Decodable {
                struct Name: Decodable {
                    var kind: String
                    var name: String
                }
                var kind: String
                var isRepeating: Bool
                var defaultValue: String?
                var names: [Name]?
            }
            var command: Command
        }
        guard let dump = try? JSONDecoder().decode(Dump.self, from: Data(ServeCommand._dumpHelp().utf8)) else {
            preconditionFailure("the argument parser tells of its options in another form")
        }
        return OptionTable(
            entries: dump.command.arguments.compactMap { argument in
                guard let name = argument.names?.first(where: { $0.kind == "long" })?.name,
                    !onlyArguments.contains(name)
                else { return nil }
                return Entry(
                    name: name, isFlag: argument.kind == "flag", isRepeating: argument.isRepeating,
                    standard: argument.defaultValue)
            })
    }

    subscript(name: String) -> Entry? { entries.first { $0.name == name } }

    /// The name that was probably meant: the one with the longest common beginning.
    func nearest(_ name: String) -> String? {
        let common = entries.map { entry in (entry.name, zip(entry.name, name).prefix { $0 == $1 }.count) }
        guard let best = common.max(by: { $0.1 < $1.1 }), best.1 >= 3 else { return nil }
        return best.0
    }
}
