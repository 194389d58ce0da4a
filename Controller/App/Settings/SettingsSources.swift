import ArgumentParser
import Foundation

/// Brings settings from the command line, the environment and a file together: what stands on the command line counts most, then the
/// environment, then the file. The outcome is a command line, so that one parser checks them all.
struct SettingsSources {
    /// `ANSFLOW_CONTROLLER_LISTEN` is `--listen`.
    static let prefix = "ANSFLOW_CONTROLLER_"
    /// Names the file where `--config` does not.
    static let fileVariable = prefix + "CONFIG"

    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// A setting and where it is from.
    struct Origin: Equatable {
        var name: String
        var values: [String]
        /// `--listen`, `ANSFLOW_CONTROLLER_LISTEN`, or `controller.conf, line 3`.
        var source: String
    }

    let table: OptionTable
    /// What is left to do by the argument parser.
    private(set) var arguments: [String]
    /// What the environment and the file gave, in the table's order.
    private(set) var origins: [Origin] = []

    /// - Parameter arguments: those behind `serve`.
    init(_ arguments: [String], environment: [String: String], table: OptionTable = .ofServe()) throws(Refusal) {
        self.table = table
        self.arguments = arguments
        let given = Self.named(arguments)
        if given.contains("help") || given.contains("version") { return }
        var found = try Self.file(arguments, environment, table)
        for (name, origin) in try Self.environment(environment, table) { found[name] = origin }
        for entry in table.entries where !given.contains(entry.name) {
            guard let origin = found[entry.name] else { continue }
            origins.append(origin)
            self.arguments += try Self.words(origin, entry)
        }
    }

    /// What `--name` and `--name=value` name.
    private static func named(_ arguments: [String]) -> Set<String> {
        var names: Set<String> = []
        for argument in arguments {
            if argument == "--" { break }
            if argument == "-h" { names.insert("help") }
            guard argument.hasPrefix("--") else { continue }
            names.insert(String(argument.dropFirst(2).prefix { $0 != "=" }))
        }
        return names
    }

    private static func path(_ arguments: [String], _ environment: [String: String]) -> String? {
        for (index, argument) in arguments.enumerated() {
            if argument.hasPrefix("--config=") { return String(argument.dropFirst(9)) }
            if argument == "--config", index + 1 < arguments.count { return arguments[index + 1] }
        }
        return environment[fileVariable]
    }

    private static func file(
        _ arguments: [String], _ environment: [String: String], _ table: OptionTable
    ) throws(Refusal) -> [String: Origin] {
        guard let path = path(arguments, environment) else { return [:] }
        let text: String
        do {
            text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw Refusal(
                description: "The file of settings \(path) can't be read as text: \(error.localizedDescription)")
        }
        let file: SettingsFile
        do {
            file = try SettingsFile(text, path: path)
        } catch {
            throw Refusal(description: error.description)
        }
        var found: [String: Origin] = [:]
        for line in file.lines {
            let source = "\(path), line \(line.number)"
            guard let entry = table[line.name] else { throw unknown(line.name, source, table) }
            guard var origin = found[line.name] else {
                found[line.name] = Origin(name: line.name, values: [line.value], source: source)
                continue
            }
            guard entry.isRepeating else {
                throw Refusal(description: "\(source): `\(line.name)` was set already, by \(origin.source).")
            }
            origin.values.append(line.value)
            found[line.name] = origin
        }
        return found
    }

    private static func environment(
        _ environment: [String: String], _ table: OptionTable
    ) throws(Refusal) -> [String: Origin] {
        var found: [String: Origin] = [:]
        for (variable, value) in environment.sorted(by: { $0.key < $1.key })
        where variable.hasPrefix(prefix) && variable != fileVariable {
            let name = variable.dropFirst(prefix.count).lowercased().replacing("_", with: "-")
            guard let entry = table[name] else { throw unknown(name, variable, table) }
            let values = entry.isRepeating ? value.split(separator: ",").map(String.init) : [value]
            found[name] = Origin(name: name, values: values, source: variable)
        }
        return found
    }

    private static func unknown(_ name: String, _ source: String, _ table: OptionTable) -> Refusal {
        let hint = table.nearest(name).map { " Is `\($0)` meant?" } ?? ""
        return Refusal(
            description:
                "\(source): there is no setting `\(name)`.\(hint) `ansflow-controller serve --help` lists them all.")
    }

    private static func words(_ origin: Origin, _ entry: OptionTable.Entry) throws(Refusal) -> [String] {
        guard entry.isFlag else { return origin.values.map { "--\(entry.name)=\($0)" } }
        switch origin.values[0] {
        case "true", "yes", "1": return ["--\(entry.name)"]
        case "false", "no", "0": return []
        default:
            throw Refusal(
                description: "\(origin.source): `\(entry.name)` is \(origin.values[0]); it must be true or false.")
        }
    }
}

extension SettingsSources {
    /// Finds out which value of the environment or the file is wrong: the argument parser knows nothing of those.
    ///
    /// - Throws: nothing where an argument is wrong, which the parser says itself.
    func check() throws(Refusal) {
        do {
            _ = try ServeCommand.parse(arguments)
        } catch {
            // Whoever is refused alone, with what must be there, is to blame; the two TLS settings need each other.
            for origin in origins where !origin.name.hasPrefix("tls-") {
                guard let entry = table[origin.name] else { continue }
                var alone = try Self.words(origin, entry)
                if origin.name != "data-dir" { alone.append("--data-dir=x") }
                do {
                    _ = try ServeCommand.parse(alone)
                } catch let fault {
                    throw Refusal(description: "\(origin.source): \(ServeCommand.message(for: fault))")
                }
            }
        }
    }
}

extension SettingsSources {
    /// Each setting with its value and source, in the order of `--help`.
    var rows: [Origin] {
        var given: [String: [String]] = [:]
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            guard argument.hasPrefix("--") else { continue }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if parts.count == 2 {
                given[name, default: []].append(String(parts[1]))
            } else if table[name]?.isFlag == true {
                given[name] = ["true"]
            } else if index < arguments.count {
                given[name, default: []].append(arguments[index])
                index += 1
            }
        }
        return table.entries.map { entry in
            if let origin = origins.first(where: { $0.name == entry.name }) { return origin }
            if let values = given[entry.name] {
                return Origin(name: entry.name, values: values, source: "--\(entry.name)")
            }
            let standard = entry.standard ?? (entry.isFlag ? "false" : nil)
            return Origin(name: entry.name, values: standard.map { [$0] } ?? [], source: "default")
        }
    }
}
