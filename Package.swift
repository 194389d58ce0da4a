// swift-tools-version: 6.3
import PackageDescription

/// Settings that every target of ours shares: warnings are errors, and the strict upcoming features are on.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// For the cores and what the simulator runs: optimised in debug builds too, since it runs hundreds of histories.
let fast: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-O2"])]

/// A target of ours at `path`.
func module(
    _ name: String, _ path: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = strict
) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func program(
    _ name: String, _ path: String, _ dependencies: [Target.Dependency], links: [LinkerSetting] = []
) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: strict, linkerSettings: links)
}

func clang(_ name: String, _ path: String, links: [LinkerSetting] = []) -> Target {
    .target(name: name, path: path, cSettings: strictC, linkerSettings: links)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], settings: [SwiftSetting] = strict) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], path: "Tests/\(name)", swiftSettings: settings)
}

// The packages' products, under short names.
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioLocks = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypes1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let jwtKit = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let persistent = Target.Dependency.product(name: "HashTreeCollections", package: "swift-collections")

let package = Package(
    name: "AnsFlow",
    products: [
        .executable(name: "ansflow", targets: ["ansflow"]),
        .executable(name: "ansflow-controller", targets: ["ansflow-controller"]),
        .executable(name: "ansflow-agent", targets: ["ansflow-agent"]),
        .executable(name: "ansflow-shim", targets: ["ansflow-shim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    ],
    targets: [
        // Protocol: what both sides share.
        clang("CChecksum", "Protocol/Checksum"),
        module("AnsFlowRecords", "Protocol/Records", ["CChecksum"], settings: fast),
        module("AnsFlowProtocol", "Protocol/Wire", ["AnsFlowRecords"], settings: fast),
        module(
            "AnsFlowTransport", "Protocol/Transport",
            [nioCore, nioPosix, nioHTTP1, nioWebSocket, nioSSL, nioLocks, logging]),

        // Controller: the core, then adapters that do not know each other.
        module("ControllerCore", "Controller/Core", ["AnsFlowProtocol", persistent, logging], settings: fast),
        module("ControllerPipelines", "Controller/Pipelines", ["ControllerCore", "AnsFlowProtocol", yams]),
        module("ControllerStore", "Controller/Store", ["ControllerCore", "AnsFlowProtocol", grdb, crypto, logging]),
        clang("CZstd", "Controller/CZstd", links: [.linkedLibrary("zstd")]),
        clang("CLogText", "Controller/CLogText"),
        module(
            "ControllerLogs", "Controller/Logs",
            [
                "ControllerCore", "AnsFlowRecords", "AnsFlowProtocol", "CLogText", "CZstd", crypto, nioCore, nioPosix,
                logging,
            ]),
        module(
            "ControllerGateway", "Controller/Gateway",
            [
                "ControllerCore", "AnsFlowProtocol", "AnsFlowTransport", nioCore, nioPosix, nioHTTP1, nioSSL, nioLocks,
                x509, asn1, crypto, lifecycle, logging,
            ]),
        module(
            "ControllerIdentity", "Controller/Identity",
            ["ControllerCore", "AnsFlowProtocol", jwtKit, crypto, cryptoExtras, logging]),
        module(
            "ControllerRepositories", "Controller/Repositories",
            ["ControllerCore", "AnsFlowProtocol", subprocess, crypto, logging]),
        // Requests to servers that others name: forges, team chats, hooks.
        module(
            "ControllerOutgoing", "Controller/Outgoing",
            [
                "ControllerCore", "AnsFlowProtocol", "AnsFlowTransport", httpClient, crypto, nioCore, nioPosix,
                nioHTTP1,
                nioSSL, logging,
            ]),
        module(
            "ControllerWebhooks", "Controller/Webhooks",
            ["ControllerCore", "AnsFlowProtocol", "CZstd", crypto, logging]),
        .systemLibrary(name: "CExpat", path: "Controller/CExpat", providers: [.apt(["libexpat1-dev"])]),
        module(
            "ControllerArtifacts", "Controller/Artifacts",
            ["ControllerCore", "AnsFlowProtocol", "CExpat", crypto, nioCore, nioPosix, logging]),
        module(
            "ControllerMaintenance", "Controller/Maintenance",
            ["ControllerCore", "AnsFlowProtocol", crypto, cryptoExtras, nioCore, nioPosix, logging]),
        module("ControllerRealtime", "Controller/Realtime", ["ControllerCore", "AnsFlowProtocol", nioCore, logging]),
        // The web page, where packaging/web-build has built it.
        clang("CWebAssets", "Controller/CWebAssets"),
        module(
            "ControllerHTTP", "Controller/HTTP",
            [
                "ControllerCore", "ControllerRealtime", "AnsFlowProtocol", "AnsFlowTransport", "CWebAssets",
                hummingbird,
                hummingbirdCore, nioCore,
                nioPosix,
                nioHTTP1, nioWebSocket, nioSSL, nioHTTPTypes, nioHTTPTypes1, httpTypes, crypto, lifecycle, logging,
            ]),
        program(
            "ansflow-controller", "Controller/App",
            [
                "ControllerCore", "ControllerPipelines", "ControllerStore", "ControllerLogs", "ControllerGateway",
                "ControllerIdentity", "ControllerRealtime", "ControllerHTTP", "ControllerRepositories",
                "ControllerArtifacts", "ControllerOutgoing", "ControllerWebhooks", "ControllerMaintenance",
                "AnsFlowProtocol",
                "AnsFlowRecords", "AnsFlowTransport",
                nioCore, argumentParser, lifecycle,
                signals, logging,
            ]),
        program(
            "ansflow", "Controller/CLI",
            [
                "ControllerPipelines", "ControllerCore", "AgentCore", "AgentExec", "AnsFlowProtocol", "AnsFlowRecords",
                httpClient,
                argumentParser, crypto, nioCore, nioPosix, nioHTTP1, nioWebSocket, nioSSL, logging,
            ]),

        // Agent.
        clang("CAgentSystem", "Agent/CSystem"),
        module("AgentMask", "Agent/Mask"),
        module("AgentShimCore", "Agent/ShimCore", ["AnsFlowRecords"], settings: fast),
        // Without the dynamic linker: one is started for each step, and it would take as long as all that the shim does.
        program(
            "ansflow-shim", "Agent/Shim", ["AgentShimCore", "AgentMask", "AnsFlowRecords", "CAgentSystem"],
            links: [.unsafeFlags(["-static-executable"], .when(configuration: .release))]),
        module("AgentCore", "Agent/Core", ["AnsFlowProtocol", "AnsFlowRecords", "AgentShimCore"], settings: fast),
        module(
            "AgentExec", "Agent/Exec",
            [
                "AgentCore", "AgentShimCore", "AgentMask", "AnsFlowProtocol", "AnsFlowRecords", "CAgentSystem",
                subprocess, crypto,
                nioCore, nioPosix, logging,
            ]),
        module(
            "AgentLink", "Agent/Link",
            [
                "AgentCore", "AnsFlowProtocol", "AnsFlowTransport", nioCore, nioPosix, nioHTTP1, nioSSL, x509, asn1,
                crypto,
                logging,
            ]),
        program(
            "ansflow-agent", "Agent/App",
            [
                "AgentCore", "AgentExec", "AgentLink", "AnsFlowProtocol", "AnsFlowTransport", argumentParser, signals,
                logging, nioCore, nioPosix, nioSSL,
            ]),

        // Tests.
        .target(name: "TestSupport", path: "Tests/Support", swiftSettings: strict),
        tests("RecordsTests", ["AnsFlowRecords"]),
        tests("ProtocolTests", ["AnsFlowProtocol", "AnsFlowRecords"]),
        tests("TransportTests", ["AnsFlowTransport", nioCore, nioPosix, nioEmbedded]),
        tests("ControllerCoreTests", ["ControllerCore", "AnsFlowProtocol", logging]),
        tests("ControllerPipelinesTests", ["ControllerPipelines", "ControllerCore", "AnsFlowProtocol"]),
        tests("ControllerStoreTests", ["ControllerStore", "ControllerCore", "AnsFlowProtocol", grdb, logging]),
        tests(
            "ControllerLogsTests",
            ["ControllerLogs", "ControllerCore", "AnsFlowProtocol", "AnsFlowRecords", crypto, nioCore, logging]),
        tests(
            "ControllerGatewayTests",
            [
                "ControllerGateway", "ControllerCore", "AgentLink", "AgentCore", "AnsFlowProtocol", "AnsFlowTransport",
                nioCore,
                nioPosix,
                nioHTTP1, nioSSL, nioLocks, x509, asn1, crypto, lifecycle, logging,
            ]),
        tests("ControllerIdentityTests", ["ControllerIdentity", "ControllerCore", "AnsFlowProtocol", jwtKit, logging]),
        tests("ControllerRepositoriesTests", ["ControllerRepositories", "ControllerCore"]),
        tests(
            "ControllerArtifactsTests", ["ControllerArtifacts", "ControllerCore", "AnsFlowProtocol", crypto, logging]),
        tests(
            "ControllerOutgoingTests",
            [
                "ControllerOutgoing", "ControllerCore", "ControllerGateway", "ControllerStore", "AnsFlowProtocol",
                "AnsFlowTransport", nioCore,
                nioPosix, nioSSL, logging,
            ]),
        tests(
            "ControllerWebhooksTests",
            [
                "ControllerWebhooks", "ControllerRepositories", "ControllerStore", "ControllerPipelines",
                "ControllerIdentity", "ControllerCore", "AnsFlowProtocol", logging,
            ]),
        tests(
            "ControllerMaintenanceTests",
            [
                "ControllerMaintenance", "ControllerStore", "ControllerLogs", "ControllerArtifacts",
                "ControllerIdentity", "ControllerCore", "AnsFlowProtocol", "AnsFlowRecords", crypto, grdb, logging,
            ]),
        tests("ControllerRealtimeTests", ["ControllerRealtime", nioCore]),
        tests(
            "ControllerHTTPTests",
            [
                "ControllerStore", "ControllerHTTP", "ControllerRealtime", "ControllerCore", "AnsFlowProtocol",
                "AnsFlowTransport",
                httpTypes,
                nioCore, nioPosix, logging,
            ]),
        tests("CLITests", ["ansflow", argumentParser, nioCore, nioPosix, nioHTTP1, nioWebSocket]),
        tests("AgentMaskTests", ["AgentMask"]),
        tests("AgentShimCoreTests", ["AgentShimCore", "AnsFlowRecords"]),
        tests("AgentShimTests", ["AgentShimCore", "AnsFlowRecords", "ansflow-shim"]),
        tests("AgentCoreTests", ["AgentCore", "AnsFlowProtocol"]),
        tests(
            "AgentExecTests",
            [
                "AgentExec", "AgentCore", "AgentShimCore", "AnsFlowProtocol", "AnsFlowRecords", "ansflow-shim", nioCore,
                nioPosix, crypto, logging,
            ]),
        tests("AgentLinkTests", ["AgentLink", "AnsFlowProtocol", "AnsFlowTransport"]),
        tests("SimulationTests", ["ControllerCore", "AgentCore", "AgentShimCore", "AnsFlowProtocol"], settings: fast),
        tests(
            "EndToEndTests",
            ["ansflow", "ansflow-controller", "ansflow-agent", "ansflow-shim", "ControllerWebhooks", grdb]),
        tests(
            "FaultTests",
            [
                "ansflow", "ansflow-controller", "ansflow-agent", "ansflow-shim", "ControllerWebhooks", "AgentLink",
                "AnsFlowProtocol", "AnsFlowRecords", "AnsFlowTransport",
            ]),
        tests("SoundnessTests", []),
    ],
    swiftLanguageModes: [.v6]
)
