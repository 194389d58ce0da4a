/// A login of a browser, with the texts that it is shown once.
package struct BrowserSession: Equatable, Sendable {
    package var principal: Principal
    /// For the cookie. Only its hash is stored.
    package var cookie: String
    package var expiresAt: Int64

    package init(principal: Principal, cookie: String, expiresAt: Int64) {
        self.principal = principal
        self.cookie = cookie
        self.expiresAt = expiresAt
    }
}

/// Sessions that live in a browser's cookie. Each is a row of the database, so it ends when the row says so.
package protocol BrowserLogins: Sendable {
    /// Always a new session. Throws ``LoginFailure``.
    func browserLogin(username: String, password: String, remote: String) async throws -> BrowserSession
    /// The owner of a cookie; nil where it is unknown, has expired, was idle for too long or was ended.
    func authenticate(cookie: String) async throws -> Principal?
    /// What a page of ours sends with each write, and a page of others can't know. The same for the whole life of a session.
    func forgeryToken(of principal: Principal) -> String
    /// Compares in a time that does not depend on the texts.
    func isForgeryToken(_ text: String, of principal: Principal) -> Bool
}
