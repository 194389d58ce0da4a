import Foundation
import Testing

@testable import ansflow

@Suite struct LogRotationTests {
    private func inDirectory(_ body: (String) throws -> Void) throws {
        let directory = NSTemporaryDirectory() + "ansflow-rotation-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory + "/part.log")
    }

    private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    /// The writer keeps its descriptor, as a part that `up` started does.
    @Test func anOpenLogIsCopiedAndCut() throws {
        try inDirectory { path in
            let writer = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            defer { close(writer) }
            #expect(FileIO.writeAll(Array("first\nsecond\n".utf8), to: writer))
            LogRotation.rotate(path, isOpen: true, limit: 13)
            #expect(text(path) == "first\nsecond\n" && text(path + ".1") == nil, "not longer than the limit")
            #expect(FileIO.writeAll(Array("third\n".utf8), to: writer))
            LogRotation.rotate(path, isOpen: true, limit: 13)
            #expect(text(path) == "" && text(path + ".1") == "first\nsecond\nthird\n")
            #expect(FileIO.writeAll(Array("fourth is a longer line\n".utf8), to: writer))
            #expect(text(path) == "fourth is a longer line\n", "it goes on at the new beginning")
            LogRotation.rotate(path, isOpen: true, limit: 13)
            #expect(text(path + ".1") == "fourth is a longer line\n", "one older file is kept")
            let mode = try FileManager.default.attributesOfItem(atPath: path + ".1")[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func aClosedLogIsPutAside() throws {
        try inDirectory { path in
            LogRotation.rotate(path, isOpen: false, limit: 3)
            try Data("long enough\n".utf8).write(to: URL(fileURLWithPath: path))
            LogRotation.rotate(path, isOpen: false, limit: 3)
            #expect(text(path) == nil && text(path + ".1") == "long enough\n")
        }
    }

    /// Whoever can place a link beside the log must not choose what is overwritten.
    @Test func linksAreNotFollowed() throws {
        try inDirectory { path in
            let other = path + ".other"
            try Data("precious\n".utf8).write(to: URL(fileURLWithPath: other))
            try FileManager.default.createSymbolicLink(atPath: path + ".1", withDestinationPath: other)
            try Data("long enough\n".utf8).write(to: URL(fileURLWithPath: path))
            LogRotation.rotate(path, isOpen: true, limit: 3)
            #expect(text(other) == "precious\n" && text(path + ".1") == "long enough\n")
        }
    }
}
