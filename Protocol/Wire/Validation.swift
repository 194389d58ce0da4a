// What JSON's shape can't say about a message from an agent, who may be hostile.

extension Hello {
    func validate() throws(WireError) {
        guard (1...ProtocolLimits.slotsMax).contains(slots) else {
            throw WireError("hello: slots is \(slots); 1 to \(ProtocolLimits.slotsMax) are allowed")
        }
        guard attempts.count <= ProtocolLimits.attemptsPerHelloMax else {
            throw WireError(
                "hello: \(attempts.count) attempts; at most \(ProtocolLimits.attemptsPerHelloMax) are allowed")
        }
        guard Set(attempts.map(\.attempt)).count == attempts.count else {
            throw WireError("hello: an attempt is named twice")
        }
        guard labels.count <= ProtocolLimits.labelsMax,
            labels.allSatisfy({
                !$0.key.isEmpty && $0.key.utf8.count <= ProtocolLimits.labelBytesMax
                    && $0.value.utf8.count <= ProtocolLimits.labelBytesMax
            })
        else { throw WireError("hello: too many labels, or one is too long") }
        for text in [version, processNonce, bootID, storeID] where text.isEmpty || text.utf8.count > 128 {
            throw WireError("hello: version, process_nonce, boot_id and store_id have 1 to 128 bytes each")
        }
        guard highestAttemptSeen.rawValue >= 0 else { throw WireError("hello: highest_attempt_seen is negative") }
    }
}

extension LogEnd {
    func validate() throws(WireError) {
        guard total <= ProtocolLimits.logBytesMax else {
            throw WireError("eof: total is \(total); at most \(ProtocolLimits.logBytesMax) are allowed")
        }
        if let dropped, dropped > UInt64(Int64.max) { throw WireError("eof: dropped is out of range") }
        if let sha256 {
            let hex = sha256.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
            guard sha256.utf8.count == 64, hex else {
                throw WireError("eof: sha256 is not 64 lower-case hexadecimal digits")
            }
        }
    }
}

extension Finish {
    func validate() throws(WireError) {
        try log.validate()
        guard log.attempt == attempt else { throw WireError("finish: log names another attempt") }
        guard (message?.utf8.count ?? 0) <= ProtocolLimits.reasonBytesMax else {
            throw WireError("finish: message is too long")
        }
        let bytes = outputs.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard bytes <= ProtocolLimits.outputsBytesMax else {
            throw WireError(
                "finish: outputs have \(bytes) bytes; at most \(ProtocolLimits.outputsBytesMax) are allowed")
        }
        guard usage.wallMs <= UInt64(Int64.max), usage.cpuUserMs <= UInt64(Int64.max),
            usage.cpuSystemMs <= UInt64(Int64.max), usage.memoryPeakBytes <= UInt64(Int64.max)
        else { throw WireError("finish: usage is out of range") }
    }
}
