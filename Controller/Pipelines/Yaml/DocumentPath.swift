/// Where in a document something is: `jobs.build.steps[2].timeout`.
struct DocumentPath: Sendable {
    private(set) var text = ""

    func key(_ name: String) -> DocumentPath {
        // A key that would be misread in a path is quoted; a long one is cut, since paths go into every message.
        let short = name.unicodeScalars.count > 64 ? String(name.prefix(64)) + "…" : name
        let isPlain =
            !short.isEmpty
            && short.utf8.allSatisfy {
                (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45
            }
        var next = self
        if isPlain {
            next.text += text.isEmpty ? short : ".\(short)"
        } else {
            next.text += "['\(short)']"
        }
        return next
    }

    func index(_ index: Int) -> DocumentPath {
        var next = self
        next.text += "[\(index)]"
        return next
    }
}
