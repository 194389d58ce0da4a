import ControllerCore

/// What the plan says of jobs and steps, as members of an object.
enum PlanPartJSON {
    static func members(_ job: JobPlan?, _ json: inout JSONWriter) {
        json.field("group", job?.group)
        matrix(job?.matrix ?? [], &json)
        json.field("needs", job?.needs.map(\.id) ?? [])
        json.field("needs_may_fail", job?.needs.filter(\.allowFailure).map(\.id) ?? [])
        json.field("priority", job?.priority ?? 0)
        json.field("timeout_ms", job?.timeoutMs)
        allowFailure(job?.allowFailure ?? .never, &json)
        retry(job?.retry, &json)
        json.name("concurrency")
        concurrency(job?.concurrency, &json)
    }

    static func members(_ step: StepPlan?, _ json: inout JSONWriter) {
        json.field("stage", step?.stage.rawValue)
        json.field("built_in", step?.isBuiltIn ?? false)
        json.field("needs", step?.needs.map(\.id) ?? [])
        json.field("needs_may_fail", step?.needs.filter(\.allowFailure).map(\.id) ?? [])
        json.field("timeout_ms", step?.timeoutMs)
        allowFailure(step?.allowFailure ?? .never, &json)
        retry(step?.retry, &json)
    }

    /// The cell's values by axis, as they are typed in the file.
    static func matrix(_ values: [MatrixValue], _ json: inout JSONWriter) {
        json.name("matrix")
        json.object { json in
            for value in values {
                json.key(value.axis)
                self.value(value.value, &json)
            }
        }
    }

    static func value(_ value: InputValue?, _ json: inout JSONWriter) {
        switch value {
        case .text(let text): json.string(text)
        case .number(let number):
            if let whole = Int64(exactly: number) { json.int(whole) } else { json.double(number) }
        case .boolean(let flag): json.bool(flag)
        case nil: json.null()
        }
    }

    /// `true`, `false`, or the exit codes that are allowed.
    private static func allowFailure(_ allowance: FailureAllowance, _ json: inout JSONWriter) {
        switch allowance {
        case .never: json.field("allow_failure", false)
        case .always: json.field("allow_failure", true)
        case .exitCodes(let codes):
            json.name("allow_failure")
            json.array(codes) { $0.int($1) }
        }
    }

    private static func retry(_ retry: RetryPlan?, _ json: inout JSONWriter) {
        json.name("retry")
        guard let retry else { return json.null() }
        json.object { json in
            json.field("max", retry.max)
            json.field("on", retry.on.map(\.rawValue))
            json.name("exit_codes")
            json.array(retry.exitCodes) { $0.int($1) }
            json.field("backoff_ms", retry.backoffMs)
        }
    }

    static func concurrency(_ plan: ConcurrencyPlan?, _ json: inout JSONWriter) {
        guard let plan else { return json.null() }
        json.object { json in
            json.field("group", plan.group)
            json.field("limit", plan.limit)
            json.field("order", plan.order.rawValue)
            json.field("on_new", plan.onNew.rawValue)
        }
    }

    /// Declared inputs, without the values of a run.
    static func inputs(_ inputs: [InputPlan], _ json: inout JSONWriter) {
        json.array(inputs) { json, input in
            json.object { json in
                json.field("name", input.name)
                json.field("type", input.kind.rawValue)
                json.field("options", input.options)
                json.field("required", input.required)
                json.name("default")
                value(input.defaultValue, &json)
                json.field("description", input.description)
            }
        }
    }
}
