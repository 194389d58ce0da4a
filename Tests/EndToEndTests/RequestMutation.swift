import Glibc

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct FuzzRandom {
    static let seed: UInt64 =
        getenv("ANSFLOW_SEED").flatMap { UInt64(String(cString: $0)) } ?? UInt64.random(in: 0..<1_000_000)

    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
}

/// A valid request with nothing or something wrong with it.
struct RequestMutation {
    var bytes: [UInt8]
    /// Whether it ends before it should: then no more is sent.
    var isCut: Bool

    private static let valid: [(method: String, target: String, body: String?)] = [
        ("GET", "/api/v1/pipelines?page=1&per_page=20", nil), ("GET", "/api/v1/pipelines/1", nil),
        ("GET", "/api/v1/pipelines/1/versions/1/diff/1", nil), ("GET", "/api/v1/pipeline-runs?status=failed&q=x", nil),
        ("GET", "/api/v1/pipeline-runs/1/events?after=0&limit=10", nil), ("GET", "/api/v1/agents", nil),
        ("GET", "/api/v1/pipeline-runs/1/steps/a/step-1/log?format=json&tail=5", nil), ("GET", "/metrics", nil),
        ("GET", "/api/v1/status", nil), ("GET", "/health/ready", nil), ("HEAD", "/api/v1/pipelines", nil),
        ("POST", "/api/v1/pipelines", #"{"name":"n","definition":"jobs:\n  a:\n    steps:\n      - run: x\n"}"#),
        ("POST", "/api/v1/pipelines/validate", #"{"definition":"jobs:\n  a:\n    steps:\n      - run: x\n"}"#),
        ("POST", "/api/v1/pipelines/1/runs", #"{"branch":"main","inputs":{"a":1},"priority":5}"#),
        ("PATCH", "/api/v1/pipelines/1", #"{"enabled":true}"#),
        ("POST", "/api/v1/pipeline-runs/1/cancel", #"{"reason":"x","force":false}"#),
        ("POST", "/api/v1/pipeline-runs/1/rerun", #"{"mode":"all"}"#),
        ("POST", "/api/v1/agents/enrolment-tokens", "{}"), ("POST", "/api/v1/ws-tickets", "{}"),
        ("PUT", "/api/v1/projects/1/secrets/A", #"{"value":"open sesame"}"#),
        ("POST", "/api/v1/auth/refresh", #"{"refresh_token":"x"}"#),
    ]

    private static let strange: [[UInt8]] = [
        [0], [0xFF, 0xFE], Array("%00".utf8), Array("%2e%2e/".utf8), Array("\r\n".utf8), Array("'\"<>".utf8),
        Array("\u{202E}".utf8), Array("9223372036854775808".utf8), Array("-1".utf8), Array("1e309".utf8),
        Array("null".utf8), [UInt8](repeating: 0x5B, count: 100), Array(#"{"a":"#.utf8), Array("\\ud800".utf8),
        Array("jobs: &a [*a, *a]".utf8), [UInt8](repeating: 0x41, count: 5000), Array(";".utf8), Array("//".utf8),
    ]

    /// `bytes` with up to three changes, or none.
    static func bytes(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<random.below(4) where !bytes.isEmpty {
            let place = random.below(bytes.count)
            switch random.below(6) {
            case 0: bytes[place] ^= UInt8(1 << random.below(8))
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(contentsOf: strange[random.below(strange.count)], at: place)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(12)))
            case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 1 + random.below(30))], at: place)
            default: bytes[place] = UInt8(random.below(256))
            }
        }
        return bytes
    }

    static func make(token: String, _ random: inout FuzzRandom) -> RequestMutation {
        let base = valid[random.below(valid.count)]
        let isBodyChanged = random.below(2) == 0
        let isTargetChanged = random.below(3) == 0
        let target = isTargetChanged ? bytes(Array(base.target.utf8), &random) : Array(base.target.utf8)
        let body = base.body.map { isBodyChanged ? bytes(Array($0.utf8), &random) : Array($0.utf8) }
        var head = Array("\(base.method) ".utf8) + target
        head += Array(" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(token)\r\n".utf8)
        switch random.below(12) {
        case 0: head += Array("Idempotency-Key: k\(random.below(50))\r\n".utf8)
        case 1: head += Array("If-Match: \"\(random.below(5))\"\r\n".utf8)
        case 2: head += Array("Range: bytes=\(random.below(9))-\(random.below(9))\r\n".utf8)
        case 3: head += Array("X-Request-ID: ".utf8) + strange[random.below(strange.count)] + [13, 10]
        case 4: head += Array("If-None-Match: *\r\n".utf8)
        default: break
        }
        if let body {
            head += Array("Content-Type: application/json\r\nContent-Length: \(body.count)\r\n".utf8)
        }
        var all = head + [13, 10] + (body ?? [])
        // Now and then the whole of it is changed, so that lengths and heads are wrong too; then it may not be complete.
        guard random.below(10) == 0 else { return RequestMutation(bytes: all, isCut: false) }
        all = bytes(all, &random)
        return RequestMutation(bytes: all, isCut: true)
    }
}
