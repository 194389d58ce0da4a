import ControllerCore
import Foundation

/// The time zones that this host knows.
enum TimeZones {
    /// - Returns: `nil` where there is none of that name. Abbreviations are none: what `CST` means depends on who reads it.
    static func zone(_ name: String) -> ZoneOffset? {
        if name == "UTC" { return .utc }
        guard TimeZone.knownTimeZoneIdentifiers.contains(name) || name.contains("/"),
            let zone = TimeZone(identifier: name)
        else { return nil }
        return ZoneOffset { zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval($0))) }
    }
}
