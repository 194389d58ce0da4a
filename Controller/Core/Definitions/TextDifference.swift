/// The difference between two texts by lines, as `diff -u` writes it.
package enum TextDifference {
    /// Lines on both sides that are compared one by one; where more differ, they are all replaced.
    package static let linesMax = 3000
    private static let context = 3

    private enum Change { case same, removed, added }

    /// - Returns: the unified text, empty where nothing differs; with the numbers of lines that only one of them has.
    package static func unified(
        _ old: String, _ new: String, names: (old: String, new: String)
    ) -> (text: String, added: Int, removed: Int) {
        let (before, after) = (lines(old), lines(new))
        let script = script(before, after)
        let added = script.count { $0.change == .added }
        let removed = script.count { $0.change == .removed }
        guard added + removed > 0 else { return ("", 0, 0) }
        var text = "--- \(names.old)\n+++ \(names.new)\n"
        var index = 0
        while let first = script[index...].firstIndex(where: { $0.change != .same }) {
            // Changes that are close enough to share their context are one hunk.
            var last = first
            var next = first
            while next < script.count, next - last <= 2 * context {
                if script[next].change != .same { last = next }
                next += 1
            }
            let range = max(index, first - context)..<min(script.count, last + context + 1)
            hunk(script, range, before, after, into: &text)
            index = range.upperBound
        }
        return (text, added, removed)
    }

    private static func lines(_ text: String) -> [Substring] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// One line of the way from old to new: its place in the text that has it.
    private struct Item {
        var change: Change
        var old: Int
        var new: Int
    }

    private static func script(_ old: [Substring], _ new: [Substring]) -> [Item] {
        var start = 0
        while start < min(old.count, new.count), old[start] == new[start] { start += 1 }
        var end = 0
        while end < min(old.count, new.count) - start, old[old.count - 1 - end] == new[new.count - 1 - end] { end += 1 }
        let (left, right) = (Array(old[start..<(old.count - end)]), Array(new[start..<(new.count - end)]))
        var gone = Set<Int>()
        var come = Set<Int>()
        if max(left.count, right.count) > linesMax {
            gone = Set(left.indices)
            come = Set(right.indices)
        } else {
            for change in right.difference(from: left) {
                switch change {
                case .remove(let offset, _, _): gone.insert(offset)
                case .insert(let offset, _, _): come.insert(offset)
                }
            }
        }
        var items = (0..<start).map { Item(change: .same, old: $0, new: $0) }
        var (i, j) = (0, 0)
        while i < left.count || j < right.count {
            let place = (old: start + i, new: start + j)
            if gone.contains(i) {
                items.append(Item(change: .removed, old: place.old, new: place.new))
                i += 1
            } else if come.contains(j) {
                items.append(Item(change: .added, old: place.old, new: place.new))
                j += 1
            } else {
                items.append(Item(change: .same, old: place.old, new: place.new))
                i += 1
                j += 1
            }
        }
        let (oldEnd, newEnd) = (old.count - end, new.count - end)
        return items + (0..<end).map { Item(change: .same, old: oldEnd + $0, new: newEnd + $0) }
    }

    private static func hunk(
        _ script: [Item], _ range: Range<Int>, _ old: [Substring], _ new: [Substring], into text: inout String
    ) {
        let items = script[range]
        let olds = items.count { $0.change != .added }
        let news = items.count { $0.change != .removed }
        let first = items.first ?? Item(change: .same, old: 0, new: 0)
        // A side without lines is named by the line before it, as `diff` does.
        text += "@@ -\(first.old + (olds > 0 ? 1 : 0)),\(olds) +\(first.new + (news > 0 ? 1 : 0)),\(news) @@\n"
        for item in items {
            switch item.change {
            case .same: text += " \(old[item.old])\n"
            case .removed: text += "-\(old[item.old])\n"
            case .added: text += "+\(new[item.new])\n"
            }
        }
    }
}
