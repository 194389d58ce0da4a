import ArgumentParser

/// Which part of a list is shown.
package struct Paging: ParsableArguments {
    @Option(name: .long, help: "Page, from 1.")
    package var page = 1

    @Option(name: .long, help: "Items on a page, at most 100.")
    package var perPage = 20

    package init() {}

    package func validate() throws {
        guard page >= 1 else { throw ValidationError("--page counts from 1") }
        guard (1...100).contains(perPage) else { throw ValidationError("--per-page takes 1 to 100") }
    }

    package var query: [(String, String)] { [("page", String(page)), ("per_page", String(perPage))] }

    /// Says on standard error where more can be had.
    package func note(shown: Int, total: Int?) {
        guard let total, total > shown, Terminal.isTerminal else { return }
        Terminal.note("\(shown) of \(total); --page and --per-page show more")
    }
}
