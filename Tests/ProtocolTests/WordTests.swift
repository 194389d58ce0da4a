import AnsFlowProtocol
import Testing

/// The exact bytes of every word in the message that carries it. A case without a sample fails here, as does a sample whose case is gone.
struct WordTests {
    private func complete<Word: Hashable & CaseIterable, Value>(_ samples: [Word: Value]) -> Bool {
        Set(samples.keys) == Set(Word.allCases)
    }

    @Test func everyWordHasASample() {
        #expect(complete(WordSamples.results))
        #expect(complete(WordSamples.causes))
        #expect(complete(WordSamples.stops))
        #expect(complete(WordSamples.shells))
        #expect(complete(WordSamples.closes))
        // A new case makes one of these switches incomplete: give it a sample, then count it.
        for state in WordSamples.states.keys {
            switch state {
            case .accepted, .running, .exited, .lost, .neverStarted: break
            }
        }
        #expect(WordSamples.states.count == 5)
        for containment in WordSamples.containments.keys {
            switch containment {
            case .cgroup2, .bestEffort: break
            }
        }
        #expect(WordSamples.containments.count == 2)
        for verdict in WordSamples.verdicts.keys {
            switch verdict {
            case .proceed, .start, .stop, .forget, .orphan: break
            }
        }
        #expect(WordSamples.verdicts.count == 5)
        for refusal in WordSamples.refusals.keys {
            switch refusal {
            case .malformed, .token, .unknownKey, .revoked, .conflict, .slowDown, .unavailable: break
            }
        }
        #expect(WordSamples.refusals.count == 7)
    }

    private func same(_ message: AgentMessage, _ text: String) throws {
        #expect(String(decoding: try WireCodec.encode(message), as: UTF8.self) == text)
        #expect(try WireCodec.decodeAgentMessage(Array(text.utf8)) == message)
    }

    private func same(_ message: ControllerMessage, _ text: String) throws {
        #expect(String(decoding: try WireCodec.encode(message), as: UTF8.self) == text)
        #expect(try WireCodec.decodeControllerMessage(Array(text.utf8)) == message)
    }

    private func finish(_ result: AttemptResult, _ cause: Cause) -> (AgentMessage, (String, String) -> String) {
        let end = LogEnd(attempt: AttemptID(7), total: 0, sha256: nil, dropped: 0)
        let message = AgentMessage.finish(Finish(attempt: AttemptID(7), result: result, cause: cause, log: end))
        return (
            message,
            { result, cause in
                #"{"attempt":7,"cause":""# + cause
                    + #"","log":{"attempt":7,"dropped":0,"total":0},"outputs":{},"result":""#
                    + result
                    + #"","type":"finish","usage":{"cpu_system_ms":0,"cpu_user_ms":0,"memory_peak_bytes":0,"wall_ms":0}}"#
            }
        )
    }

    @Test func endsInFinish() throws {
        for (cause, word) in WordSamples.causes {
            let (message, text) = finish(.failed, cause)
            try same(message, text("failed", word))
        }
        for (result, word) in WordSamples.results {
            let (message, text) = finish(result, .exit)
            try same(message, text(word, "exit"))
        }
    }

    @Test func reasonsInStop() throws {
        for (reason, word) in WordSamples.stops {
            try same(
                .stop(AttemptID(7), reason: reason, graceMs: 5),
                #"{"attempt":7,"grace_ms":5,"reason":""# + word + #"","type":"stop"}"#)
        }
    }

    @Test func statesAndContainmentInHello() throws {
        for (state, word) in WordSamples.states {
            var hello = Samples.hello
            hello.attempts = [Hello.Known(attempt: AttemptID(41), state: state, spooled: 9)]
            try same(
                .hello(hello), Samples.agentMessages[0].text.replacing("never_started", with: word))
        }
        for (containment, word) in WordSamples.containments {
            var hello = Samples.hello
            hello.containment = containment
            try same(.hello(hello), Samples.agentMessages[0].text.replacing("best_effort", with: word))
        }
    }

    @Test func verdictsInWelcome() throws {
        for (verdict, word) in WordSamples.verdicts {
            try same(
                .welcome(
                    Welcome(
                        proto: 1, generation: 2, agent: AgentID(3),
                        verdicts: [Welcome.Entry(attempt: AttemptID(41), verdict: verdict, logNext: 8)],
                        writable: true)),
                #"{"agent":3,"generation":2,"proto":1,"type":"welcome","verdicts":[{"attempt":41,"log_next":8,"verdict":""#
                    + word + #""}],"writable":true}"#)
        }
    }

    @Test func shellsAndActionsInSpecifications() throws {
        let checkout = StepSpec.Checkout(
            url: "https://example.org/widgets.git", ref: "main", commit: "c0ffee", depth: 3, submodules: true,
            lfs: true,
            clean: false, allowLocal: true)
        var samples: [(StepSpec.Action, String)] = [
            (
                .checkout(checkout),
                #"{"checkout":{"_0":{"allow_local":true,"clean":false,"commit":"c0ffee","depth":3,"lfs":true,"ref":"main","#
                    + #""submodules":true,"url":"https://example.org/widgets.git"}}}"#
            )
        ]
        for (shell, word) in WordSamples.shells {
            samples.append(
                (.run(commands: ["a", "b"], shell: shell), #"{"run":{"commands":["a","b"],"shell":""# + word + #""}}"#))
        }
        for (action, text) in samples {
            let spec = StepSpec(
                jobAttempt: JobAttemptID(5), title: "t", action: action, environment: [:], timeoutMs: 1, graceMs: 2,
                logLimitBytes: 3)
            let whole =
                #"{"action":"# + text
                + #","environment":{},"grace_ms":2,"job_attempt":5,"log_limit_bytes":3,"timeout_ms":1,"title":"t","type":"spec"}"#
            #expect(String(decoding: try WireCodec.encodeSpec(spec), as: UTF8.self) == whole)
            #expect(try WireCodec.decodeSpec(Array(whole.utf8)) == spec)
        }
    }

    @Test func refusalsAndCloseCodes() throws {
        for (code, word) in WordSamples.refusals {
            let text = #"{"code":""# + word + #"","message":"No."}"#
            #expect(String(decoding: try WireCodec.encode(EnrolRefusal(code, "No.")), as: UTF8.self) == text)
            #expect(try WireCodec.decodeEnrolRefusal(Array(text.utf8)).code == code)
        }
        for (code, number) in WordSamples.closes { #expect(code.rawValue == number) }
    }
}
