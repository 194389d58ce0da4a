/// Where in a document something is: `jobs.build.steps[2].timeout`. A chain of parts; the text is only made when it is shown.
package struct DocumentPath: Sendable, Equatable {
    private enum Part: Sendable {
        case key(String)
        case index(Int)
    }

    private final class Link: Sendable {
        let parent: Link?
        let part: Part

        init(_ parent: Link?, _ part: Part) {
            self.parent = parent
            self.part = part
        }
    }

    private let last: Link?

    init() { last = nil }

    private init(_ last: Link) { self.last = last }

    func key(_ name: String) -> DocumentPath { DocumentPath(Link(last, .key(name))) }

    func index(_ index: Int) -> DocumentPath { DocumentPath(Link(last, .index(index))) }

    package static func == (left: DocumentPath, right: DocumentPath) -> Bool {
        left.last === right.last || left.text == right.text
    }

    package var text: String {
        var parts: [Part] = []
        var link = last
        while let part = link {
            parts.append(part.part)
            link = part.parent
        }
        return parts.reversed().reduce(into: "") { text, part in
            switch part {
            case .index(let index): text += "[\(index)]"
            case .key(let name): text += Self.shown(name, isFirst: text.isEmpty)
            }
        }
    }

    /// A key that would be misread in a path is quoted; a long one is cut, since paths go into every message.
    private static func shown(_ name: String, isFirst: Bool) -> String {
        let short = name.unicodeScalars.count > 64 ? String(name.prefix(64)) + "…" : name
        let isPlain =
            !short.isEmpty
            && short.utf8.allSatisfy {
                (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45
            }
        return isPlain ? isFirst ? short : ".\(short)" : "['\(short)']"
    }
}
