package import AnsFlowProtocol
import CAgentSystem
import Glibc

/// What the agent asks its host.
package enum HostFacts {
    /// The kernel's random id of this boot.
    package static func bootID() throws(FileFailure) -> String {
        var text = [CChar](repeating: 0, count: 37)
        let failed = text.withUnsafeMutableBufferPointer { ansflow_boot_id($0.baseAddress) }
        guard failed == 0 else { throw FileFailure("Can't read", "/proc/sys/kernel/random/boot_id", -failed) }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Milliseconds since boot, sleep included; does not go back.
    package static var nowMs: UInt64 { ansflow_boottime_ms() }

    /// Milliseconds since 1970, for people.
    package static var wallMs: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Bytes that a user may still write where `path` lies; 0 where it can't be known.
    package static func freeBytes(at path: String) -> UInt64 {
        var info = statvfs()
        guard statvfs(path, &info) == 0 else { return 0 }
        return UInt64(info.f_bavail) * UInt64(info.f_frsize)
    }

    package static func heartbeat(dataDirectory: String) -> AgentHeartbeat {
        var loads = [0.0, 0.0, 0.0]
        let count = getloadavg(&loads, 3)
        return AgentHeartbeat(
            nowMs: wallMs, load: count > 0 ? loads[0] : 0, diskFreeBytes: freeBytes(at: dataDirectory))
    }

    /// `amd64`, `arm64` or what the kernel calls it.
    package static var architecture: String {
        var info = utsname()
        uname(&info)
        let machine = withUnsafeBytes(of: &info.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return ["x86_64": "amd64", "aarch64": "arm64"][machine] ?? machine
    }

    /// Hexadecimal digits of `bytes` random bytes.
    package static func randomName(bytes: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<bytes).map { _ in
            let byte = UInt8.random(in: .min ... .max, using: &generator)
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    /// The path of this process's own program.
    package static func ownProgram() -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
