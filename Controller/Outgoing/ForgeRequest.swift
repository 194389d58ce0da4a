import ControllerCore
import Crypto

/// A commit's status in the words of each forge's interface.
enum ForgeRequest {
    /// Why none can be made: a sentence.
    struct Refusal: Error, Equatable {
        var text: String
    }

    /// - Parameters:
    ///   - token: The secret's value.
    ///   - link: Where the run is to be seen; `nil` where nobody said how people reach the controller.
    static func make(
        _ connection: ForgeConnection, _ status: CommitStatus, token: String, link: String?
    ) throws(Refusal) -> OutgoingRequest {
        let token = trimmed(token)
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Refusal(text: "The secret \(connection.secret) holds no token: it is empty or has blanks in it.")
        }
        var json = JSONWriter(capacity: 512)
        let path: String
        var headers = [("Content-Type", "application/json"), ("Accept", "application/json")]
        switch connection.kind {
        case .github:
            path = "/repos/\(connection.repository)/statuses/\(status.commit)"
            headers[1].1 = "application/vnd.github+json"
            headers += [("X-GitHub-Api-Version", "2022-11-28"), ("Authorization", "Bearer \(token)")]
            common(status, link, word(status.state, .github), &json)
        case .gitea:
            path = "/repos/\(connection.repository)/statuses/\(status.commit)"
            headers.append(("Authorization", "token \(token)"))
            common(status, link, word(status.state, .gitea), &json)
        case .gitlab:
            path = "/projects/\(encoded(connection.repository))/statuses/\(status.commit)"
            headers.append(("PRIVATE-TOKEN", token))
            json.object { json in
                json.field("state", word(status.state, .gitlab))
                json.field("name", status.context)
                json.field("description", status.summary)
                if let link { json.field("target_url", link) }
                if !status.ref.isEmpty { json.field("ref", status.ref) }
            }
        case .bitbucket:
            guard let link else {
                throw Refusal(
                    text: "Bitbucket wants a link with each status: start the controller with --public-url.")
            }
            path = "/repositories/\(connection.repository)/commit/\(status.commit)/statuses/build"
            // Email and API token, or an access token.
            let isPair = token.contains(":")
            headers.append(("Authorization", isPair ? "Basic \(base64(Array(token.utf8)))" : "Bearer \(token)"))
            json.object { json in
                json.field("key", key(status.context))
                json.field("name", status.context)
                json.field("state", word(status.state, .bitbucket))
                json.field("description", status.summary)
                json.field("url", link)
                if !status.ref.isEmpty { json.field("refname", status.ref) }
            }
        }
        return OutgoingRequest("POST", connection.api + path, headers: headers, body: json.bytes)
    }

    /// GitHub's form, which Gitea has too.
    private static func common(_ status: CommitStatus, _ link: String?, _ word: String, _ json: inout JSONWriter) {
        json.object { json in
            json.field("state", word)
            json.field("context", status.context)
            json.field("description", status.summary)
            if let link { json.field("target_url", link) }
        }
    }

    static func word(_ state: CommitState, _ kind: ForgeKind) -> String {
        switch (kind, state) {
        case (.github, .pending), (.github, .running), (.gitea, .pending), (.gitea, .running), (.gitlab, .pending):
            "pending"
        case (.github, .success), (.gitea, .success), (.gitlab, .success): "success"
        // A check that was not needed must hinder nobody.
        case (.github, .neutral), (.gitea, .neutral), (.gitlab, .neutral): "success"
        case (.github, .failure), (.gitea, .failure): "failure"
        case (.github, .error), (.gitea, .error), (.github, .cancelled), (.gitea, .cancelled): "error"
        case (.gitlab, .running): "running"
        case (.gitlab, .failure), (.gitlab, .error): "failed"
        case (.gitlab, .cancelled): "canceled"
        case (.bitbucket, .pending), (.bitbucket, .running): "INPROGRESS"
        case (.bitbucket, .success), (.bitbucket, .neutral): "SUCCESSFUL"
        case (.bitbucket, .failure), (.bitbucket, .error): "FAILED"
        case (.bitbucket, .cancelled): "STOPPED"
        }
    }

    /// Bitbucket takes 40 characters: a longer context is shortened, with a part that stays the same and tells it apart.
    static func key(_ context: String) -> String {
        guard context.utf8.count > 40 else { return context }
        let digest = SHA256.hash(data: Array(context.utf8)).prefix(8)
        let hex = digest.flatMap { [Self.hex[Int($0 >> 4)], Self.hex[Int($0 & 15)]] }
        var start = ""
        for character in context {
            guard start.utf8.count + character.utf8.count <= 23 else { break }
            start.append(character)
        }
        return start + "-" + String(decoding: hex, as: UTF8.self)
    }

    private static let hex = Array("0123456789abcdef".utf8)

    /// A path as one segment.
    private static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E
            if isPlain {
                bytes.append(byte)
            } else {
                bytes += [
                    0x25, Array("0123456789ABCDEF".utf8)[Int(byte >> 4)],
                    Array("0123456789ABCDEF".utf8)[Int(byte & 15)],
                ]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func trimmed(_ text: String) -> String {
        var part = text[...]
        while let last = part.last, last.isWhitespace { part.removeLast() }
        while let first = part.first, first.isWhitespace { part.removeFirst() }
        return String(part)
    }
}
