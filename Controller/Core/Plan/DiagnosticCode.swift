/// What kind of finding a ``Diagnostic`` is. Clients match on these words: one is never given another meaning.
package enum DiagnosticCode: String, Codable, Sendable, CaseIterable {
    // The file as YAML.
    case fileTooLarge = "file_too_large"
    case notUTF8 = "not_utf8"
    case yamlSyntax = "yaml_syntax"
    case unquotedInterpolation = "unquoted_interpolation"
    case yamlDepth = "yaml_depth"
    case yamlNodes = "yaml_nodes"
    case yamlTag = "yaml_tag"
    case yamlDocuments = "yaml_documents"
    case aliasUnknown = "alias_unknown"
    case aliasCycle = "alias_cycle"
    case aliasExpansion = "alias_expansion"
    case keyNotText = "key_not_text"
    case duplicateKey = "duplicate_key"
    case mergeInvalid = "merge_invalid"
    case emptyFile = "empty_file"

    // Words and types.
    case unknownWord = "unknown_word"
    case notSupportedYet = "not_supported_yet"
    case foreignWord = "foreign_word"
    case missingWord = "missing_word"
    case wrongType = "wrong_type"
    case invalidValue = "invalid_value"
    case outOfRange = "out_of_range"
    case tooMany = "too_many"
    case tooLong = "too_long"
    case conflict
    case moreErrors = "more_errors"

    // Names and the graph.
    case invalidID = "invalid_id"
    case duplicateID = "duplicate_id"
    case reservedName = "reserved_name"
    case unknownNeed = "unknown_need"
    case duplicateNeed = "duplicate_need"
    case cycle
    case matrixEmpty = "matrix_empty"
    case matrixTooLarge = "matrix_too_large"
    case matrixInvalid = "matrix_invalid"
    case includeFailed = "include_failed"
    case includeCycle = "include_cycle"

    // Expressions.
    case expressionSyntax = "expression_syntax"
    case expressionLimit = "expression_limit"
    case unknownName = "unknown_name"
    case unknownFunction = "unknown_function"
    case typeMismatch = "type_mismatch"
    case notAvailableHere = "not_available_here"
    case unsafeInterpolation = "unsafe_interpolation"

    // What was given when a run was started.
    case inputUnknown = "input_unknown"
    case inputMissing = "input_missing"
    case inputInvalid = "input_invalid"
    case repositoryInvalid = "repository_invalid"
    case refInvalid = "ref_invalid"
    case specTooLarge = "spec_too_large"

    // Warnings.
    case noRepository = "no_repository"
    case timeoutUnreachable = "timeout_unreachable"
    case matrixUnused = "matrix_unused"
}
