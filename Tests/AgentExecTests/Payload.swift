import AnsFlowRecords

/// The output in encoded records.
func payload(_ records: [UInt8]) -> [UInt8] {
    records.withUnsafeBytes { raw in
        var reader = ByteReader(raw)
        var bytes: [UInt8] = []
        while let record = LogRecord(header: &reader), let part = reader.slice(Int(record.length)) { bytes += part }
        return bytes
    }
}
