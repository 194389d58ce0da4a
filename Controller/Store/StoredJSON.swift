import ControllerCore
import Foundation

/// Small maps, lists and plans as JSON text, with sorted keys so that equal values give equal text.
enum StoredJSON {
    static func text(_ map: [String: String]) -> String {
        if map.isEmpty { return "{}" }
        return encoded(map)
    }

    static func text(_ list: [String]) -> String {
        if list.isEmpty { return "[]" }
        return encoded(list)
    }

    static func text(_ inputs: [String: InputValue]) -> String {
        if inputs.isEmpty { return "{}" }
        return encoded(inputs)
    }

    static func inputs(_ text: String) throws -> [String: InputValue] {
        if text == "{}" { return [:] }
        return try decoded(text)
    }

    static func map(_ text: String) throws -> [String: String] {
        if text == "{}" { return [:] }
        return try decoded(text)
    }

    static func list(_ text: String) throws -> [String] {
        if text == "[]" { return [] }
        return try decoded(text)
    }

    static func bytes(_ plan: RunPlan) throws -> [UInt8] { [UInt8](try encoder().encode(plan)) }

    /// - Parameter run: for the error's text.
    static func plan(_ bytes: [UInt8], of run: RunID) throws -> RunPlan {
        do {
            return try JSONDecoder().decode(RunPlan.self, from: Data(bytes))
        } catch {
            throw StoreFailure.damaged(
                "The stored plan of run \(run) can't be read (\(error)). Use the AnsFlow that wrote it, or restore a backup."
            )
        }
    }

    private static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    private static func encoded(_ value: some Encodable) -> String {
        guard let data = try? encoder().encode(value) else {
            preconditionFailure("A map or list of strings always has a JSON text.")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private static func decoded<Value: Decodable>(_ text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw StoreFailure.damaged("The database holds JSON that can't be read (\(error)). Restore a backup.")
        }
    }
}
