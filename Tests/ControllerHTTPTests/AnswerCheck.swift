import Foundation
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import ControllerHTTP

/// Holds every answer that a test gets against the description that the same routes serve.
enum AnswerCheck {
    private struct Kept: Sendable {
        var operations: [String]
        var check: SchemaCheck
        var table: RouteTable
    }

    private static let kept = Mutex<[Kept]>([])

    private static func checker(_ routes: [Route]) throws -> Kept {
        let operations = routes.map(\.operation)
        if let known = kept.withLock({ $0.first { $0.operations == operations } }) { return known }
        let document = OpenAPI.document(routes, HTTPConfiguration(now: { 0 }))
        let new = Kept(
            operations: operations, check: try SchemaCheck(Data(document.readableBytesView)), table: RouteTable(routes))
        kept.withLock { $0.append(new) }
        return new
    }

    /// What `answer` has that is not described, or the other way round.
    static func faults(_ routes: [Route], _ method: String, _ target: String, _ answer: Answer) throws -> [String] {
        let known = try checker(routes)
        guard let verb = HTTPRequest.Method(method), let path = try? RequestPath(target.prefix { $0 != "?" }),
            case .route(let index, _) = known.table.match(verb, path)
        else {
            // Nothing that a route would answer: it can only be a problem.
            // A browser's question before a request gets an empty answer.
            guard method != "HEAD", answer.status != 204 else { return [] }
            let value = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
            return known.check.faults(value, ["$ref": "#/components/schemas/Problem"])
        }
        let route = routes[index]
        guard let item = (known.check.document["paths"] as? [String: Any])?[route.path] as? [String: Any],
            let operation = item[route.method.rawValue.lowercased()] as? [String: Any],
            let responses = operation["responses"] as? [String: Any]
        else { return ["it is not described"] }
        guard var response = responses[String(answer.status)] as? [String: Any] else {
            return ["the status \(answer.status) is not described"]
        }
        if let reference = response["$ref"] as? String {
            response = known.check.resolve(reference) as? [String: Any] ?? [:]
        }
        guard method != "HEAD", !answer.body.isEmpty else { return [] }
        let type = answer.headers["content-type"]?.prefix { $0 != ";" }.lowercased() ?? "none"
        guard let content = response["content"] as? [String: Any], let media = content[type] as? [String: Any] else {
            return ["the content type \(type) of status \(answer.status) is not described"]
        }
        guard type.hasSuffix("json") else { return [] }
        let value = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
        return known.check.faults(value, media["schema"])
    }
}
