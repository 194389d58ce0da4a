/// Finds cycles in a graph of needs by depth-first search without recursion.
enum Cycles {
    /// - Parameter edges: for each node the indexes of those that it needs.
    /// - Parameter limit: how many cycles are looked for.
    /// - Returns: for each edge that closes a cycle the nodes on it, the first again at the end.
    static func find(_ edges: [[Int]], limit: Int = 20) -> [[Int]] {
        enum Colour { case new, open, done }
        var colours = [Colour](repeating: .new, count: edges.count)
        var cycles: [[Int]] = []
        for start in edges.indices where colours[start] == .new {
            var path = [start]
            var next = [0]
            colours[start] = .open
            while let node = path.last, let turn = next.last {
                guard turn < edges[node].count else {
                    colours[node] = .done
                    path.removeLast()
                    next.removeLast()
                    continue
                }
                next[next.count - 1] += 1
                let target = edges[node][turn]
                switch colours[target] {
                case .new:
                    colours[target] = .open
                    path.append(target)
                    next.append(0)
                case .open:
                    let begin = path.firstIndex(of: target) ?? 0
                    cycles.append(Array(path[begin...]) + [target])
                    if cycles.count == limit { return cycles }
                case .done:
                    break
                }
            }
        }
        return cycles
    }
}
