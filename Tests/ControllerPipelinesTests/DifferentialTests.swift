import ControllerCore
import Testing

@testable import ControllerPipelines

/// A value as the interpreter of the test has it.
private enum Plain: Equatable {
    case nothing, flag(Bool), number(Double), text([Unicode.Scalar])

    init(_ value: ExpressionValue?) {
        switch value {
        case nil, .null: self = .nothing
        case .boolean(let flag): self = .flag(flag)
        case .number(let number): self = .number(number)
        case .text(let text): self = .text(Array(text.unicodeScalars))
        }
    }
}

/// Evaluates what was written, straight from the reference's words: no shared code with the engine's evaluator.
private struct Interpreter {
    var context: ExpressionContext

    func value(_ syntax: ExpressionSyntax) -> Plain {
        switch syntax {
        case .literal(let value, _): return Plain(value)
        case .not(let inner, _): return .flag(value(inner) != .flag(true))
        case .all(let terms, _):
            var result = true
            for term in terms { result = value(term) == .flag(true) && result }
            return .flag(result)
        case .any(let terms, _):
            var result = false
            for term in terms { result = value(term) == .flag(true) || result }
            return .flag(result)
        case .compare(let word, let left, let right, _):
            return .flag(compare(word, value(left), value(right)))
        case .call(let name, let arguments, _): return .flag(call(name, arguments.map(value)))
        case .name(let root, let keys, _): return name(root, keys)
        }
    }

    private func compare(_ word: Expression.Comparison, _ a: Plain, _ b: Plain) -> Bool {
        if word == .equal { return a == b }
        if word == .notEqual { return a != b }
        var less = false
        switch (a, b) {
        case (.number(let x), .number(let y)): less = x < y
        case (.text(let x), .text(let y)): less = x.lexicographicallyPrecedes(y)
        default: return false
        }
        switch word {
        case .less: return less
        case .lessOrEqual: return less || a == b
        case .greater: return !less && a != b
        default: return !less
        }
    }

    private func call(_ name: String, _ arguments: [Plain]) -> Bool {
        switch name {
        case "success": return context.success
        case "failure": return context.failure
        case "always": return true
        default: break
        }
        var texts: [[Unicode.Scalar]] = []
        for argument in arguments {
            guard case .text(let text) = argument else { return false }
            texts.append(text)
        }
        switch name {
        case "starts_with": return texts[0].starts(with: texts[1])
        case "ends_with": return texts[0].reversed().starts(with: texts[1].reversed())
        case "contains":
            return (0...texts[0].count).contains { texts[0].dropFirst($0).starts(with: texts[1]) }
        case "matches": return glob(texts[0][...], texts[1][...])
        case "changed":
            return context.facts.changedPaths?.contains { path in
                var isIn = texts[0].first == "!"
                for text in texts {
                    let out = text.first == "!"
                    if glob(Array(path.unicodeScalars)[...], text[(out ? 1 : 0)...]) { isIn = !out }
                }
                return isIn
            } ?? true
        default: return false
        }
    }

    /// By trying everything; the patterns of this test are short.
    private func glob(_ text: ArraySlice<Unicode.Scalar>, _ pattern: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == "*" {
            let isDeep = pattern.dropFirst().first == "*"
            let rest = pattern.dropFirst(isDeep ? 2 : 1)
            for count in 0...text.count {
                let eaten = text.prefix(count)
                if !isDeep, eaten.contains("/") { return false }
                if glob(text.dropFirst(count), rest) { return true }
            }
            return false
        }
        guard let character = text.first else { return false }
        if first == "?" ? character != "/" : first == character {
            return glob(text.dropFirst(), pattern.dropFirst())
        }
        return false
    }

    private func name(_ root: String, _ keys: [ExpressionSyntax.Key]) -> Plain {
        var path: [String] = []
        for key in keys {
            switch key {
            case .name(let name, _): path.append(name)
            case .computed(let syntax):
                guard case .text(let text) = value(syntax) else { return .nothing }
                path.append(String(String.UnicodeScalarView(text)))
            }
        }
        switch root {
        case "event": return Plain(.text(context.facts.event))
        case "branch": return Plain(context.facts.branch.map { .text($0) })
        case "tag": return Plain(context.facts.tag.map { .text($0) })
        case "inputs": return Plain(context.inputs[path[0]])
        case "matrix": return Plain(context.matrix[path[0]])
        case "env": return Plain(context.environment[path[0]].map { .text($0) })
        case "needs":
            return path[1] == "result"
                ? Plain(context.needs[path[0]].map { .text($0) })
                : Plain(context.needsOutputs[path[0]]?[path[2]].map { .text($0) })
        default: return .nothing
        }
    }
}

/// Grows expressions of a type, so that most of them pass the checker.
private struct Grower {
    var random: Seeded

    mutating func pick(_ list: [String]) -> String { list[Int.random(in: 0..<list.count, using: &random)] }

    mutating func text(_ depth: Int) -> String {
        pick([
            "branch", "tag", "'main'", "'release/1'", "''", "'a*'", "'**'", "'é/ß'", "env.A", "env.NONE",
            "inputs.level",
            "inputs['who']", "matrix.arch", "needs.a.outputs.v", "inputs[inputs.which]", "\"it's\"", "'it''s'",
        ])
    }

    mutating func number() -> String { pick(["1", "-2", "0.5", "inputs.n", "inputs.m", "10", "9"]) }

    mutating func boolean(_ depth: Int) -> String {
        guard depth > 0 else {
            return pick(["true", "false", "inputs.dry", "matrix.fast", "success()", "failure()", "always()"])
        }
        let order = pick(["==", "!=", "<", "<=", ">", ">="])
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return "(\(boolean(depth - 1)) && \(boolean(depth - 1)))"
        case 1: return "(\(boolean(depth - 1)) || \(boolean(depth - 1)) && \(boolean(depth - 1)))"
        case 2: return "!(\(boolean(depth - 1)))"
        case 3: return "\(text(depth)) \(order) \(text(depth))"
        case 4: return "\(number()) \(order) \(number())"
        case 5: return "\(pick(["contains", "starts_with", "ends_with", "matches"]))(\(text(0)), \(text(0)))"
        case 6: return "changed('src/*', '!**.md')"
        case 7: return "\(text(0)) \(pick(["==", "!="])) null"
        case 8: return "needs.a.result \(pick(["==", "!="])) 'success'"
        default: return boolean(0)
        }
    }
}

@Suite("The evaluator against an independent one")
struct DifferentialTests {
    private static let scope = ExpressionScope(
        place: .condition,
        inputs: [
            "level": .oneOf(["main", "a*"]), "who": .text, "which": .text, "n": .number, "m": .number, "dry": .boolean,
        ], matrix: ["arch": .text, "fast": .boolean], needs: ["a"])

    private static let contexts: [ExpressionContext] = [
        ExpressionContext(),
        ExpressionContext(
            facts: RunFacts(event: "push", branch: "main", changedPaths: ["src/a.md", "docs/x"]),
            inputs: ["level": "main", "n": .number(1), "dry": true, "which": "who", "who": "release/1"],
            matrix: ["arch": "a*", "fast": false], environment: ["A": "main"], needs: ["a": "success"],
            needsOutputs: ["a": ["v": "é/ß"]]),
        ExpressionContext(
            facts: RunFacts(event: "tag", branch: "release/1", tag: "it's", changedPaths: ["src/b"]),
            inputs: ["level": "a*", "n": .number(-2), "m": .number(9), "dry": false, "which": "none"],
            matrix: ["arch": "", "fast": true], environment: ["A": ""], needs: ["a": "failed"], success: false,
            failure: true),
    ]

    @Test("both give the same", arguments: 0..<4)
    func agree(lane: Int) throws {
        var grower = Grower(random: Seeded(state: UInt64(lane) &+ 99))
        var checked = 0
        for _ in 0..<400 {
            let text = grower.boolean(4)
            guard let syntax = try? ExpressionParser.parse(text) else { continue }
            var checker = ExpressionChecker(scope: Self.scope)
            guard let expression = checker.checkCondition(syntax) else { continue }
            checked += 1
            for context in Self.contexts {
                let wanted = Interpreter(context: context).value(syntax)
                #expect(Plain(expression.evaluate(in: context)) == wanted, "\(text)")
            }
        }
        #expect(checked > 200)
    }
}
