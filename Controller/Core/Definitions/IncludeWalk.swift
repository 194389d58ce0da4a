/// Which files a definition includes, found out file by file: pure, so that texts may come from a commit, a disk or a test.
///
/// A path counts from the root of the repository, whatever file names it. A file that is reached twice is read and merged
/// once; one that includes itself, directly or through others, is refused.
///
///     var walk = IncludeWalk(file: ".ansflow.yml", includes: names)
///     while let path = walk.wanted { try walk.add(text(of: path), includes: names(in: text)) }
package struct IncludeWalk: Equatable, Sendable {
    /// Why an `include` is refused.
    package struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
        /// The file that names the include.
        package let file: String
        /// As it was written there; empty where it is not about one of them.
        package let include: String
        /// A full sentence.
        package let description: String

        package init(file: String, include: String, description: String) {
            self.file = file
            self.include = include
            self.description = description
        }
    }

    package static let depthMax = 4
    package static let filesMax = 20
    /// Of all included files together.
    package static let bytesMax = 2 * 1024 * 1024
    package static let pathBytesMax = 1024

    /// Texts by path, without the root's.
    package private(set) var texts: [String: String] = [:]
    /// Paths in the order of reading: what a file includes comes behind it.
    package private(set) var order: [String] = []
    private var bytes = 0
    private var waiting: [Entry]
    /// By path: the paths that it includes.
    private var edges: [String: [String]] = [:]
    private let root: String

    private struct Entry: Equatable, Sendable {
        var path: String
        /// From the root to the file that names it.
        var chain: [String]
    }

    /// - Parameters:
    ///   - file: the root's own path.
    ///   - includes: what the root includes, as written.
    package init(file: String, includes: [String]) throws(Refusal) {
        root = (try? Self.normalise(file, in: file)) ?? file
        waiting = []
        try enqueue(includes, of: root, chain: [root])
    }

    /// The next file to read; `nil` when all are known.
    package var wanted: String? { waiting.first?.path }
    /// The file that names ``wanted``.
    package var wantedBy: String? { waiting.first?.chain.last }

    /// Takes the text of ``wanted``, and what that includes.
    package mutating func add(_ text: String, includes: [String]) throws(Refusal) {
        guard !waiting.isEmpty else { return }
        let entry = waiting.removeFirst()
        bytes += text.utf8.count
        guard bytes <= Self.bytesMax else {
            throw Refusal(
                file: entry.chain.last ?? root, include: entry.path,
                description: "The included files have more than \(Self.bytesMax / 1024 / 1024) MiB together.")
        }
        texts[entry.path] = text
        order.append(entry.path)
        try enqueue(includes, of: entry.path, chain: entry.chain + [entry.path])
    }

    private mutating func enqueue(_ includes: [String], of file: String, chain: [String]) throws(Refusal) {
        for include in includes {
            let path = try Self.normalise(include, in: file)
            edges[file, default: []].append(path)
            if let cycle = cycle(from: path, to: file) {
                throw Refusal(
                    file: file, include: include,
                    description: "The files include each other in a circle: \(cycle.joined(separator: " → ")).")
            }
            if texts[path] != nil || waiting.contains(where: { $0.path == path }) { continue }
            guard chain.count <= Self.depthMax else {
                throw Refusal(
                    file: file, include: include,
                    description: "Files are included over more than \(Self.depthMax) levels: "
                        + (chain + [path]).joined(separator: " → ") + ".")
            }
            guard texts.count + waiting.count < Self.filesMax else {
                throw Refusal(
                    file: file, include: include,
                    description: "More than \(Self.filesMax) files are included; put some of them together.")
            }
            waiting.append(Entry(path: path, chain: chain))
        }
    }

    /// The way from a file to another along includes, closed to a circle; `nil` where there is none.
    private func cycle(from: String, to: String) -> [String]? {
        var stack = [[from]]
        var seen: Set<String> = []
        while let way = stack.popLast(), let last = way.last {
            if last == to { return [to] + way }
            guard seen.insert(last).inserted else { continue }
            for next in edges[last] ?? [] { stack.append(way + [next]) }
        }
        return nil
    }

    /// A path of the repository, without `.` and doubled slashes.
    ///
    /// - Throws: ``Refusal`` for one that leads out of the repository or that no file of it can have.
    package static func normalise(_ path: String, in file: String) throws(Refusal) -> String {
        func refuse(_ why: String) -> Refusal { Refusal(file: file, include: path, description: why) }
        guard !path.isEmpty, path.utf8.count <= pathBytesMax else {
            throw refuse("A path to include has 1 to \(pathBytesMax) bytes.")
        }
        if path.contains("://") || path.hasPrefix("git@") {
            throw refuse("`\(path)` is not a file of this repository; only those can be included.")
        }
        guard !path.hasPrefix("/"), !path.hasPrefix("~") else {
            throw refuse(
                "`\(path)` is absolute; write the path from the root of the repository, without a slash in front.")
        }
        guard path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }) else {
            throw refuse("The path to include holds a control character or a backslash.")
        }
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            guard part != ".." else {
                throw refuse("`\(path)` has `..`; write the path from the root of the repository.")
            }
            guard part.lowercased() != ".git" else { throw refuse("`\(path)` leads into `.git`.") }
            parts.append(part)
        }
        guard !parts.isEmpty, !path.hasSuffix("/") else { throw refuse("`\(path)` is a folder, not a file.") }
        return parts.joined(separator: "/")
    }
}
