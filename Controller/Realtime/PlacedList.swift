/// Something that knows where it stands in its list.
protocol Placed: AnyObject {
    /// Written by ``PlacedList`` alone.
    var place: Int { get set }
}

/// Objects in no order, for going through all of them often; one comes or goes in O(1).
struct PlacedList<Element: Placed> {
    private(set) var all: [Element] = []

    mutating func add(_ element: Element) {
        element.place = all.count
        all.append(element)
    }

    /// The last one takes the place of the one that goes. Does nothing where it is not here.
    mutating func remove(_ element: Element) {
        let place = element.place
        guard place < all.count, all[place] === element else { return }
        all.swapAt(place, all.count - 1)
        all[place].place = place
        all.removeLast()
    }
}
