import AnsFlowProtocol
import ControllerCore
import Foundation
import Testing

/// The reference states every limit with the number that is enforced.
@Suite("The limits in the reference for users")
struct LimitsPageTests {
    /// A row of the table and what stands in it.
    private static let rows: [(String, [String])] = [
        ("file", [bytes(PlanLimits.sourceBytesMax), count(PlanLimits.yamlDepthMax), count(PlanLimits.yamlNodesMax)]),
        ("included files", [count(PlanLimits.includesMax), "\(PlanLimits.includeDepthMax) levels"]),
        ("names and ids", [count(PlanLimits.nameBytesMax), count(PlanLimits.idBytesMax)]),
        ("steps of a run, all cells counted", [count(PlanLimits.stepsMax)]),
        (
            "cells of a matrix",
            [
                count(PlanLimits.matrixCellsMax), "\(PlanLimits.matrixAxesMax) axes",
                count(PlanLimits.matrixCombinationsMax), "\(PlanLimits.matrixValueBytesMax) bytes",
            ]
        ),
        ("`needs` of a job or step", [count(PlanLimits.needsMax), count(PlanLimits.jobEdgesMax)]),
        ("one command", [bytes(PlanLimits.commandBytesMax)]),
        (
            "commands, variables and inputs of one step",
            [bytes(PlanLimits.stepSpecBytesMax - PlanLimits.stepSpecReserveBytes)]
        ),
        ("all texts of a run", [bytes(PlanLimits.planBytesMax)]),
        (
            "inputs",
            [count(PlanLimits.inputsMax), bytes(PlanLimits.inputBytesMax), "\(PlanLimits.inputOptionsMax) options"]
        ),
        ("entries in one `env`", [count(PlanLimits.environmentMax)]),
        ("secrets of a step or job", [count(PlanLimits.secretsMax), bytes(PlanLimits.secretBytesMax)]),
        ("labels", [count(PlanLimits.labelsMax), "\(PlanLimits.labelBytesMax) bytes"]),
        ("`parallel`", [count(PlanLimits.parallelMax)]),
        ("`checkout.depth`", [count(PlanLimits.checkoutDepthMax)]),
        ("`timeout`", ["\(PlanLimits.timeoutMsMin / 1_000) s", hours(PlanLimits.timeoutMsMax)]),
        (
            "waits",
            [
                "\(EngineLimits.queuedMsMax / 3_600_000) h for an agent",
                "\(EngineLimits.groupMsMax / 3_600_000) h for a group", days(PlanLimits.approvalMsMax),
            ]
        ),
        ("`limits.log`", [bytes(Int(PlanLimits.logBytesMin)), bytes(Int(PlanLimits.logBytesMax))]),
        (
            "`retry`",
            [
                "\(PlanLimits.retriesMax) repetitions", hours(PlanLimits.backoffMsMax),
                "\(PlanLimits.exitCodesMax) exit codes",
            ]
        ),
        ("`concurrency.limit`", [count(PlanLimits.concurrencyLimitMax)]),
        ("`priority`", [count(PlanLimits.priorityMax)]),
        (
            "filters",
            [count(PlanLimits.filtersMax), "\(PlanLimits.patternsMax) patterns", "\(PlanLimits.globBytesMax) bytes"]
        ),
        (
            "artifacts of a job",
            [
                "\(PlanLimits.artifactRulesMax) entries", "\(PlanLimits.artifactPathsMax) patterns",
                "\(count(ArtifactLimits.filesMax)) files", bytes(Int(ArtifactLimits.fileBytesMax)),
                "\(count(ArtifactLimits.pathBytesMax)) bytes", days(PlanLimits.artifactKeepMsMax),
            ]
        ),
        (
            "test reports of a job",
            ["\(ArtifactLimits.reportsMax) files", bytes(Int(ArtifactLimits.reportBytesMax))]
        ),
        ("outputs of a step, and a text that is filled in late", [bytes(PlanLimits.outputBytesMax)]),
        ("payload of a webhook", [bytes(PlanLimits.payloadBytesMax), "\(PlanLimits.payloadDepthMax) levels"]),
        ("changed files that filters look at", [count(PlanLimits.changedPathsMax)]),
        (
            "an expression",
            [
                bytes(PlanLimits.expressionBytesMax), "\(PlanLimits.expressionNodesMax) parts",
                "\(PlanLimits.expressionDepthMax) brackets",
            ]
        ),
        ("findings that are shown", [count(PlanLimits.diagnosticsMax)]),
    ]

    private static func count(_ number: Int) -> String {
        number < 1_000 ? "\(number)" : count(number / 1_000) + "," + String(String(number % 1_000 + 1_000).dropFirst())
    }

    private static func bytes(_ number: Int) -> String {
        for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where number % size == 0 {
            return "\(number / size) \(unit)"
        }
        return "\(number) bytes"
    }

    private static func hours(_ ms: UInt64) -> String { "\(ms / 3_600_000) h" }
    private static func days(_ ms: UInt64) -> String { "\(count(Int(ms / 86_400_000))) d" }

    @Test func everyLimitIsStated() throws {
        let page = Corpus.tests.deletingLastPathComponent().appending(path: "docs/pipeline-language.md")
        let lines = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n")
        let table = lines.drop { $0 != "## Limits" }
        for (name, values) in Self.rows {
            let row = try #require(table.first { $0.hasPrefix("| \(name) |") }, "there is no row for \(name)")
            for value in values { #expect(row.contains(value), "\(row) does not say \(value)") }
        }
    }
}
