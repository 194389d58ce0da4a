import AnsFlowProtocol
import ControllerCore

// Ids as plain numbers, so that a test reads like the story it tells.
extension Identifier {
    init(integerLiteral value: Int64) { self.init(rawValue: value) }
}

extension AttemptID: ExpressibleByIntegerLiteral {}
extension AgentID: ExpressibleByIntegerLiteral {}
extension RunID: ExpressibleByIntegerLiteral {}
extension JobID: ExpressibleByIntegerLiteral {}
extension StepID: ExpressibleByIntegerLiteral {}
extension JobAttemptID: ExpressibleByIntegerLiteral {}
extension ProjectID: ExpressibleByIntegerLiteral {}
extension PipelineID: ExpressibleByIntegerLiteral {}
extension SessionID: ExpressibleByIntegerLiteral {}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Chance {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func percent(_ chance: Int) -> Bool { below(100) < chance }
    mutating func pick<Element>(_ from: [Element]) -> Element { from[below(from.count)] }
}
