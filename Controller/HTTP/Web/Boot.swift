import ControllerCore
import NIOCore

/// What the script of a page begins with: who is here, what the address names, and the answers that the page is made of.
struct Boot: Sendable {
    /// Names of the address with their ids, for the script.
    var place: [(name: String, id: Int64)] = []
    /// Names of the address as they are written where they were made.
    var names: [(name: String, text: String)] = []
    var title: String
    /// Of which entry of the navigation the page is.
    var section: String
    /// Paths of the interface.
    var data: [String] = []
    /// Large parts of the script that the page needs: `log`, `graph`, `edit`, `editor`.
    var parts: [String] = []

    /// What every page asks for when it begins: names for links, and how many notices nobody has read.
    private static let common = ["/api/v1/projects?per_page=100", "/api/v1/notifications?unread=true&per_page=1"]

    init(_ title: String, section: String, data: [String] = [], parts: [String] = []) {
        self.title = title
        self.section = section
        self.data = data
        self.parts = parts
    }

    /// - Parameter user: written where it is a whole page; a script that is running knows it.
    func json(
        _ call: Call, _ inner: InnerCalls, user: ((inout JSONWriter) -> Void)?, look: PageLook, version: String,
        editor: String?
    ) async -> [UInt8] {
        var answers: [(String, ByteBuffer)] = []
        for path in data + (user == nil ? [] : Self.common) {
            if let answer = await inner.json(path, for: call) { answers.append((path, answer)) }
        }
        var json = JSONWriter(capacity: 1024 + answers.reduce(0) { $0 + $1.1.readableBytes })
        json.object { json in
            json.field("title", title)
            json.field("section", section)
            json.field("version", version)
            json.field("theme", look.theme)
            json.field("density", look.density)
            json.field("editor", editor)
            json.name("place")
            json.object { json in
                for (name, id) in place {
                    json.key(name)
                    json.int(id)
                }
                for (name, text) in names {
                    json.key(name)
                    json.string(text)
                }
            }
            if let user {
                json.name("user")
                user(&json)
            }
            json.name("data")
            json.object { json in
                for (path, answer) in answers {
                    json.key(path)
                    json.raw(answer.readableBytesView)
                }
            }
        }
        return json.bytes
    }
}
