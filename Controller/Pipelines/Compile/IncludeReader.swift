import ControllerCore

/// Reads a pipeline's file and all that it includes.
enum IncludeReader {
    static func read(
        _ source: [UInt8], includes: [String: String], _ findings: inout Findings
    ) -> PipelineDefinition? {
        guard let root = document(source, file: 0, PipelineSchema.root, &findings) else { return nil }
        var documents = [root]
        add(root, includes, to: &documents, &findings)
        return DefinitionBuilder.build(documents, &findings)
    }

    private static func document(
        _ source: [UInt8], file: Int, _ object: SchemaObject, _ findings: inout Findings
    ) -> DefinitionBuilder.Document? {
        guard let node = YamlReader.read(source, file: file, &findings) else { return nil }
        if node.isNull {
            findings.report(
                .emptyFile, "The file is empty.", at: node.span,
                hint: file == 0 ? "A pipeline has `steps` or `jobs`." : "Remove the `include`.")
            return nil
        }
        return SchemaReader.read(node, as: object, &findings).map { DefinitionBuilder.Document(fields: $0, root: node) }
    }

    /// Reads the included files in the order of their reading, each once.
    private static func add(
        _ root: DefinitionBuilder.Document, _ texts: [String: String],
        to documents: inout [DefinitionBuilder.Document], _ findings: inout Findings
    ) {
        let first = DefinitionBuilder.includes(of: root.fields)
        guard !first.isEmpty else { return }
        /// Where a path was named first.
        var places: [String: (span: SourceSpan, path: DocumentPath)] = [:]
        var written: [String: (span: SourceSpan, path: DocumentPath)] = [:]
        func note(_ entries: [(path: String, span: SourceSpan, place: DocumentPath)], in file: String) {
            for entry in entries {
                written[file + "\n" + entry.path] = (entry.span, entry.place)
                guard let path = try? IncludeWalk.normalise(entry.path, in: file), places[path] == nil else { continue }
                places[path] = (entry.span, entry.place)
            }
        }
        do throws(IncludeWalk.Refusal) {
            note(first, in: findings.files[0])
            var walk = try IncludeWalk(file: findings.files[0], includes: first.map(\.path))
            while let path = walk.wanted {
                let place = places[path]
                guard let text = texts[path] else {
                    findings.report(
                        .includeFailed, "There is no file `\(path)`.", at: place?.span ?? .start,
                        path: place?.path ?? DocumentPath(), hint: "Paths count from the root of the repository.")
                    try walk.add("", includes: [])
                    continue
                }
                let file = findings.add(file: path)
                let document = document(Array(text.utf8), file: file, PipelineSchema.included, &findings)
                let entries = document.map { DefinitionBuilder.includes(of: $0.fields) } ?? []
                note(entries, in: path)
                if let document { documents.append(document) }
                try walk.add(text, includes: entries.map(\.path))
            }
        } catch {
            let place = written[error.file + "\n" + error.include] ?? places[error.include]
            findings.report(
                error.description.contains("circle") ? .includeCycle : .includeFailed, error.description,
                at: place?.span ?? first[0].span, path: place?.path ?? first[0].place)
        }
    }

    /// The paths that a document includes, without judging anything else of it.
    static func includes(of root: YamlNode) -> [String] {
        guard case .mapping(let entries) = root.content,
            let value = entries.first(where: { $0.key == "include" })?.value
        else { return [] }
        let items: [YamlNode] = if case .sequence(let items) = value.content { items } else { [value] }
        return items.compactMap { item in
            switch item.content {
            case .scalar(let scalar): return scalar.text
            case .mapping(let entries):
                guard let local = entries.first(where: { $0.key == "local" }),
                    case .scalar(let scalar) = local.value.content
                else { return nil }
                return scalar.text
            case .sequence: return nil
            }
        }
    }
}
