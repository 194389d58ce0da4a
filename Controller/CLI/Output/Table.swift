/// Columns for people; scripts take `--json`.
package struct Table {
    package var header: [String]
    package var rows: [[String]] = []

    package init(_ header: [String]) {
        self.header = header
    }

    package mutating func add(_ cells: [String]) {
        rows.append(cells.map { SafeText.line($0, colours: false) })
    }

    /// Each column as wide as its widest cell, two blanks between.
    ///
    /// - Parameter paint: gives a cell its colours after it was padded, by column; its text must keep its width
    package func text(paint: (_ column: Int, _ cell: String) -> String = { $1 }) -> String {
        var widths = header.map(\.count)
        for row in rows {
            for (column, cell) in row.enumerated() where column < widths.count {
                widths[column] = max(widths[column], cell.count)
            }
        }
        func line(_ cells: [String], painted: Bool) -> String {
            var result = ""
            for (column, cell) in cells.enumerated() {
                result += painted ? paint(column, cell) : cell
                guard column + 1 < cells.count else { continue }
                result += String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            return result
        }
        return ([line(header, painted: false)] + rows.map { line($0, painted: true) }).joined(separator: "\n")
    }
}
