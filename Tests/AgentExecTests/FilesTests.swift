import AgentExec
import AnsFlowProtocol
import AnsFlowRecords
import Glibc
import TestSupport
import Testing

@Suite("Workspaces")
struct WorkspaceTests {
    @Test("cleaning follows no link out and takes read-only directories along")
    func cleaning() throws {
        let scratch = try Scratch()
        let paths = AgentPaths(root: "\(scratch.path)/data")
        let data = try DataDirectory(paths)
        let workspaces = Workspaces(paths)
        try workspaces.make(5)
        try shell(
            """
            cd '\(scratch.path)'; mkdir -p outside/deep; echo keep > outside/deep/file
            cd '\(paths.source(5))'; ln -s '\(scratch.path)/outside' link; ln -s '\(scratch.path)/outside/deep/file' f
            mkdir -p a/b/c; echo x > a/b/c/d; chmod 500 a/b/c a/b; mkdir none; chmod 000 none; mkfifo pipe
            i=0; p=.; while [ $i -lt 300 ]; do p=$p/d; i=$((i+1)); done; mkdir -p $p
            mkdir "$(printf 'odd\\377name')"; touch "$(printf 'odd\\377name/x')"
            """)
        #expect(workspaces.existing == [5])
        try workspaces.remove(5)
        #expect(workspaces.existing.isEmpty)
        #expect(scratch.exists("outside/deep/file"))
        try workspaces.remove(5)
        withExtendedLifetime(data) {}
    }
}

@Suite("Reading a spool")
struct SpoolReaderTests {
    private func spool(_ scratch: Scratch, _ parts: [[UInt8]], damage: Int? = nil) throws -> SpoolReader {
        var bytes = LogFileHeader(attempt: 3).encoded()
        var offset: UInt64 = 0
        for (index, part) in parts.enumerated() {
            var record = LogRecord.encode(offset: offset, time: 1, bytes: part)
            if index == damage { record[record.count - 1] ^= 1 }
            bytes += record
            offset += UInt64(part.count)
        }
        let path = "\(scratch.path)/spool"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(file) }
        guard write(file, bytes, bytes.count) == bytes.count else { throw TestFailure("short write") }
        return SpoolReader(attempt: 3, path: path)
    }

    private func text(_ outcome: SpoolReader.Outcome) throws -> [UInt8] {
        guard case .message(let bytes, _) = outcome, case .log(let frame) = try WireCodec.decodeAgentMessage(bytes)
        else {
            throw TestFailure("expected a message, got \(outcome)")
        }
        #expect(frame.attempt == AttemptID(3))
        return payload(frame.records)
    }

    @Test("whole records go out from any offset, and the hash is of all")
    func reading() throws {
        let scratch = try Scratch()
        let parts = (0..<40).map { [UInt8](repeating: UInt8($0), count: 5_000) }
        let reader = try spool(scratch, parts)
        let total: UInt64 = 200_000
        #expect(reader.measure() == total)
        var all: [UInt8] = []
        var from: UInt64 = 0
        while from < total {
            guard case .message(_, let end) = reader.read(from: from, upTo: total) else {
                throw TestFailure("at \(from)")
            }
            all += try text(reader.read(from: from, upTo: total))
            #expect(end - from <= 65_536)
            from = end
        }
        #expect(all == parts.flatMap { $0 })
        #expect(try text(reader.read(from: 5_000, upTo: total)).prefix(1) == [1])
        #expect(try text(reader.read(from: 7_000, upTo: total)) == [UInt8](repeating: 1, count: 3_000))
        let sum = try shell("head -c 5000 /dev/zero | sha256sum").prefix(64)
        let single = try spool(scratch, [[UInt8](repeating: 0, count: 5_000)])
        #expect(single.finish(total: 5_000) == String(sum))
        #expect(single.finish(total: 6_000) == nil)
    }

    @Test("a damaged record is told as unreadable, what follows is sent, and there is no hash")
    func damage() throws {
        let scratch = try Scratch()
        let reader = try spool(scratch, [[1, 1], [2, 2, 2], [3]], damage: 1)
        #expect(try text(reader.read(from: 0, upTo: 6)) == [1, 1])
        guard case .unreadable(3, _) = reader.read(from: 2, upTo: 6) else { throw TestFailure("expected a gap") }
        #expect(try text(reader.read(from: 5, upTo: 6)) == [3])
        #expect(reader.finish(total: 6) == nil)
    }

    @Test("a spool that is shorter than it should be, or another's, is unreadable to its end")
    func short() throws {
        let scratch = try Scratch()
        let reader = try spool(scratch, [[1, 1]])
        guard case .unreadable(10, _) = reader.read(from: 2, upTo: 12) else { throw TestFailure("expected a gap") }
        let other = SpoolReader(attempt: 4, path: "\(scratch.path)/spool")
        guard case .unreadable(2, _) = other.read(from: 0, upTo: 2) else { throw TestFailure("expected a gap") }
    }
}

@Suite("Small readers")
struct SmallReaderTests {
    @Test("outputs: the last of a name counts, and what is none is left out")
    func outputs() {
        let read = OutputFile.parse(Array("a=1\nb=x=y\n\nnonsense\n1x=2\na=3\n".utf8))
        #expect(read.values == ["a": "3", "b": "x=y"])
        #expect(read.complaint != nil)
        let large = OutputFile.parse(Array("a=\(String(repeating: "x", count: 70_000))\nb=1".utf8))
        #expect(large.values == ["b": "1"])
    }

    @Test("addresses: kinds, loopback and what is shown")
    func addresses() throws {
        #expect(
            try RepositoryAddress("https://u:p@h.example/x.git?t=1", allowLocal: false).shown
                == "https://h.example/x.git")
        #expect(try RepositoryAddress("git@h.example:x.git", allowLocal: false).protocols == "ssh")
        for bad in [
            "", "-x", "file:///x", "/x", "ext::sh -c id", "http://h/x", "https://localhost/x", "https://127.0.0.1:1/x",
            "https://[::1]/x", "--upload-pack=x", "ssh://-oProxyCommand=x/y",
        ] {
            #expect(throws: CheckoutFailure.self, "\(bad)") { try RepositoryAddress(bad, allowLocal: false) }
        }
        #expect(try RepositoryAddress("/x", allowLocal: true).protocols == "file")
    }
}
