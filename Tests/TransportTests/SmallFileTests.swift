import AnsFlowTransport
import Glibc
import Testing

struct SmallFileTests {
    private static func inDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/ansflow-smallfile-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!).map { String(cString: $0) } }
        let directory = try #require(made)
        defer {
            unlink(directory + "/f")
            rmdir(directory)
        }
        try body(directory)
    }

    @Test func replacesWholeWithItsMode() throws {
        try Self.inDirectory { directory in
            let path = directory + "/f"
            #expect(try SmallFile.read(path) == nil)
            try SmallFile.write(path, [1, 2, 3], mode: 0o600)
            try SmallFile.write(path, [4], mode: 0o600)
            #expect(try SmallFile.read(path) == [4])
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            #expect(access(path + ".new", F_OK) != 0)
        }
    }

    @Test func readsAtMostTheLimit() throws {
        try Self.inDirectory { directory in
            let path = directory + "/f"
            try SmallFile.write(path, [UInt8](repeating: 1, count: 10), mode: 0o600)
            #expect(try SmallFile.read(path, max: 10)?.count == 10)
            #expect(throws: SmallFile.Failure.self) { try SmallFile.read(path, max: 9) }
        }
    }

    @Test func saysWhatIsWrong() {
        #expect(throws: SmallFile.Failure.self) { try SmallFile.write("/nowhere/f", [1], mode: 0o600) }
        #expect(throws: SmallFile.Failure.self) { try SmallFile.read("/tmp") }
    }
}
