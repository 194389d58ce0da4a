import ControllerCore

extension DefinitionCompiler {
    mutating func concurrency(_ definition: ConcurrencyDefinition?) -> ConcurrencyPlan? {
        guard let definition else { return nil }
        let group = fill(definition.group)
        checkName(group, "The group's name", definition.group)
        return ConcurrencyPlan(
            group: group, limit: definition.limit, order: definition.order, onNew: definition.onNew)
    }

    mutating func approval(_ definition: ApprovalDefinition?) -> ApprovalPlan? {
        guard let definition else { return nil }
        let inputs = definition.inputs.map { declared($0, isGiven: false) }
        return ApprovalPlan(
            by: definition.by, inputs: inputs, expiresMs: definition.expiresMs,
            message: definition.message.map { shortened(fill($0)) })
    }

    mutating func deployment(_ template: Template?) -> String? {
        guard let template else { return nil }
        let name = fill(template)
        if !SecretLimits.isEnvironment(name) {
            findings.report(
                .invalidValue, "`\(name.prefix(64))` can't be the name of an environment.", at: template.span,
                path: template.path,
                hint: "It has 1 to \(SecretLimits.environmentBytesMax) bytes, no slash, and no blank at an end.")
        }
        return name
    }

    private mutating func checkName(_ name: String, _ what: String, _ template: Template) {
        guard name.isEmpty || name.utf8.count > PlanLimits.nameBytesMax else { return }
        findings.report(
            .invalidValue,
            "\(what) is \(name.isEmpty ? "empty" : "longer than \(PlanLimits.nameBytesMax) bytes") in this run.",
            at: template.span, path: template.path)
    }

    /// A path below the workspace.
    mutating func path(_ template: Template, isPattern: Bool) -> String {
        let text = fill(template)
        let path = isPattern && text.hasPrefix("!") ? text.dropFirst() : text[...]
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        var fault: String?
        if path.isEmpty || path.utf8.count > PlanLimits.globBytesMax {
            fault = "is empty or longer than \(PlanLimits.globBytesMax) bytes in this run"
        } else if path.hasPrefix("/") || path.hasPrefix("~") || parts.contains("..") {
            fault = "leads out of the workspace"
        } else if path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            fault = "holds a control character"
        }
        if let fault {
            findings.report(
                .invalidValue, "The path `\(text.prefix(64))` \(fault).", at: template.span, path: template.path,
                hint: "Paths are below the workspace, as `out/**`.")
        }
        return text
    }

    mutating func checkSize(
        _ step: StepDefinition, _ commands: [String], _ environment: [String: String], _ sizes: StepSpecSize
    ) {
        for (command, template) in zip(commands, step.commands) where command.utf8.count > PlanLimits.commandBytesMax {
            findings.report(
                .tooLong,
                "The command has \(command.utf8.count) bytes; at most \(PlanLimits.commandBytesMax) are allowed.",
                at: template.span, path: template.path)
        }
        let bytes = sizes.bytes(commands: commands, environment: environment)
        let limit = PlanLimits.stepSpecBytesMax - PlanLimits.stepSpecReserveBytes
        guard bytes > limit else { return }
        findings.report(
            .specTooLarge,
            "Commands, variables and inputs of this step have \(bytes) bytes together; at most \(limit) are allowed.",
            at: step.span, path: step.path, hint: "Put large texts into files of the repository.")
    }

    /// The file's name, else the id, else the beginning of the command.
    mutating func name(_ step: StepDefinition, _ commands: [String]) -> String {
        if let name = step.name { return shortened(fill(name)) }
        if step.hasOwnID { return step.id }
        let lines = (commands.first ?? "").split(maxSplits: 100, whereSeparator: \.isNewline)
        let line = lines.first { !$0.allSatisfy(\.isWhitespace) } ?? ""
        return line.isEmpty ? step.id : line.count > 60 ? "\(line.prefix(59))…" : String(line)
    }

    func shortened(_ name: String) -> String {
        guard name.utf8.count > PlanLimits.nameBytesMax else { return name }
        var short = name.prefix(PlanLimits.nameBytesMax)
        while short.utf8.count > PlanLimits.nameBytesMax - 3 { short.removeLast() }
        return short + "…"
    }

    mutating func labels(_ entries: [NamedTemplate]) -> [String: String] {
        let labels = values(entries)
        for entry in entries {
            let bytes = labels[entry.name]?.utf8.count ?? 0
            guard bytes == 0 || bytes > PlanLimits.labelBytesMax else { continue }
            findings.report(
                .invalidValue,
                "The label `\(entry.name)` is \(bytes == 0 ? "empty" : "longer than \(PlanLimits.labelBytesMax) bytes") "
                    + "in this run.", at: entry.value.span, path: entry.value.path)
        }
        return labels
    }

    mutating func checkout(_ job: JobDefinition) -> CheckoutOptions? {
        switch job.checkout {
        case .off:
            return nil
        case .asDefault:
            return hasRepository ? CheckoutOptions() : nil
        case .with(let options):
            if hasRepository { return options }
            findings.report(
                .noRepository, "This pipeline has no repository, so nothing is checked out.", at: job.span,
                path: job.path, hint: "Create the pipeline with a repository, or remove `checkout`.", severity: .warning
            )
            return nil
        }
    }

    mutating func warnAboutTimeouts(_ job: JobDefinition, _ jobTimeoutMs: UInt64) {
        for step in job.steps {
            guard let timeout = step.timeoutMs, timeout > jobTimeoutMs else { continue }
            findings.report(
                .timeoutUnreachable,
                "The step may take \(Amount.durationText(timeout)), but its job only "
                    + "\(Amount.durationText(jobTimeoutMs)).", at: step.span, path: step.path,
                hint: "Give the job a longer `timeout`.", severity: .warning)
        }
    }
}
