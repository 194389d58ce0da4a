/// The word that is there most often, and how often; of several the first in the alphabet.
public func mostFrequentWord(in text: String) -> (word: String, count: Int)? {
    var counts: [String: Int] = [:]
    for word in text.split(whereSeparator: \.isWhitespace) { counts[String(word), default: 0] += 1 }
    return counts.min { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
}
