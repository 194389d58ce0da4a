import HTTPTypes

/// How a person wants pages to look: cookies that the page sets, read here so that no page flashes.
struct PageLook: Sendable {
    var theme = "auto"
    var density = "comfortable"

    private static let themes = ["auto", "light", "dark"]
    private static let densities = ["comfortable", "compact"]

    init(cookie header: String?) {
        for part in (header ?? "").split(separator: ";") {
            let sides = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2 else { continue }
            if sides[0] == "ansflow_theme", Self.themes.contains(sides[1]) { theme = sides[1] }
            if sides[0] == "ansflow_density", Self.densities.contains(sides[1]) { density = sides[1] }
        }
    }
}

/// Where a browser goes on after logging in.
enum NextAddress {
    /// An address of this host, or `/`: nobody is led elsewhere by a link to our login.
    static func safe(_ text: String?) -> String {
        guard let text, text.utf8.count <= 2048, text.hasPrefix("/"), !text.hasPrefix("//"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") })
        else { return "/" }
        let path = text.prefix { $0 != "?" && $0 != "#" }
        return ["/login", "/logout", "/setup"].contains(path) || (try? RequestPath(path)) == nil ? "/" : text
    }
}
