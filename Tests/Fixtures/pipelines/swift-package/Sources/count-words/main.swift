import Words

var text = ""
while let line = readLine() { text += line + "\n" }
if let (word, count) = mostFrequentWord(in: text) { print(word, count) }
