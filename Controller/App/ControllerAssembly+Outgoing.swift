import ArgumentParser
import ControllerCore
import ControllerOutgoing
import ControllerRealtime
import ControllerStore
import Logging
import ServiceLifecycle

/// What goes to other servers: statuses of commits and notices.
extension ControllerAssembly {
    func outgoing(
        _ database: Database, _ secrets: any SecretReading, _ hub: EventHub, _ disk: Disk,
        _ crash: CrashPoint?
    ) throws -> Outgoing {
        var configuration = OutgoingConfiguration(policy: try AddressPolicy(allowed: settings.outgoingAllow))
        configuration.trustFiles = settings.outgoingCAs
        let client = try OutgoingClient(configuration)
        var work = OutboxWorker.Configuration(now: Clocks.wall, jitter: { Double.random(in: 0...1) })
        work.linkBase = settings.linkBase
        work.checkpoint = { crash?.reached($0) }
        let worker = OutboxWorker(
            store: database, secrets: secrets, client: client, configuration: work,
            logger: Logger(label: "ansflow.outbox"))
        return Outgoing(worker: worker, database: database, hub: hub, disk: disk)
    }
}

/// Looks several times a second whether something is to be sent.
struct Outgoing: Service {
    let worker: OutboxWorker
    let database: Database
    let hub: EventHub
    let disk: Disk

    private static let logger = Logger(label: "ansflow.outbox")
    /// Without a commit the outbox is looked at so many ticks apart.
    private static let idleTicks = 20
    private static let diskTicks = 60
    /// What waits for another try, and what does not come from runs, is looked for so many ticks apart.
    private static let dueTicks = 4

    /// - Throws: a `ValidationError` that names the word that is wrong.
    static func check(allow: [String]) throws {
        do {
            _ = try AddressPolicy(allowed: allow)
        } catch {
            throw ValidationError("--outgoing-allow: \(error)")
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                var seen: UInt64?
                var tick = 0
                var watch = DiskWatch()
                var isBusy = true
                while (try? await Task.sleep(for: .milliseconds(250))) != nil {
                    let version = database.runsVersion
                    var mayBeDue = isBusy || tick.isMultiple(of: Self.dueTicks)
                    if version != seen || tick.isMultiple(of: Self.idleTicks) {
                        // What failed is looked at again with the next tick.
                        if await succeeded({ try await worker.derive() }) { seen = version }
                        mayBeDue = true
                    }
                    if tick.isMultiple(of: Self.diskTicks) { await look(&watch) }
                    tick &+= 1
                    guard mayBeDue else { continue }
                    let jobs = (try? await worker.due()) ?? []
                    isBusy = !jobs.isEmpty
                    for job in jobs { group.addTask { await worker.perform(job) } }
                }
            }
        }
    }

    private func succeeded(_ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
            return true
        } catch {
            Self.logger.warning("the outbox can't be looked through", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func look(_ watch: inout DiskWatch) async {
        guard let free = disk.freeBytes, watch.looked(freeBytes: free, floorBytes: disk.floorBytes) == .low else {
            return
        }
        let mib = UInt64(1024 * 1024)
        let now = Clocks.wall()
        let notice = Notice(
            .diskLow, title: "The controller's disk is almost full",
            message: "\(free / mib) MiB are free where AnsFlow keeps its data. "
                + "Below \(disk.floorBytes / mib) MiB no new run is taken. Free some room.", at: now)
        _ = await succeeded { try await worker.tell(notice, key: "disk:\(now)") }
        hub.announce("system_notice", on: .system) { json in
            json.object { json in
                json.field("event", notice.event.rawValue)
                json.field("title", notice.title)
                json.field("message", notice.message)
                json.field("at", time: notice.at)
            }
        }
    }
}
