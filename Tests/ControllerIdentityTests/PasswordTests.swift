import ControllerCore
import Testing

@testable import ControllerIdentity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite struct PasswordTests {
    @Test func storedFormReadsBack() throws {
        let cost = PasswordCost(rounds: 16, blockSize: 2, parallelism: 1)
        let hash = try PasswordHash("secret", salt: Array(0..<16), cost: cost)
        let read = try #require(PasswordHash(stored: hash.stored))
        #expect(read == hash)
        #expect(try read.matches("secret"))
        #expect(try !read.matches("Secret"))
    }

    /// RFC 7914, section 12, second vector, cut to our length.
    @Test func agreesWithTheStandard() throws {
        let hash = try PasswordHash(
            "password", salt: Array("NaCl".utf8), cost: PasswordCost(rounds: 1024, blockSize: 8, parallelism: 16))
        #expect(Secrets.hex(hash.hash) == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162")
    }

    @Test(arguments: ["", "scrypt$3$1$1$00$00", "scrypt$1048576$32$1$00$" + String(repeating: "0", count: 64), "x$y"])
    func damagedFormsAreRefused(stored: String) { #expect(PasswordHash(stored: stored) == nil) }

    @Test func tooManyHashesAreRefused() async throws {
        var configuration = IdentityConfiguration()
        configuration.password = PasswordCost(rounds: 4096, blockSize: 8, parallelism: 1)
        configuration.hashesAtOnce = 1
        configuration.hashQueueMax = 2
        let hasher = PasswordHasher(configuration)
        let busy = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do {
                        _ = try await hasher.check("x", stored: nil)
                        return false
                    } catch { return error is PasswordHasher.Busy }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(busy >= 10 && busy <= 17)
        #expect(try await hasher.check("x", stored: nil).matches == false)
    }

    @Test func theSigningKeyIsMadeOnceAndPrivate() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ansflow-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "key").path
        let key = try SigningKey.load(path)
        #expect(key.count == 32)
        #expect(try SigningKey.load(path) == key)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: SigningKey.Failure.self) { _ = try SigningKey.load(path) }
    }

    @Test func theFirstAdministratorGetsARandomPassword() async throws {
        let identities = MemoryIdentities()
        var configuration = IdentityConfiguration()
        configuration.password = PasswordCost(rounds: 16, blockSize: 1, parallelism: 1)
        let hasher = PasswordHasher(configuration)
        let made = try await Bootstrap.firstAdministrator(
            identities, passwordFromEnvironment: nil, hasher: hasher, now: 0)
        let password = try #require(made)
        #expect(password.count == 27)
        let stored = try #require(try await identities.user(named: "admin")?.passwordHash)
        #expect(try await hasher.check(password, stored: stored).matches)
        let again = try await Bootstrap.firstAdministrator(
            identities, passwordFromEnvironment: nil, hasher: hasher, now: 0)
        #expect(again == nil)
    }

    @Test(arguments: [[UInt8](), [0], [255, 254], [1, 2, 3], Array(0...255)])
    func base64ReadsBack(bytes: [UInt8]) {
        #expect(Secrets.bytes(base64URL: Secrets.base64URL(bytes).utf8) == bytes)
    }
}
