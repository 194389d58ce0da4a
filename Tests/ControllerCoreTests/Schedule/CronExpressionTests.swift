import ControllerCore
import Foundation
import Testing

@Suite("Cron expressions") struct CronExpressionTests {
    /// 2026-03-02 is a Monday.
    private static let monday: Int64 = 20_514

    @Test(
        "all forms of a field are understood",
        arguments: [
            ("*/20 * * * *", "0 * * * *", false), ("0,20,40 * * * *", "*/20 * * * *", true),
            ("0-59/20 * * * *", "*/20 * * * *", true), ("0/20 * * * *", "*/20 * * * *", true),
            ("0 0 * jan-mar,DEC mon", "0 0 * 1-3,12 1", true), ("0 0 * * 7", "0 0 * * sun", true),
            ("0 0 * * 5-7", "0 0 * * fri,sat,sun", true), ("0 0 * * sun-tue", "0 0 * * 0-2", true),
            ("@daily", "0 0 * * *", true), ("@midnight", "@daily", true), ("@hourly", "0 * * * *", true),
            ("@weekly", "0 0 * * sun", true), ("@monthly", "0 0 1 * *", true), ("@yearly", "0 0 1 1 *", true),
            ("@annually", "@yearly", true), ("  0\t0 *  * *", "0 0 * * *", true),
            ("0 0 * * */2", "0 0 * * 0,2,4,6", true),
        ])
    func forms(_ text: String, _ other: String, _ isSame: Bool) throws {
        let (one, two) = (try CronExpression(text), try CronExpression(other))
        var from: Int64 = Self.monday * 86_400_000
        var differs = false
        for _ in 0..<200 {
            let next = try #require(one.next(after: from, in: .utc))
            if next != two.next(after: from, in: .utc) { differs = true }
            #expect(next > from)
            from = next
        }
        #expect(differs != isSame)
    }

    @Test(
        "what is wrong is said",
        arguments: [
            ("", "0 fields"), ("* * * *", "4 fields"), ("* * * * * *", "6 fields"), ("60 * * * *", "minute `60`"),
            ("* 24 * * *", "hour `24`"), ("* * 0 * *", "day of the month `0`"), ("* * * 13 *", "month `13`"),
            ("* * * * 8", "day of the week `8`"), ("*/0 * * * *", "step `0`"), ("5-1 * * * *", "runs backwards"),
            ("a * * * *", "minute `a`"), ("1,,2 * * * *", "minute `1,,2`"), ("1-2-3 * * * *", "minute `1-2-3`"),
            ("1/2/3 * * * *", "minute `1/2/3`"), ("-1 * * * *", "minute `-1`"), ("@reboot", "`@reboot` is not known"),
            ("@daily 1", "not known"), ("0 0 30 2 *", "never comes"), ("0 0 31 4,6,9,11 *", "never comes"),
            ("0 0 * foo *", "jan, feb"), ("+1 * * * *", "minute `+1`"), ("١ * * * *", "is not understood"),
            ("* * * * * " + String(repeating: "1", count: 300), "too long"),
        ])
    func refusals(_ text: String, _ words: String) {
        let error = #expect(throws: CronExpression.Refusal.self) { try CronExpression(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test("both day fields set: either matches; a field with a star in front does not count as set")
    func eitherDay() throws {
        let either = try CronExpression("0 0 13 * fri")
        let both = try CronExpression("0 0 */2 * fri")
        var (eithers, boths) = (0, 0)
        for number in Self.monday..<Self.monday + 365 {
            let day = CivilDay(number: number)
            #expect(either.matches(day: day, minuteOfDay: 0) == (day.day == 13 || day.weekday == 5))
            #expect(both.matches(day: day, minuteOfDay: 0) == (day.day % 2 == 1 && day.weekday == 5))
            eithers += either.matches(day: day, minuteOfDay: 0) ? 1 : 0
            boths += both.matches(day: day, minuteOfDay: 0) ? 1 : 0
        }
        #expect(eithers > 60 && boths > 20)
    }

    @Test("a day that comes once in 40 years is found soon")
    func rareDay() throws {
        // 29 February on a Sunday: after 2032 next in 2060, after 2088 not before 2128.
        let rare = try CronExpression("0 0 29 2 */7")
        let start = CivilDay(number: 43_200)  // 2088-04-11
        #expect(start.year == 2088)
        let next = try #require(rare.next(after: start.number * 86_400_000, in: .utc))
        let day = CivilDay(number: next / 86_400_000)
        #expect((day.year, day.month, day.day, day.weekday) == (2128, 2, 29, 0))
    }

    @Test("a plan keeps its text") func codable() throws {
        let trigger = ScheduleTrigger(
            name: "nightly", at: try CronExpression("30 2 * * mon-fri"), zone: "Europe/Berlin")
        let data = try JSONEncoder().encode(trigger)
        #expect(String(decoding: data, as: UTF8.self).contains("30 2 * * mon-fri"))
        #expect(try JSONDecoder().decode(ScheduleTrigger.self, from: data) == trigger)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([CronExpression].self, from: Data(#"["x"]"#.utf8))
        }
    }
}

/// Holds slots against what `Tests/Fixtures/cron/make.py` found by walking over minutes with Python's zone database.
@Suite("Cron expressions against an oracle") struct CronOracleTests {
    @Test("every zone, every change of its clocks") func oracle() throws {
        let zones = try Fixture.zones()
        var cases = 0
        var slots = 0
        for line in try Fixture.lines("slots.txt") {
            let parts = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            let zone = try #require(zones[parts[0]])
            let cron = try CronExpression(parts[1])
            var from = try #require(Int64(parts[2])) * 1_000
            for slot in parts[3].split(separator: ",").compactMap({ Int64($0) }) {
                let next = cron.next(after: from, in: zone)
                #expect(next == slot * 1_000, "\(parts[0]) \(parts[1]) after \(from / 1_000)")
                guard next == slot * 1_000 else { break }
                // From any instant before it, not only from the last slot.
                #expect(cron.next(after: slot * 1_000 - 1, in: zone) == next)
                from = slot * 1_000
                slots += 1
            }
            cases += 1
        }
        #expect(cases > 500 && slots > 7_000)
    }

    @Test("Berlin, in words") func berlin() throws {
        let zone = try #require(try Fixture.zones()["Europe/Berlin"])
        // 2024-03-31: 02:00 becomes 03:00 at 01:00 UTC. 2024-10-27: 03:00 becomes 02:00 at 01:00 UTC.
        let (gap, overlap): (Int64, Int64) = (1_711_846_800_000, 1_729_990_800_000)
        let daily = try CronExpression("30 2 * * *")
        #expect(daily.next(after: gap - 3_600_000, in: zone) == gap)
        #expect(daily.next(after: gap, in: zone) == gap + 23 * 3_600_000 + 1_800_000)
        // The first half past two; the second is passed over.
        #expect(daily.next(after: overlap - 7_200_000, in: zone) == overlap - 1_800_000)
        #expect(daily.next(after: overlap - 1_800_000, in: zone) == overlap + 24 * 3_600_000 + 1_800_000)
        // Several skipped times come together, once.
        let often = try CronExpression("*/10 2 * * *")
        #expect(often.next(after: gap - 1, in: zone) == gap)
        #expect(often.next(after: gap, in: zone) == gap + 23 * 3_600_000)
        // An interval goes on.
        let interval = try CronExpression("*/30 * * * *")
        #expect(interval.next(after: gap - 1_800_000, in: zone) == gap)
        #expect(interval.next(after: overlap, in: zone) == overlap + 1_800_000)
        #expect(interval.next(after: overlap + 1_800_000, in: zone) == overlap + 3_600_000)
    }

    @Test("a day that a zone left out comes once, at the next day's first instant") func wholeDay() throws {
        // Apia went from 2011-12-29 24:00 at -10 to 2011-12-31 00:00 at +14.
        let change: Int64 = 1_325_239_200
        let zone = ZoneOffset { $0 < change ? -10 * 3_600 : 14 * 3_600 }
        let daily = try CronExpression("0 12 * * *")
        let before = try #require(daily.next(after: (change - 20 * 3_600) * 1_000, in: zone))
        #expect(before == (change - 12 * 3_600) * 1_000)
        #expect(daily.next(after: before, in: zone) == change * 1_000)
        #expect(daily.next(after: change * 1_000, in: zone) == (change + 12 * 3_600) * 1_000)
    }
}

enum Fixture {
    static func lines(_ name: String) throws -> [String] {
        var folder = URL(filePath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        let text = try String(contentsOf: folder.appending(path: "Fixtures/cron/\(name)"), encoding: .utf8)
        return text.split(separator: "\n").map(String.init)
    }

    /// The zones of `zones.txt`, each a table of changes.
    static func zones() throws -> [String: ZoneOffset] {
        var tables: [String: [(at: Int64, offset: Int)]] = [:]
        for line in try lines("zones.txt") {
            let parts = line.split(separator: " ").map(String.init)
            tables[parts[0], default: []].append((try #require(Int64(parts[1])), try #require(Int(parts[2]))))
        }
        return tables.mapValues { table in
            ZoneOffset { instant in (table.last { $0.at <= instant } ?? table[0]).offset }
        }
    }
}
