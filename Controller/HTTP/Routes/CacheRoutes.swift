import ControllerCore
import HTTPTypes

/// What the caches hold and how well they do.
struct CacheRoutes {
    let services: HTTPServices
    let shared: SharedParts

    static let path = "/api/v1/system/cache"

    var routes: [Route] {
        [
            Route(
                .get, Self.path, .read, "cacheStatistics", "Hits and misses of caches",
                describes: Description(.system, answers: [.ok(.component(Schemas.caches))]), handler: show),
            Route(
                .delete, Self.path, .admin, "clearCaches", "Empty all caches",
                describes: Description(
                    .system, "Never needed for right answers: what a commit changes is never served after it.",
                    answers: [.noContent]), handler: clear),
        ]
    }

    private var all: [any ReportedCache] { shared.caches.all + services.caches }

    @Sendable private func show(_ call: Call) async throws -> Reply {
        .json { json in
            json.object { json in
                json.name("caches")
                json.array(all.map(\.statistics)) { json, cache in
                    let total = cache.hits + cache.misses
                    json.object { json in
                        json.field("name", cache.name)
                        json.field("hits", cache.hits)
                        json.field("misses", cache.misses)
                        json.field("hit_rate", total > 0 ? Double(cache.hits) / Double(total) : nil)
                        json.field("entries", cache.entries)
                        json.field("bytes", cache.bytes)
                        json.field("bytes_max", cache.bytesMax)
                        json.field("evictions", cache.evictions)
                    }
                }
            }
        }
    }

    @Sendable private func clear(_ call: Call) async throws -> Reply {
        for cache in all { cache.clear() }
        return .noContent
    }
}
