import Foundation
import TestSupport

/// The prototypes' kernels, built and run beside the product's where their folder is named.
struct PrototypeKernels {
    static let remedy =
        "the prototypes' kernels: set TIDEWHEEL_PROTOTYPES to the folder that holds kernels/"

    private let folder: URL

    /// Copies and builds them under `.build`; `nil` when no folder is named.
    static func fromEnvironment() throws -> PrototypeKernels? {
        let environment = ProcessInfo.processInfo.environment
        guard let path = environment["TIDEWHEEL_PROTOTYPES"], !path.isEmpty else { return nil }
        let source = URL(filePath: path).appending(path: "kernels")
        let folder = TestEnvironment.repository.appending(path: ".build/prototype-kernels")
        guard let data = TestEnvironment.dataFolder?.appending(path: "elec.csv.gz").path else {
            throw ToolFailure.usage(TestEnvironment.dataRemedy)
        }
        let words = TestEnvironment.dataFolder?.appending(path: "spam.jsonl.gz").path ?? ""
        try ChildProcess.run(
            [
                "sh", "-euc",
                """
                mkdir -p "$2/data"
                cp -R "$1/Package.swift" "$1/Sources" "$2/"
                chmod -R u+w "$2"
                gzip -dc "$3" >"$2/data/elec.csv"
                gzip -dc "$4" >"$2/data/spam.jsonl"
                cd "$2" && swift build -c release >"$2/build.log" 2>&1 || { cat "$2/build.log"; exit 1; }
                """, "copy", source.path, folder.path, data, words,
            ], seconds: 600)
        return PrototypeKernels(folder: folder)
    }

    /// Nanoseconds of processor time for each record, by the prototypes' names.
    func run() throws -> [String: Double] {
        let printed = try ChildProcess.run(
            [
                "sh", "-euc", "cd \"$1\" && .build/release/bench ht,sgd,sparse,kmeans,drift", "run",
                folder.path,
            ], seconds: 600)
        var result: [String: Double] = [:]
        for line in printed.split(separator: "\n") {
            let parts = line.components(separatedBy: " | ")
            guard parts.count > 1, parts[1].hasSuffix(" ns") else { continue }
            result[parts[0]] = Double(parts[1].dropLast(3))
        }
        return result
    }
}
