import SwiftASN1

/// PEM around DER.
enum PEMText {
    static func certificate(der: [UInt8]) -> [UInt8] {
        Array(PEMDocument(type: "CERTIFICATE", derBytes: der).pemString.utf8) + [UInt8(ascii: "\n")]
    }
}
