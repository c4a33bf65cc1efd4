// swift-tools-version: 6.2
import PackageDescription

/// The settings of every Swift target: strict, and each warning is an error.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// Tests keep the language mode and the features, but not the memory-safety annotations.
let testing: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "tidewheel",
    products: [.executable(name: "tidewheel", targets: ["tidewheel"])],
    targets: [
        // System libraries and shims: one each.
        .systemLibrary(
            name: "CRdKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CMicroHTTPD", pkgConfig: "libmicrohttpd",
            providers: [.apt(["libmicrohttpd-dev"])]),
        .target(
            name: "CSimdJSON",
            cxxSettings: [
                .define("NDEBUG"),
                .unsafeFlags([
                    "-O2", "-fno-exceptions", "-ffp-contract=off",
                    // simdjson 3.6 (Ubuntu 24.04) has templates that nobody uses and clang refuses;
                    // the option asks for C++17.
                    "-fdelayed-template-parsing",
                ]),
            ],
            linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "CPlatform", cSettings: [.unsafeFlags(["-ffp-contract=off"])]),

        // For benchmarks and tests only: the ceiling to compare with, and an allocation counter.
        .target(name: "CCopyLoop", dependencies: ["CRdKafka"]),
        .target(name: "CAllocationCounter"),

        // The rooms, lowest first; an arrow points only upwards in this list.
        .target(name: "Core", swiftSettings: strict),
        .target(name: "Features", dependencies: ["Core"], swiftSettings: strict),
        .target(name: "Drift", dependencies: ["Core"], swiftSettings: strict),
        .target(
            name: "Models", dependencies: ["Core", "Drift", "Features"], swiftSettings: strict),
        .target(name: "Evaluation", dependencies: ["Core"], swiftSettings: strict),
        .target(name: "Configuration", dependencies: ["Core", "CYaml"], swiftSettings: strict),
        .target(name: "Formats", dependencies: ["Core", "CSimdJSON"], swiftSettings: strict),
        .target(name: "State", dependencies: ["Core", "CZstd"], swiftSettings: strict),
        .target(
            name: "Engine",
            dependencies: [
                "Core", "Features", "Drift", "Models", "Evaluation", "Configuration", "Formats",
                "State",
            ], swiftSettings: strict),
        .target(
            name: "KafkaIO", dependencies: ["Core", "State", "CRdKafka", "CPlatform"],
            swiftSettings: strict),
        .target(
            name: "Service",
            dependencies: [
                "Core", "State", "Configuration", "Formats", "Evaluation", "Engine", "KafkaIO",
                "Models", "CPlatform", "CZlib", "CMicroHTTPD",
            ], swiftSettings: strict),
        .executableTarget(
            name: "tidewheel", dependencies: ["Service", "Configuration"], swiftSettings: strict),

        // Generators, oracles and golden readers for the tests.
        .target(
            name: "TestSupport",
            dependencies: [
                "Core", "State", "Formats", "CPlatform", "CRdKafka", "CAllocationCounter",
            ], swiftSettings: testing),
        // The engine on a simulated cluster, clock and disk.
        .target(
            name: "Simulation", dependencies: ["Core", "State", "Engine"], swiftSettings: testing),
        .executableTarget(
            name: "simulate", dependencies: ["Simulation", "TestSupport"], swiftSettings: testing),
        .executableTarget(
            name: "bench",
            dependencies: [
                "TestSupport", "Core", "Drift", "Engine", "Evaluation", "Features", "Formats",
                "Models", "Service", "State", "CCopyLoop", "CRdKafka", "CPlatform",
            ], swiftSettings: testing),
        .executableTarget(
            name: "crash",
            dependencies: [
                "TestSupport", "Core", "Engine", "KafkaIO", "Service", "State", "CRdKafka",
                "CPlatform",
            ], swiftSettings: testing),
    ]
        + [
            ("Core", ["Core"]),
            ("Features", ["Core", "Features"]),
            ("Drift", ["Core", "Drift"]),
            ("Models", ["Core", "Models", "Features", "Drift"]),
            ("Evaluation", ["Core", "Evaluation"]),
            ("Configuration", ["Core", "Configuration"]),
            ("Formats", ["Core", "Formats"]),
            ("State", ["Core", "State"]),
            (
                "Engine",
                [
                    "Core", "Features", "Drift", "Models", "Evaluation", "Configuration", "Formats",
                    "State", "Engine",
                ]
            ),
            ("KafkaIO", ["Core", "State", "KafkaIO"]),
            ("TestSupport", ["CPlatform"]),
            ("Crash", ["crash", "Core", "Engine", "State"]),
            ("Simulation", ["Simulation"]),
            (
                "Service",
                [
                    "Core", "State", "Configuration", "Formats", "Evaluation", "Engine", "KafkaIO",
                    "Service",
                ]
            ),
        ].map { name, dependencies in
            .testTarget(
                name: "\(name)Tests",
                dependencies: (dependencies + ["TestSupport"]).map { .byName(name: $0) },
                swiftSettings: testing)
        },
    cxxLanguageStandard: .cxx17
)
