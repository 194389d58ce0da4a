import ControllerCore
import GRDB

extension CommitFailure {
    /// Sorts whatever stopped a transaction by what the engine has to do about it.
    init(stopping error: any Error) {
        if let failure = error as? CommitFailure {
            self = failure
            return
        }
        guard let error = error as? DatabaseError else {
            self = .refused(String(describing: error))
            return
        }
        let text = "SQLite: \(error.message ?? "no message") (code \(error.extendedResultCode.rawValue))"
        switch error.extendedResultCode {
        case .SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC:
            self = .fsync(text)
        default:
            switch error.resultCode {
            case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN: self = .disk(text)
            default: self = .refused(text)
            }
        }
    }
}
