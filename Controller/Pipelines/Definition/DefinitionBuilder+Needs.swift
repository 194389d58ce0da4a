import ControllerCore

/// `needs`, between jobs and between steps.
extension DefinitionBuilder {
    /// - Parameters:
    ///   - word: `job` or `step`, the word in the long form.
    ///   - scope: of the job's values, for `build[arch=${{ matrix.arch }}]`.
    mutating func needs(_ value: SchemaValue?, _ word: String, _ scope: ExpressionScope) -> [NeedDefinition]? {
        guard let value else { return nil }
        var seen: Set<String> = []
        var needs: [NeedDefinition] = []
        for item in value.items {
            let fields = item.fields
            guard let name = fields.map({ $0[word] }) ?? item, var need = need(name, scope) else { continue }
            need.optional = fields?["optional"]?.boolean ?? false
            need.allowFailure = fields?["allow_failure"]?.boolean ?? false
            need.path = item.path
            let key = need.selector == nil ? need.id : name.node.text
            guard seen.insert(key).inserted else {
                findings.report(.duplicateNeed, "`\(key)` is needed twice.", at: item.span, path: item.path)
                continue
            }
            needs.append(need)
        }
        return needs
    }

    /// A name, or a job with some of its cells: `build[arch=amd64]`.
    mutating func need(_ value: SchemaValue, _ scope: ExpressionScope) -> NeedDefinition? {
        guard let parts = value.parts, let first = parts.first else { return nil }
        guard case .text(let text) = first, parts.count == 1 || text.contains("[") else {
            findings.report(
                .invalidValue, "A need's name can't be filled in, only the values in its brackets.", at: value.span,
                path: value.path, hint: "Write `build[arch=${{ matrix.arch }}]`.")
            return nil
        }
        guard let bracket = text.firstIndex(of: "["), scope.place == .value else {
            return NeedDefinition(id: text, span: value.span, path: value.path)
        }
        guard let selector = checked(value, scope) else { return nil }
        let isOnlyMatrix = selector.parts.allSatisfy { part in
            if case .expression(let expression) = part { expression.namesOnlyMatrix } else { true }
        }
        guard isOnlyMatrix else {
            findings.report(
                .notAvailableHere, "Only `matrix` can be used in `needs`.", at: value.span, path: value.path)
            return nil
        }
        return NeedDefinition(
            id: String(text[..<bracket]), selector: selector, span: value.span, path: value.path)
    }

    /// Reports needs that name nothing.
    mutating func checkNeeds(_ needs: [NeedDefinition], among known: [String], set: Set<String>, _ what: String) {
        for need in needs where !set.contains(need.id) && !need.optional {
            guard !findings.isFull else { return }
            let list = known.prefix(20).map { "`\($0)`" }.joined(separator: ", ")
            findings.report(
                .unknownNeed, "There is no \(what) `\(need.id)`.", at: need.span, path: need.path,
                hint: Nearest.hint(need.id, among: known) ?? (known.isEmpty ? nil : "There are \(list)."))
        }
    }

    /// Needs of cells, and the number of edges: what can only be judged with all jobs known.
    mutating func checkCells(_ jobs: [JobDefinition]) {
        let index = JobIndex(jobs)
        var edges = 0
        // Cells that are looked at. An optional need that finds none leaves no edge, and costs as much.
        var looks = 0
        for job in jobs {
            for need in job.needs + job.fetched.flatMap(\.jobs) {
                guard !findings.isFull else { return }
                for cell in job.cells {
                    looks += index.job(need.id)?.matrix?.cells.count ?? 1
                    guard looks <= 50 * PlanLimits.jobEdgesMax else {
                        reportEdges(job)
                        return
                    }
                    let found = index.find(need, for: cell)
                    edges += found.count
                    guard found.isEmpty, !need.optional, let target = index.job(need.id) else { continue }
                    reportNoCell(need, target, cell)
                    break
                }
            }
            if edges > PlanLimits.jobEdgesMax {
                reportEdges(job)
                return
            }
        }
    }

    private mutating func reportEdges(_ job: JobDefinition) {
        findings.report(
            .tooMany, "The cells of all jobs need each other over more than \(PlanLimits.jobEdgesMax) edges.",
            at: job.span, path: job.path, hint: "Need single cells, as in `build[arch=${{ matrix.arch }}]`.")
    }

    private mutating func reportNoCell(
        _ need: NeedDefinition, _ target: JobDefinition, _ cell: MatrixDefinition.Cell?
    ) {
        guard let selector = need.selector else { return }
        let text = selector.render(in: ExpressionContext(matrix: cell.map(JobIndex.values) ?? [:]))
        guard let wanted = JobIndex.selection(text) else {
            findings.report(
                .matrixInvalid, "`\(text.prefix(128))` does not name cells.", at: need.span, path: need.path,
                hint: "Write `\(need.id)[axis=value]`.")
            return
        }
        guard let matrix = target.matrix else {
            findings.report(
                .unknownNeed, "`\(need.id)` has no matrix, so it has no cells to choose from.", at: need.span,
                path: need.path, hint: "Write `\(need.id)`.")
            return
        }
        let isExcluded = matrix.excluded.contains { cell in
            wanted.allSatisfy { axis, text in cell.contains { $0.axis == axis && $0.value.variable == text } }
        }
        let known = matrix.cells.prefix(10).map { "`\(need.id)\($0.suffix)`" }.joined(separator: ", ")
        findings.report(
            .unknownNeed,
            isExcluded
                ? "The cell `\(text)` was taken out by `exclude` in `\(target.path.text).matrix`."
                : "`\(need.id)` has no cell `\(text.dropFirst(need.id.count))`.", at: need.span, path: need.path,
            hint: "There are \(known)\(matrix.cells.count > 10 ? " and more" : "").")
    }
}

extension Expression {
    var namesOnlyMatrix: Bool {
        switch self {
        case .name(let root, _) where root != .matrix: false
        case .call(.changed, _): false
        default: children.allSatisfy(\.namesOnlyMatrix)
        }
    }
}

/// Finds the jobs, and the cells of a matrix, that a need means.
struct JobIndex {
    private let places: [String: Int]
    private let jobs: [JobDefinition]

    init(_ jobs: [JobDefinition]) {
        self.jobs = jobs
        places = Dictionary(zip(jobs.map(\.id), jobs.indices), uniquingKeysWith: { first, _ in first })
    }

    func job(_ id: String) -> JobDefinition? { places[id].map { jobs[$0] } }

    /// The plan's ids of what is needed, in the order of the file.
    ///
    /// - Parameter cell: of the job that needs it.
    func find(_ need: NeedDefinition, for cell: MatrixDefinition.Cell?) -> [String] {
        guard let job = job(need.id) else { return [] }
        guard let matrix = job.matrix else { return need.selector == nil ? [job.id] : [] }
        guard let selector = need.selector else { return matrix.cells.map { job.id + $0.suffix } }
        let text = selector.render(in: ExpressionContext(matrix: cell.map(Self.values) ?? [:]))
        guard let wanted = Self.selection(text) else { return [] }
        return matrix.cells.filter { cell in
            wanted.allSatisfy { cell.value($0.axis)?.variable == $0.text }
        }.map { job.id + $0.suffix }
    }

    static func values(_ cell: MatrixDefinition.Cell) -> [String: ExpressionValue] {
        Dictionary(cell.values.map { ($0.axis, $0.value.expressionValue) }) { _, last in last }
    }

    /// `build[arch=amd64,mode=release]` as axes and values; `nil` where it is written otherwise.
    static func selection(_ text: String) -> [(axis: String, text: String)]? {
        guard let bracket = text.firstIndex(of: "["), text.hasSuffix("]") else { return nil }
        var selection: [(axis: String, text: String)] = []
        for part in text[text.index(after: bracket)...].dropLast().split(
            separator: ",", omittingEmptySubsequences: false)
        {
            guard let mark = part.firstIndex(of: "=") else { return nil }
            let axis = part[..<mark].trimmingSpaces
            let value = part[part.index(after: mark)...].trimmingSpaces
            guard !axis.isEmpty, !value.isEmpty else { return nil }
            selection.append((axis, value))
        }
        return selection
    }
}

extension JobDefinition {
    /// The cells, and a single `nil` without a matrix.
    var cells: [MatrixDefinition.Cell?] { matrix.map { $0.cells.map(Optional.some) } ?? [nil] }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

extension YamlNode {
    /// The text of a scalar; empty for others.
    var text: String { if case .scalar(let scalar) = content { scalar.text } else { "" } }
}

extension YamlNode {
    var isEmptyList: Bool { if case .sequence(let items) = content { items.isEmpty } else { false } }
}
