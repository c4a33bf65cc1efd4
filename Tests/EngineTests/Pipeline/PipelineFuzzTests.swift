// Method: valid files are mutated from a seed, by bytes and by whole values; reading must end with a
// pipeline or with mistakes in the order of their lines, never trap, and give the same answer twice.
import Configuration
import Core
import Engine
import TestSupport
import Testing

@Suite("Pipeline file fuzz")
struct PipelineFuzzTests {
    private static let lines: [String] = """
        version: 1
        pipeline: p
        kafka: {bootstrap.servers: "${env:B:-x:1}", linger.ms: 5}
        kafka.consumer: {fetch.min.bytes: 10}
        input: {topic: t, format: {csv: {columns: [a, b, c, y, k], separator: ";"}}, id: k}
        features: {a: numeric, b: {categorical: {values: [x, y], limit: 5}}, c: {type: text}}
        label: {field: y, classes: [0, 1], positive: 1, limit: 4}
        prepare: [standardize: all]
        model: {logistic_regression: {learning_rate: 0.1, l2: 0.01}}
        one_model_per: partition
        output: {topic: o, partitions: 3}
        metrics: {every: 10 records, windows: [5 records, 1 h], track: [accuracy, f1]}
        drift: [adwin, {ddm: {then: reset}}]
        delivery: {commit_every: 5 ms, shutdown_within: 1 s}
        state: {restore_within: 1 s, folder: /tmp/s}
        seed: 3
        limits: {value: 1 KiB, hash_bits: 10}
        """.split(separator: "\n").map(String.init)

    private static let values = [
        "", "~", "0", "-1", "1", "3.5", "1e308", ".nan", "99999999999999999999", "true", "x", "all",
        "[]", "{}", "[a, [b]]", "{a: {b: c}}", "\"\"", "\"${env:N}\"", "5 ms", "0 records", "1 GiB",
        "-5 s", "a.b.c", "..", "numeric", "csv", "{type: set}", "mean", "kmeans", "é\u{301}",
    ]

    private func check(_ text: String, _ catalogue: PipelineCatalogue, _ seed: UInt64) {
        func outcome() -> (fingerprint: UInt64?, mistakes: [ConfigurationError]) {
            do {
                let (pipeline, _) = try PipelineReader.read(
                    bytes: Array(text.utf8), file: "f", catalogue: catalogue,
                    environment: { _ in nil })
                return (pipeline.fingerprint.value, [])
            } catch {
                return (nil, error.all)
            }
        }
        let first = outcome()
        let second = outcome()
        #expect(first.fingerprint == second.fingerprint, "seed \(seed)")
        #expect(first.mistakes == second.mistakes, "seed \(seed)")
        #expect((first.fingerprint == nil) != first.mistakes.isEmpty, "seed \(seed)")
        let lines = first.mistakes.map(\.line)
        #expect(lines == lines.sorted(), "seed \(seed)")
    }

    @Test("the file before its mutations is valid")
    func valid() throws {
        _ = try PipelineReader.read(
            bytes: Array(Self.lines.joined(separator: "\n").utf8), file: "f",
            environment: { _ in nil })
    }

    @Test("mutated files are read or refused", arguments: UInt64(1)...20)
    func mutated(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
        for round in 0..<(TestEnvironment.isRelease ? 300 : 40) {
            var lines = Self.lines
            for _ in 0...below(3) {
                let line = below(lines.count)
                switch below(4) {
                case 0: lines.remove(at: line)
                case 1:
                    let key = lines[line].prefix { $0 != ":" }
                    lines[line] = "\(key): \(Self.values[below(Self.values.count)])"
                case 2:
                    // One value inside the line, after a colon and before what ends it.
                    var parts = lines[line].split(separator: ":", omittingEmptySubsequences: false)
                        .map(String.init)
                    let part = below(parts.count)
                    let rest = parts[part].drop { !",}]".contains($0) }
                    parts[part] = " \(Self.values[below(Self.values.count)])\(rest)"
                    lines[line] = parts.joined(separator: ":")
                default:
                    var characters = Array(lines[line])
                    let place = below(max(1, characters.count))
                    if characters.isEmpty {
                        characters.append("x")
                    } else {
                        characters.remove(at: place)
                    }
                    lines[line] = String(characters)
                }
            }
            let text = lines.joined(separator: "\n")
            check(text, round.isMultiple(of: 2) ? .standard : PipelineTest.catalogue, seed)
        }
    }
}
