/// Says once that a disk fills up, and again only after there was room in between.
package struct DiskWatch: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        case none
        /// Somebody should be told.
        case low
    }

    private var isLow = false

    package init() {}

    /// Low is four times what no run is taken below, and at least 256 MiB; there is room again from five quarters of that on.
    package mutating func looked(freeBytes: UInt64, floorBytes: UInt64) -> Action {
        let limit = max(min(floorBytes, .max / 8) * 4, 256 << 20)
        if freeBytes < limit {
            defer { isLow = true }
            return isLow ? .none : .low
        }
        if freeBytes >= limit + limit / 4 { isLow = false }
        return .none
    }
}
