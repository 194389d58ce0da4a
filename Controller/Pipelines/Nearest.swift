/// The known word that is nearest to a mistyped one.
enum Nearest {
    /// `Did you mean …?`, where one is near enough.
    static func hint(_ word: String, among known: [String]) -> String? {
        find(word, among: known).map { "Did you mean `\($0)`?" }
    }

    /// Of equally near words the first. At most 300 words are looked at, so that a hostile file can't make this slow.
    static func find(_ word: String, among known: [String]) -> String? {
        guard !word.isEmpty, word.utf8.count <= 64 else { return nil }
        let mine = fold(word)
        var best: (word: String, distance: Int)?
        for candidate in known.prefix(300) where candidate.utf8.count <= 64 {
            let other = fold(candidate)
            let limit = max(1, min(mine.count, other.count) / 3)
            let allowed = min(limit, (best?.distance ?? 4) - 1)
            guard abs(mine.count - other.count) <= allowed, let distance = distance(mine, other, atMost: allowed)
            else { continue }
            best = (candidate, distance)
        }
        return best?.word
    }

    private static func fold(_ word: String) -> [UInt8] {
        word.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    }

    /// Insertions, deletions, changes and swaps of neighbours (the optimal string alignment distance).
    static func distance(_ a: [UInt8], _ b: [UInt8], atMost limit: Int) -> Int? {
        var before: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            for j in b.indices {
                var value = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { value = min(value, before[j - 1] + 1) }
                row.append(value)
            }
            if row.min() ?? 0 > limit { return nil }
            before = last
            last = row
        }
        return last[b.count] <= limit ? last[b.count] : nil
    }
}
