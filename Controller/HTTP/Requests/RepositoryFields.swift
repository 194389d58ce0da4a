import ControllerCore

/// `repository: {url, ref, path, credential}` of a pipeline.
struct RepositoryFields {
    var url = ""
    var ref = ""
    /// Where the definition lies; empty where it is stored.
    var path = ""
    /// Name of the project's secret that opens the repository.
    var credential = ""

    init(_ old: PipelineRow?) {
        guard let old else { return }
        (url, ref, path, credential) = (old.repositoryURL, old.ref, old.path, old.credential)
    }

    /// Takes what is given over what was there.
    mutating func read(_ value: JSONValue, into fields: inout Fields) throws {
        var repository = try Fields(value)
        url = repository.string("url", max: 2048, min: 1) ?? url
        ref = repository.string("ref", max: 1024) ?? ref
        path = repository.string("path", max: IncludeWalk.pathBytesMax) ?? path
        credential = repository.string("credential", max: SecretLimits.nameBytesMax) ?? credential
        try repository.finish()
        if !path.isEmpty {
            do {
                path = try IncludeWalk.normalise(path, in: "")
            } catch {
                fields.wrong("repository.path", error.description)
            }
        }
        if !credential.isEmpty, !SecretLimits.isName(credential) {
            fields.wrong(
                "repository.credential",
                "It is the name of a secret: a letter or underscore, then letters, digits, underscores.")
        }
    }

    /// A pipeline needs a definition, from one place.
    func check(definition: String?, isWhole: Bool, _ services: HTTPServices, _ fields: inout Fields) {
        if path.isEmpty {
            if isWhole, definition == nil {
                fields.wrong("definition", "Give the definition, or `repository.path`, where the repository has it.")
            }
        } else if definition != nil {
            fields.wrong("definition", "Give either `definition` or `repository.path`, not both.")
        } else if url.isEmpty {
            fields.wrong("repository.url", "A definition can only be read from a repository: give its address.")
        } else if services.preparation == nil {
            fields.wrong("repository.path", "This controller reads no definitions from repositories.")
        }
    }
}
