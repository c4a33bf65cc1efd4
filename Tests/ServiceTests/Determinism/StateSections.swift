import Foundation
import TestSupport
import Testing

/// The sections that a state can hold, as the sources read them.
enum StateSections {
    struct Section: Hashable {
        let name: String
        let version: Int
    }

    /// The targets whose types write themselves into the state of a pipeline.
    private static let targets = [
        "Core", "Features", "Drift", "Models", "Evaluation", "Formats", "Engine",
    ]

    /// Every section, in every version that this program reads.
    static func read() throws -> Set<Section> {
        var sections: Set<Section> = []
        for target in targets {
            let sources = try sources(of: target)
            for (path, text) in sources {
                for match in text.matches(of: /\.section\(\s*([^,()]+),\s*through: ([^)]+)\)/) {
                    let newest = try #require(Int(match.2), "\(path): no number: \(match.0)")
                    let name = try name(String(match.1), in: path, sources)
                    for version in 1...newest {
                        sections.insert(Section(name: name, version: version))
                    }
                }
            }
        }
        return sections
    }

    /// The name that an argument stands for: a text, or the name of the type's declaration.
    private static func name(
        _ argument: String, in path: String, _ sources: [String: String]
    ) throws -> String {
        if let text = argument.wholeMatch(of: /"(\w+)"/) { return String(text.1) }
        try #require(argument == "Self.declaration.name", "\(path): \(argument)")
        // `KMeans+Learning.swift` extends the type of `KMeans.swift`, which has the declaration.
        let type = path.replacing(/(\+\w+)?\.swift$/, with: "")
        let text = try #require(sources["\(type).swift"], "\(path)")
        let declared = try #require(
            text.firstMatch(of: /ComponentDeclaration\(\s*name: "(\w+)"/), "\(path)")
        return String(declared.1)
    }

    private static func sources(of target: String) throws -> [String: String] {
        let folder = TestEnvironment.repository.appending(path: "Sources/\(target)").path
        var sources: [String: String] = [:]
        for case let path as String in try #require(FileManager.default.enumerator(atPath: folder))
        where path.hasSuffix(".swift") {
            sources[path] = try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8)
        }
        return sources
    }
}
