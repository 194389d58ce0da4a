import AnsFlowProtocol
import ControllerCore

/// What a server's answer means for a delivery.
enum AnswerJudge {
    /// Of a forge.
    ///
    /// - Parameter now: Wall clock, in milliseconds.
    static func judge(
        _ answer: OutgoingAnswer, from kind: ForgeKind, now: Int64
    ) -> DeliveryLifecycle.Outcome {
        let said = words(answer)
        let who = name(kind)
        switch answer.status {
        case 200..<300: return .taken
        case 401: return .refused(why: "\(who) does not take the token (401)\(said). Set the secret anew.")
        case 403, 429:
            // GitHub says its limits with either.
            if let pause = pause(answer, now: now) {
                return .later(why: "\(who) asks to wait (\(answer.status))\(said).", after: pause)
            }
            if answer.status == 429 {
                return .later(why: "\(who) takes no more for now (429)\(said).", after: 60_000)
            }
            return .refused(why: "\(who) forbids it (403)\(said). The token needs the right to set commit statuses.")
        case 400 where kind == .gitlab && said.contains("Cannot transition"):
            // It stands there already.
            return .taken
        case 404, 409, 422:
            // A commit that is still being pushed is not known yet.
            return .unsure(
                why: "\(who) knows no such repository or commit, or the token may not see it (\(answer.status))\(said)."
            )
        default: return general(answer, who, said, now)
        }
    }

    /// Of a hook.
    static func judge(_ answer: OutgoingAnswer, host: String, now: Int64) -> DeliveryLifecycle.Outcome {
        let said = words(answer)
        switch answer.status {
        case 200..<300: return .taken
        case 410: return .refused(why: "\(host) says that it is gone for good (410)\(said).")
        case 404: return .unsure(why: "\(host) has nothing at this address (404)\(said).")
        case 429:
            return .later(why: "\(host) takes no more for now (429)\(said).", after: pause(answer, now: now) ?? 60_000)
        default: return general(answer, host, said, now)
        }
    }

    private static func general(
        _ answer: OutgoingAnswer, _ who: String, _ said: String, _ now: Int64
    ) -> DeliveryLifecycle.Outcome {
        switch answer.status {
        case 300..<400:
            let place = answer.headers["location"].map { " to \(RunWords.line($0))" } ?? ""
            return .refused(why: "\(who) has moved\(place) (\(answer.status)). Set the new address.")
        case 408, 425, 500...:
            return .later(why: "\(who) failed (\(answer.status))\(said).", after: pause(answer, now: now))
        default: return .refused(why: "\(who) does not take it (\(answer.status))\(said).")
        }
    }

    static func judge(_ failure: OutgoingFailure) -> DeliveryLifecycle.Outcome {
        switch failure {
        case .refused(let why): .refused(why: why)
        case .unreachable(let why): .later(why: why, after: nil)
        case .busy: .later(why: failure.description, after: nil)
        }
    }

    // MARK: Parts

    static func name(_ kind: ForgeKind) -> String {
        switch kind {
        case .github: "GitHub"
        case .gitlab: "GitLab"
        case .gitea: "The forge"
        case .bitbucket: "Bitbucket"
        }
    }

    /// How long it asks to wait: `Retry-After` in seconds, or the moment at which a spent limit begins anew.
    private static func pause(_ answer: OutgoingAnswer, now: Int64) -> Int64? {
        if let seconds = answer.headers["retry-after"].flatMap({ Int64($0) }), seconds >= 0 {
            return min(seconds, 86_400) * 1000
        }
        // GitHub, then GitLab.
        for (left, reset) in [
            ("x-ratelimit-remaining", "x-ratelimit-reset"), ("ratelimit-remaining", "ratelimit-reset"),
        ]
        where answer.headers[left] == "0" {
            guard let at = answer.headers[reset].flatMap({ Int64($0) }), at < Int64.max / 1000 else { continue }
            return max(1000, at * 1000 - now)
        }
        return nil
    }

    /// The first of what the body says, as one line.
    private static func words(_ answer: OutgoingAnswer) -> String {
        let text = RunWords.line(String(decoding: answer.body.prefix(300), as: UTF8.self))
        return text.isEmpty ? "" : ": \(text)"
    }
}
