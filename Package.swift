// swift-tools-version: 6.1
import PackageDescription

/// C is compiled with optimisation in debug builds too: a debug run of the tests would otherwise take hours.
let kernelFlags: [CSetting] = [.unsafeFlags(["-O3", "-fno-math-errno", "-ffp-contract=fast"])]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: ["TestKit", .target(name: name)] + dependencies)
}

let package = Package(
    name: "velatura",
    platforms: [.macOS(.v14)],
    products: [.executable(name: "velatura", targets: ["velatura"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // The C beneath: each says in its header what it is for.
        .target(name: "CLazyLibraries"),
        .target(name: "CThreads", dependencies: ["CLazyLibraries"], cSettings: kernelFlags),
        .target(name: "CodecShims", dependencies: ["CLazyLibraries", "CThreads"], cSettings: kernelFlags),
        .target(name: "ColourShims", dependencies: ["CLazyLibraries"]),
        .target(name: "YAMLShims", dependencies: ["CLazyLibraries"]),
        .target(name: "CDNNL", dependencies: ["CLazyLibraries"], cSettings: kernelFlags),
        .target(name: "CKernels", cSettings: kernelFlags),
        .target(name: "CMiniature", exclude: ["model", "MODEL_CARD.md", "upscaler"]),
        .target(name: "CVocabulary", exclude: ["clip"]),

        // The ladder of modules: imports point upwards in this list only.
        library("Threads", ["CThreads"]),
        library("Raster", ["Threads", "CKernels", "ColourShims"]),
        library("RasterFiles", ["Raster", "CodecShims", "Threads"]),
        library("Tensors", ["Threads", "CDNNL", "CKernels"]),
        library("Checkpoints", ["Tensors"]),
        library("Networks", ["Checkpoints", "Tensors"]),
        library("Sampling", ["Tensors"]),
        library(
            "Painting",
            [
                "Raster", "RasterFiles", "Networks", "Sampling", "CMiniature", "CKernels", "CVocabulary", "YAMLShims",
            ]),
        library(
            "Commands",
            ["Painting", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
        .executableTarget(name: "velatura", dependencies: ["Commands"]),

        // Measurements: `make bench`. No part of what is installed.
        .executableTarget(name: "velatura-bench", dependencies: ["Painting"], path: "Benchmarks"),

        .target(name: "TestKit", dependencies: ["Checkpoints", "RasterFiles"], path: "Tests/TestKit"),
        tests("Raster"),
        tests("RasterFiles", ["Threads"]),
        tests("Tensors", ["Checkpoints", "Threads", "CKernels"]),
        tests("Checkpoints"),
        tests("Networks"),
        tests("Sampling", ["Painting"]),
        tests("Painting"),
        .testTarget(
            name: "EndToEndTests", dependencies: ["TestKit", "Painting", "RasterFiles", "velatura"], exclude: ["Help"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)

// Fuzzers: `make fuzz`, which says what they are built with. No part of any other build.
if Context.environment["VELATURA_FUZZ_BUILD"] != nil {
    package.targets += [
        .target(name: "CFuzzDriver", path: "Tools/fuzz/Driver"),
        .target(name: "Fuzzing", dependencies: ["CFuzzDriver"], path: "Tools/fuzz/Fuzzing"),
        .executableTarget(
            name: "velatura-fuzz-pictures", dependencies: ["Fuzzing", "RasterFiles"], path: "Tools/fuzz/Pictures"),
        .executableTarget(
            name: "velatura-fuzz-papers", dependencies: ["Fuzzing", "Painting"], path: "Tools/fuzz/Papers"),
    ]
}
