import ControllerCore

/// The words of jobs and steps that are maps of their own.
extension DefinitionBuilder {
    mutating func allowance(_ value: SchemaValue?) -> FailureAllowance {
        guard let value else { return .never }
        if let flag = value.boolean { return flag ? .always : .never }
        return .exitCodes(exitCodes(value.fields?["exit_codes"]))
    }

    /// A job has no exit code of its own.
    mutating func jobAllowance(_ value: SchemaValue?) -> Bool {
        if let value, value.fields != nil {
            findings.report(
                .wrongType, "A job has no exit code; only steps have.", at: value.span, path: value.path,
                hint: "Write `allow_failure: { exit_codes: […] }` in the step, or `allow_failure: true` here.")
        }
        return value?.boolean ?? false
    }

    private mutating func exitCodes(_ value: SchemaValue?) -> [Int32] {
        guard let value else { return [] }
        if case .sequence(let nodes) = value.node.content, nodes.isEmpty {
            findings.report(.invalidValue, "There is no exit code.", at: value.span, path: value.path)
        }
        // A loop: the optimiser of Swift 6.3.1 fails over the same as a map of maps.
        var codes: [Int32] = []
        for item in value.items {
            if case .integer(let code) = item.content { codes.append(Int32(code)) }
        }
        return codes
    }

    mutating func retry(_ value: SchemaValue?, ofJob isJob: Bool) -> RetryPlan? {
        guard let value else { return nil }
        if let max = value.integer { return RetryPlan(max: max, on: isJob ? [.exit, .agentLost] : [.exit]) }
        guard let fields = value.fields, let max = fields["max"]?.integer else { return nil }
        let codes = exitCodes(fields["exit_codes"])
        var reasons = isJob && !fields.has("exit_codes") ? [RetryPlan.Reason.exit, .agentLost] : [.exit]
        if let on = fields["on"] {
            reasons = []
            for word in on.items.compactMap(\.literal) {
                if let reason = RetryPlan.Reason(rawValue: word), !reasons.contains(reason) { reasons.append(reason) }
            }
            if reasons.isEmpty, on.items.isEmpty {
                findings.report(.invalidValue, "There is no reason.", at: on.span, path: on.path)
            }
            if fields.has("exit_codes"), !reasons.contains(.exit) {
                findings.report(
                    .conflict, "`exit_codes` means nothing without the reason `exit`.", at: value.span,
                    path: value.path,
                    hint: "Add `exit` to `on`, or remove `exit_codes`.")
            }
        }
        return RetryPlan(max: max, on: reasons, exitCodes: codes, backoffMs: fields["backoff"]?.amount ?? 0)
    }

    mutating func concurrency(_ value: SchemaValue?, _ scope: ExpressionScope) -> ConcurrencyDefinition? {
        guard let value else { return nil }
        let fields = value.fields
        guard let group = template(fields.map { $0["group"] } ?? value, scope) else { return nil }
        return ConcurrencyDefinition(
            group: group, limit: fields?["limit"]?.integer ?? 1,
            order: fields?["order"]?.literal.flatMap(ConcurrencyPlan.Order.init(rawValue:)) ?? .created,
            onNew: fields?["on_new"]?.literal.flatMap(ConcurrencyPlan.OnNew.init(rawValue:)) ?? .queue)
    }

    /// - Parameter scope: gets what the approver gives.
    mutating func approval(_ value: SchemaValue, _ scope: inout ExpressionScope) -> ApprovalDefinition? {
        guard let fields = value.fields else { return nil }
        let own = (fields["inputs"]?.entries ?? []).compactMap { input($0) }
        checkVariableNames(own)
        let message = template(fields["message"], scope)
        for input in own {
            if inputs[input.name] != nil {
                findings.report(
                    .duplicateID, "The run has an input `\(input.name)` too.", at: input.span, path: input.path,
                    hint: "Take another name.")
            }
            scope.inputs[input.name] = input.type
            scope.given.insert(input.name)
        }
        return ApprovalDefinition(
            by: (fields["by"]?.items ?? []).compactMap { $0.literal.flatMap(ApprovalPlan.Role.init(rawValue:)) },
            inputs: own, expiresMs: fields["expires"]?.amount ?? PlanLimits.approvalMsDefault, message: message)
    }

    /// The secret's name by the variable's.
    mutating func secrets(_ value: SchemaValue?, beside environment: [NamedTemplate]) -> [String: String] {
        guard let value else { return [:] }
        var secrets: [String: String] = [:]
        let entries =
            value.isList
            ? value.items.map { (key: $0.literal ?? "", value: $0) }
            : value.entries.map { (key: $0.key, value: $0.value) }
        for (variable, item) in entries {
            guard let name = item.literal else { continue }
            if !SecretLimits.isName(name) {
                findings.report(
                    .invalidID, "`\(name)` can't be a secret's name.", at: item.span, path: item.path,
                    hint: "A letter or `_`, then letters, digits and `_`.")
            } else if value.isList, name.uppercased().hasPrefix("ANSFLOW_") {
                findings.report(
                    .reservedName, "Variables that begin with `ANSFLOW_` are set by AnsFlow.", at: item.span,
                    path: item.path, hint: "Give it another name: `{ NAME: \(name) }`.")
            } else if secrets.updateValue(name, forKey: variable) != nil {
                findings.report(.duplicateKey, "`\(name)` is there twice.", at: item.span, path: item.path)
            }
            if environment.contains(where: { $0.name == variable }) {
                findings.report(
                    .conflict, "`\(variable)` is a variable of `env` too.", at: item.span, path: item.path,
                    hint: "Remove one of them.")
            }
        }
        return secrets
    }

    /// Entries with `from` fetch, all others keep.
    mutating func artifacts(_ value: SchemaValue?, of job: inout JobDefinition, _ scope: ExpressionScope) {
        for item in value?.items ?? [] {
            guard let fields = item.fields else { continue }
            let paths = templates(fields["paths"], scope)
            if fields.has("from") {
                for word in ["keep", "when", "optional"] where fields.has(word) {
                    findings.report(
                        .conflict, "`\(word)` speaks of files that are kept, and `from` of files that are fetched.",
                        at: fields.keySpan(word) ?? item.span, path: item.path,
                        hint: "Make them two entries of the list.")
                }
                let jobs = (fields["from"]?.items ?? []).compactMap { need($0, scope) }
                job.fetched.append(FetchDefinition(jobs: jobs, paths: paths, into: template(fields["into"], scope)))
                continue
            }
            if fields.has("into") {
                findings.report(
                    .conflict, "`into` is a folder for what is fetched, and there is no `from`.", at: item.span,
                    path: item.path)
            }
            if !fields.has("paths") {
                findings.report(
                    .missingWord, "An artifact needs `paths` to keep, or `from` to fetch.", at: item.span,
                    path: item.path)
            } else if fields["paths"]?.node.isEmptyList ?? false {
                findings.report(.invalidValue, "There is no path.", at: item.span, path: item.path)
            }
            job.kept.append(
                ArtifactDefinition(
                    paths: paths, keepMs: fields["keep"]?.amount,
                    when: fields["when"]?.literal.flatMap(ArtifactRule.When.init(rawValue:)) ?? .success,
                    optional: fields["optional"]?.boolean ?? false))
        }
    }

    /// What is fetched must come from a job that has ended by then.
    mutating func checkFetches(_ jobs: [JobDefinition]) {
        let places = Dictionary(zip(jobs.map(\.id), jobs.indices), uniquingKeysWith: { first, _ in first })
        for job in jobs where !job.fetched.isEmpty {
            var awaited: Set<String> = []
            var open = job.needs.map(\.id)
            while let id = open.popLast() {
                guard awaited.insert(id).inserted, let place = places[id] else { continue }
                open += jobs[place].needs.map(\.id)
            }
            for need in job.fetched.flatMap(\.jobs) where !awaited.contains(need.id) {
                if jobIDSet.contains(need.id) {
                    findings.report(
                        .unknownNeed, "This job does not wait for `\(need.id)`.", at: need.span, path: need.path,
                        hint: "Add it to the job's `needs`.")
                } else {
                    findings.report(
                        .unknownNeed, "There is no job `\(need.id)`.", at: need.span, path: need.path,
                        hint: Nearest.hint(need.id, among: jobIDs))
                }
            }
        }
    }
}
