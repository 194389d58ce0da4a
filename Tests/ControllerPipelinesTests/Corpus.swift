import Foundation

/// Pipelines that are kept in files: those of `Tests/Fixtures`, and the examples of the reference.
enum Corpus {
    static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// Files of `Tests/Fixtures/pipelines`, by the folder's name.
    static func pipelines() throws -> [String: String] {
        let folder = tests.appending(path: "Fixtures/pipelines")
        var files: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            let file = folder.appending(path: name).appending(path: ".ansflow.yml")
            guard FileManager.default.fileExists(atPath: file.path) else { continue }
            files[name] = try String(contentsOf: file, encoding: .utf8)
        }
        return files
    }

    /// Files of `Tests/Fixtures/hostile`: what mutations begin with.
    static func hostile() throws -> [String] {
        let folder = tests.appending(path: "Fixtures/hostile")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
            String(decoding: try Data(contentsOf: folder.appending(path: $0)), as: UTF8.self)
        }
    }

    static func all() throws -> [String] {
        try Array(pipelines().values) + hostile() + ReferenceTests.examples().map(\.source)
            + allFixtures.map(\.source)
    }
}
