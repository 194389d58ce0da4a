// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "Words",
    targets: [
        .target(name: "Words"),
        .executableTarget(name: "count-words", dependencies: ["Words"]),
        .testTarget(name: "WordsTests", dependencies: ["Words"]),
    ]
)
