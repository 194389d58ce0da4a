import Testing

@testable import ControllerRealtime

@Suite struct PlacedListTests {
    private final class Item: Placed {
        let id: Int
        var place = 0
        init(_ id: Int) { self.id = id }
    }

    @Test func holdsWhatASetWouldHold() {
        var random = SystemRandomNumberGenerator()
        var list = PlacedList<Item>()
        var here: [Int: Item] = [:]
        var gone: [Item] = []
        for id in 0..<2000 {
            if Bool.random(using: &random) || here.isEmpty {
                let item = Item(id)
                list.add(item)
                here[id] = item
            } else if let pair = here.randomElement(using: &random) {
                list.remove(pair.value)
                here[pair.key] = nil
                gone.append(pair.value)
            }
            // One that has gone takes nobody along.
            if let item = gone.randomElement(using: &random) { list.remove(item) }
            #expect(Set(list.all.map(\.id)) == Set(here.keys) && list.all.count == here.count)
            #expect(list.all.enumerated().allSatisfy { $0.offset == $0.element.place })
        }
    }
}
