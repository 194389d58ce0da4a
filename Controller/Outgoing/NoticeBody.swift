import AnsFlowProtocol
import ControllerCore

/// A notice as team chats and hooks want it.
enum NoticeBody {
    /// - Parameter link: Where it is to be looked at; `nil` where there is nothing, or nobody said how people reach the controller.
    static func bytes(_ notice: Notice, _ format: NoticeFormat, link: String?) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        switch format {
        case .json: whole(notice, link, &json)
        case .slack: json.object { $0.field("text", slack(notice, link)) }
        case .mattermost: json.object { $0.field("text", markdown(notice, link)) }
        case .discord:
            json.object { json in
                json.field("content", cut(markdown(notice, link), 1_900))
                json.name("allowed_mentions")
                json.object { $0.field("parse", []) }
            }
        case .teams: card(notice, link, &json)
        }
        return json.bytes
    }

    /// The form of Standard Webhooks: `type`, `timestamp`, `data`.
    private static func whole(_ notice: Notice, _ link: String?, _ json: inout JSONWriter) {
        json.object { json in
            json.field("type", "ansflow.\(notice.event.rawValue)")
            json.field("timestamp", time: notice.at)
            json.name("data")
            json.object { json in
                json.field("event", notice.event.rawValue)
                json.field("title", notice.title)
                json.field("message", notice.message)
                json.field("project_id", notice.project)
                json.field("pipeline_id", notice.pipeline)
                json.field("pipeline_name", notice.pipelineName)
                json.field("run_id", notice.run)
                json.field("run_number", notice.runNumber)
                json.field("status", notice.status)
                json.field("branch", notice.branch)
                json.field("commit", notice.commit)
                json.field("actor", notice.actor)
                json.field("url", link)
            }
        }
    }

    /// `&`, `<` and `>` begin everything that is special there, mentions of all too.
    private static func slack(_ notice: Notice, _ link: String?) -> String {
        func plain(_ text: String) -> String {
            var result = String.UnicodeScalarView()
            // By scalars: a mark on top of a sign hides the sign from a walk by characters, and not from the chat.
            for scalar in text.unicodeScalars {
                switch scalar {
                case "&": result += "&amp;".unicodeScalars
                case "<": result += "&lt;".unicodeScalars
                case ">": result += "&gt;".unicodeScalars
                default: result.append(scalar)
                }
            }
            return String(result)
        }
        let title = link.map { "<\($0)|\(plain(notice.title))>" } ?? "*\(plain(notice.title))*"
        return notice.message.isEmpty ? title : "\(title)\n\(plain(notice.message))"
    }

    private static func markdown(_ notice: Notice, _ link: String?) -> String {
        let title = plainMarkdown(notice.title)
        let head = link.map { "[**\(title)**](\($0))" } ?? "**\(title)**"
        return notice.message.isEmpty ? head : "\(head)\n\(plainMarkdown(notice.message))"
    }

    private static let special = "\\`*_{}[]()<>#+-!|~".unicodeScalars

    /// What has a meaning in Markdown gets a backslash; a mention is broken up by a space of no width.
    static func plainMarkdown(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "@" {
                result += "@\u{200B}".unicodeScalars
            } else {
                if special.contains(scalar) { result.append("\\") }
                result.append(scalar)
            }
        }
        return String(result)
    }

    private static func card(_ notice: Notice, _ link: String?, _ json: inout JSONWriter) {
        json.object { json in
            json.field("type", "message")
            json.name("attachments")
            json.array([0]) { json, _ in
                json.object { json in
                    json.field("contentType", "application/vnd.microsoft.card.adaptive")
                    json.name("content")
                    json.object { json in
                        json.field("type", "AdaptiveCard")
                        json.field("version", "1.4")
                        json.name("body")
                        block([(notice.title, true), (notice.message, false)], &json)
                        guard let link else { return }
                        json.name("actions")
                        json.array([link]) { json, link in
                            json.object { json in
                                json.field("type", "Action.OpenUrl")
                                json.field("title", "Open")
                                json.field("url", link)
                            }
                        }
                    }
                }
            }
        }
    }

    private static func block(_ texts: [(String, Bool)], _ json: inout JSONWriter) {
        json.array(texts.filter { !$0.0.isEmpty }) { json, text in
            json.object { json in
                json.field("type", "TextBlock")
                json.field("text", plainMarkdown(text.0))
                json.field("wrap", true)
                if text.1 { json.field("weight", "Bolder") }
            }
        }
    }

    private static func cut(_ text: String, _ max: Int) -> String {
        text.count <= max ? text : text.prefix(max) + "…"
    }
}
