import Testing

@testable import Words

@Test func theMostFrequentWins() {
    #expect(mostFrequentWord(in: "a b b c")! == ("b", 2))
}

@Test func ofSeveralTheFirst() {
    #expect(mostFrequentWord(in: "b a")! == ("a", 1))
}

@Test func nothingHasNone() {
    #expect(mostFrequentWord(in: " \n") == nil)
}
