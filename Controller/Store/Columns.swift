import AnsFlowProtocol
import ControllerCore
import Foundation
import GRDB

/// Reads one row's columns in order. By hand instead of by `Codable`: lists decode thousands of rows a second.
struct Columns {
    private let row: Row
    private var index = -1

    init(_ row: Row) { self.row = row }

    private mutating func step() -> Int {
        index += 1
        return index
    }

    mutating func int64() -> Int64 { row[step()] }
    mutating func int64OrNil() -> Int64? { row[step()] }
    mutating func int() -> Int { Int(int64()) }
    mutating func int32OrNil() -> Int32? { int64OrNil().map { Int32(truncatingIfNeeded: $0) } }
    mutating func uint64() -> UInt64 { UInt64(bitPattern: int64()) }
    mutating func uint64OrNil() -> UInt64? { int64OrNil().map { UInt64(bitPattern: $0) } }
    mutating func text() -> String { row[step()] }
    mutating func textOrNil() -> String? { row[step()] }
    mutating func bool() -> Bool { int64() != 0 }
    mutating func bytesOrNil() -> [UInt8]? { (row[step()] as Data?).map { [UInt8]($0) } }
    mutating func bytes() -> [UInt8] { [UInt8](row[step()] as Data) }
    mutating func id<ID: Identifier>() -> ID { ID(rawValue: int64()) }
    mutating func idOrNil<ID: Identifier>() -> ID? { int64OrNil().map { ID(rawValue: $0) } }

    mutating func word<Word: RawRepresentable<String>>() throws -> Word {
        let text = text()
        guard let word = Word(rawValue: text) else { throw Self.unknown(text, Word.self) }
        return word
    }

    mutating func wordOrNil<Word: RawRepresentable<String>>() throws -> Word? {
        guard let text = textOrNil() else { return nil }
        guard let word = Word(rawValue: text) else { throw Self.unknown(text, Word.self) }
        return word
    }

    mutating func map() throws -> [String: String] { try StoredJSON.map(text()) }
    mutating func inputs() throws -> [String: InputValue] { try StoredJSON.inputs(text()) }
    mutating func list() throws -> [String] { try StoredJSON.list(text()) }

    private static func unknown(_ text: String, _ type: Any.Type) -> StoreFailure {
        .damaged(
            "The database holds the word \"\(text)\" where a \(type) belongs. Restore a backup, or use the AnsFlow that wrote it."
        )
    }
}
