package import AnsFlowProtocol

/// Which attempts were here and are forgotten, so that none is ever started again.
///
/// An id below the highest one seen may still be new: START for it got lost while a later one arrived. So ids are remembered one by
/// one, and only when there are too many a floor takes the oldest ones' place.
package struct Tombstones: Equatable, Sendable {
    package static let capacity = 4096

    package private(set) var floor: AttemptID
    /// Ascending.
    package private(set) var ids: [AttemptID]

    package init(floor: AttemptID = AttemptID(0), ids: [AttemptID] = []) {
        self.floor = floor
        self.ids = ids.filter { $0 > floor }.sorted()
        trim()
    }

    package func contains(_ attempt: AttemptID) -> Bool {
        if attempt <= floor { return true }
        let index = position(attempt)
        return index < ids.count && ids[index] == attempt
    }

    package mutating func insert(_ attempt: AttemptID) {
        guard attempt > floor else { return }
        let index = position(attempt)
        if index < ids.count, ids[index] == attempt { return }
        ids.insert(attempt, at: index)
        trim()
    }

    private func position(_ attempt: AttemptID) -> Int {
        var low = 0
        var high = ids.count
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < attempt { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Half is dropped at once, so that inserting stays cheap.
    private mutating func trim() {
        guard ids.count > Self.capacity else { return }
        let kept = ids.suffix(Self.capacity / 2)
        floor = ids[ids.count - kept.count - 1]
        ids = Array(kept)
    }
}
