import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import ControllerHTTP

/// The served description against the routes, both ways, and its examples against its schemas.
@Suite struct DescriptionTests {
    private func document(_ client: Client) async throws -> [String: Any] {
        let answer = try await client.send("GET", "/openapi.json", token: nil)
        #expect(answer.status == 200)
        return try answer.json()
    }

    @Test func theDocumentHasEveryRouteAndNoOther() async throws {
        try await withServer { _, _, client in
            let document = try await document(client)
            #expect(document["openapi"] as? String == "3.1.0")
            let paths = try #require(document["paths"] as? [String: [String: Any]])
            var described: Set<String> = []
            for (path, item) in paths { for method in item.keys { described.insert("\(method) \(path)") } }
            let served = Set(client.routes.map { "\($0.method.rawValue.lowercased()) \($0.path)" })
            #expect(described == served)
            #expect(Set(client.routes.map(\.operation)).count == client.routes.count)
        }
    }

    @Test func everyRouteSaysWhatItTakesAndAnswers() async throws {
        try await withServer { _, _, client in
            for route in client.routes {
                guard let description = route.describes else {
                    Issue.record("\(route.operation) has no description: give the route a `describes:`")
                    continue
                }
                #expect(!description.answers.isEmpty, "\(route.operation)")
                #expect(route.body.isEmpty == (description.takes == nil), "\(route.operation): body and `takes`")
                for answer in description.answers where answer.schema != nil {
                    #expect(answer.example != nil, "\(route.operation): \(answer.status) has no example")
                }
            }
        }
    }

    @Test func everyExampleFitsItsSchema() async throws {
        try await withServer { _, _, client in
            let document = try await document(client)
            let check = SchemaCheck(document)
            var examples = 0
            func walk(_ value: Any, _ place: String) {
                if let list = value as? [Any] {
                    for (index, item) in list.enumerated() { walk(item, "\(place)[\(index)]") }
                }
                guard let object = value as? [String: Any] else { return }
                if let schema = object["schema"] as? [String: Any], let example = object["example"] {
                    examples += 1
                    let faults = check.faults(example, schema)
                    #expect(faults.isEmpty, "\(place): \(faults)")
                }
                for (name, member) in object where name != "example" { walk(member, "\(place)/\(name)") }
            }
            walk(document, "")
            #expect(examples > 100)
            for component in OpenAPI.components(of: client.routes).values {
                let value = try JSONSerialization.jsonObject(
                    with: Data(component.example.utf8), options: .fragmentsAllowed)
                let faults = check.faults(value, ["$ref": "#/components/schemas/\(component.name)"])
                #expect(faults.isEmpty, "\(component.name): \(faults)")
            }
        }
    }

    @Test func theDocumentIsCachedByItsTag() async throws {
        try await withServer { _, _, client in
            let first = try await client.send("GET", "/openapi.json", token: nil)
            let tag = try #require(first.headers["etag"])
            let second = try await client.send("GET", "/openapi.json", token: nil, headers: [("If-None-Match", tag)])
            #expect(second.status == 304)
            #expect(second.body.isEmpty)
        }
    }

    /// Whatever a parameter is declared to be is what it is held against.
    @Test func parametersAreHeldAgainstWhatIsDeclared() async throws {
        try await withServer { world, _, client in
            world.addRun(1)
            for route in client.routes where route.method == .get {
                let path = route.path == "/" ? "/" : RouteTests.example(route)
                let unknown = try await client.get(path + "?unheard_of=1")
                #expect(unknown.status == 400, "\(route.operation)")
                #expect(unknown.body.contains("query.unheard_of"), "\(route.operation)")
                for parameter in route.query {
                    let wrong =
                        switch parameter.kind {
                        case .integer: "1.5"
                        case .text(let max): String(repeating: "x", count: max + 1)
                        case .name: "a%20b"
                        case .hex: "0f"
                        case .choice: "unheard-of"
                        case .flag: "perhaps"
                        case .time: "yesterday"
                        }
                    let answer = try await client.get("\(path)?\(parameter.name)=\(wrong)")
                    #expect(answer.status == 400, "\(route.operation) \(parameter.name)")
                    #expect(answer.body.contains("query.\(parameter.name)"), "\(route.operation) \(parameter.name)")
                }
            }
            for route in client.routes {
                for name in route.parameterNames where route.kind(of: name) == .id {
                    let path = route.path.replacingOccurrences(of: "{\(name)}", with: "one")
                        .replacingOccurrences(of: #"\{[^}]*\}"#, with: "1", options: .regularExpression)
                    let answer = try await client.send(
                        route.method.rawValue, path, body: route.body.isEmpty ? nil : "{}")
                    #expect(answer.status == 400, "\(route.operation)")
                    #expect(answer.body.contains("path.\(name)"), "\(route.operation)")
                }
            }
        }
    }
}
