extension JSONWriter {
    package mutating func field(_ name: StaticString, _ value: String?) {
        self.name(name)
        if let value { string(value) } else { null() }
    }

    @inlinable
    package mutating func field(_ name: StaticString, _ value: (some BinaryInteger)?) {
        self.name(name)
        if let value { int(value) } else { null() }
    }

    package mutating func field(_ name: StaticString, _ value: Bool) {
        self.name(name)
        bool(value)
    }

    package mutating func field(_ name: StaticString, _ value: Double?) {
        self.name(name)
        if let value { double(value) } else { null() }
    }

    /// A time in ms since 1970.
    package mutating func field(_ name: StaticString, time value: Int64?) {
        self.name(name)
        if let value { time(value) } else { null() }
    }

    /// By name, so that the same values give the same bytes.
    package mutating func field(_ name: StaticString, _ values: [String: String]) {
        self.name(name)
        object { json in
            for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                json.key(key)
                json.string(value)
            }
        }
    }

    package mutating func field(_ name: StaticString, _ values: [String]) {
        self.name(name)
        array(values) { $0.string($1) }
    }
}
