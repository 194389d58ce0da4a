import FoundationEssentials

/// Where Swagger UI's files are.
enum DocsDirectory {
    /// - Returns: what was given, else the first usual place that is there, else nothing.
    static func find(_ given: String) -> String {
        if !given.isEmpty { return given }
        guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return ""
        }
        let folder = program.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        let places = [folder + "/swagger-ui", folder + "/../share/ansflow/swagger-ui"]
        return places.first { FileManager.default.fileExists(atPath: $0) } ?? ""
    }
}
