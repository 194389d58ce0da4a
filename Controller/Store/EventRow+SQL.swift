import AnsFlowProtocol
import ControllerCore

extension EventRow {
    static let columns = "id, run, pipeline, project, seq, at, kind, data"
    static let insert = "INSERT INTO events (\(columns)) VALUES (?,?,?,?,?,?,?,?)"

    func fill(_ arguments: inout Arguments) {
        arguments.add(id)
        arguments.add(run)
        arguments.add(pipeline)
        arguments.add(project)
        arguments.add(seq)
        arguments.add(at)
        arguments.add(kind)
        arguments.add(data)
    }

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.int64(), run: columns.id(), pipeline: columns.id(), project: columns.id(),
            seq: columns.int64(), at: columns.int64(), kind: try columns.word(), data: columns.bytes())
    }
}
