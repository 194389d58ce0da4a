import Glibc

/// Why the database can't be opened, or why what it holds can't be read. Each text names the cure.
package enum StoreFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process holds the data directory.
    case locked(String)
    /// A newer AnsFlow wrote the database.
    case newerSchema(String)
    /// The file can't be created or opened, or SQLite would not keep its promises there.
    case cannotOpen(String)
    /// A stored value is not what this program writes.
    case damaged(String)

    package var description: String {
        switch self {
        case .locked(let text), .newerSchema(let text), .cannotOpen(let text), .damaged(let text): text
        }
    }

    /// The system's words for a failed call.
    static func reason(_ number: Int32) -> String { String(cString: strerror(number)) }
}
