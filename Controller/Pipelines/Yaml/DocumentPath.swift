/// Where in a document something is: `jobs.build.steps[2].timeout`. The text is only made when it is shown.
package struct DocumentPath: Sendable, Equatable {
    enum Part: Sendable {
        case top
        case key(String)
        case index(Int)
    }

    /// What all children of a list or a map have in common, so that a child's path needs no memory of its own.
    final class Inside: Sendable {
        fileprivate let path: DocumentPath

        fileprivate init(_ path: DocumentPath) { self.path = path }

        func key(_ name: String) -> DocumentPath { DocumentPath(self, .key(name)) }

        func index(_ index: Int) -> DocumentPath { DocumentPath(self, .index(index)) }
    }

    private let parent: Inside?
    private let part: Part

    init() {
        parent = nil
        part = .top
    }

    /// - Parameter parts: from the top.
    init(_ parts: [Part]) {
        self.init()
        for part in parts { self = DocumentPath(inside, part) }
    }

    fileprivate init(_ parent: Inside, _ part: Part) {
        self.parent = parent
        self.part = part
    }

    /// For the paths of what is in the list or the map here.
    var inside: Inside { Inside(self) }

    package static func == (left: DocumentPath, right: DocumentPath) -> Bool { left.text == right.text }

    package var text: String {
        var parts: [Part] = []
        var path = self
        while let parent = path.parent {
            parts.append(path.part)
            path = parent.path
        }
        return parts.reversed().reduce(into: "") { text, part in
            switch part {
            case .top: break
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
