// Method: the built program evaluates the same file several times, with the implementations that
// the C library and simdjson choose at run time held to those of older processors; the bytes of
// predictions and metrics are compared.
import Foundation
import TestSupport
import Testing

@Suite("CPU levels", .serialized)
struct CPULevelTests {
    /// Whether the processor has the vectors that an implementation of simdjson is compiled for.
    private static func has(_ flag: String) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        return text.contains(" \(flag) ")
    }

    private static var levels: [[String: String]] {
        var levels: [[String: String]] = [["SIMDJSON_FORCE_IMPLEMENTATION": "fallback"]]
        #if arch(x86_64)
            let masked = "-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-FMA,-BMI2,-ERMS,-SSE4_2,-SSSE3"
            levels.append([
                "GLIBC_TUNABLES": "glibc.cpu.hwcaps=\(masked)",
                "SIMDJSON_FORCE_IMPLEMENTATION": "fallback",
            ])
            if has("sse4_2") { levels.append(["SIMDJSON_FORCE_IMPLEMENTATION": "westmere"]) }
            if has("avx2") { levels.append(["SIMDJSON_FORCE_IMPLEMENTATION": "haswell"]) }
        #endif
        return levels
    }

    private func run(_ words: [String], _ environment: [String: String] = [:]) throws -> Data {
        let program = try #require(BuiltProgram.path, "no program beside the test bundle")
        let child = try ChildProcess([program] + words, environment: environment)
        defer { child.removeOutput() }
        let code = try #require(child.wait(seconds: 120), "\(words) did not end")
        try #require(code == 0, "\(environment): \(child.errors.prefix(500))")
        return Data(child.output.utf8)
    }

    @Test(
        "predictions and metrics are the same bytes on every level",
        arguments: [("sea", "sea.yaml"), ("friedman", "fried.yaml"), ("blobs", "blobs.yaml")])
    func sameBytes(generator: String, config: String) throws {
        let folder = try TestFolder()
        let records = try run([
            "generate", generator, "--records", "3000", "--format", "jsonl", "--seed", "9",
        ])
        let data = folder.url.appending(path: "data.jsonl")
        try records.write(to: data)
        let path = TestEnvironment.repository.appending(path: "configs/\(config)").path
        var expected: (predictions: String, metrics: String)?
        for environment in [[:]] + Self.levels {
            _ = try run(
                [
                    "eval", path, data.path, "--predictions", folder.path("predictions.jsonl"),
                    "--json", folder.path("metrics.json"),
                ], environment)
            let found = (
                predictions: try folder.text("predictions.jsonl"),
                metrics: try folder.text("metrics.json")
            )
            #expect(found.predictions.utf8.count(where: { $0 == 10 }) == 3000)
            if let expected {
                #expect(found.predictions == expected.predictions, "\(environment)")
                #expect(found.metrics == expected.metrics, "\(environment)")
            }
            expected = expected ?? found
        }
    }
}
