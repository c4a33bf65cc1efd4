// Method: random bytes, random YAML-like text and mutated documents from a seed; reading must end
// with a tree or with mistakes, never trap, and give the same answer twice.
import Configuration
import Core
import TestSupport
import Testing

@Suite("YAML fuzz")
struct YAMLFuzzTests {
    static let document = Array(
        """
        pipeline: p   # name
        input: {topic: t, format: {csv: {columns: [a, "b\\n", 'c'], separator: ";"}}}
        features:
          a: numeric
          b: { categorical: [north, south] }
        text: |
          block
        folded: >-
          x
        model:
          hoeffding_tree: { grace_period: ${env:X:-200}, delta: 1e-7 }
        """.utf8)
    static let alphabet = Array("ab:- \n\t[]{},\"'#&*!|>?%@`~0.$".utf8)

    private func check(_ bytes: [UInt8], seed: UInt64) {
        let first = YAMLReader.read(bytes, file: "f")
        let second = YAMLReader.read(bytes, file: "f")
        #expect(first.root == second.root && first.mistakes == second.mistakes, "seed \(seed)")
        for mistake in first.mistakes {
            #expect(mistake.line >= 1 && mistake.line <= bytes.count + 1, "seed \(seed)")
        }
        var reader = SettingsReader(
            file: "f", substitution: Substitution(folder: "/nowhere", environment: { _ in nil }))
        _ = reader.readDocument(first.root, as: SettingsReaderTests.declarations)
        if let root = first.root, !root.isNull, case .mapping = root.content { return }
        if first.root?.isNull == false { #expect(!reader.mistakes.isEmpty, "seed \(seed)") }
    }

    @Test("any bytes are read without a trap", arguments: UInt64(1)...40)
    func anything(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<(TestEnvironment.isRelease ? 500 : 50) {
            let count = Int(random.next() % 200)
            check((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }, seed: seed)
            check(
                (0..<count).map { _ in
                    Self.alphabet[Int(random.next() % UInt64(Self.alphabet.count))]
                }, seed: seed)
            var mutated = Self.document
            for _ in 0...(random.next() % 6) {
                let place = Int(random.next() % UInt64(mutated.count))
                let byte = Self.alphabet[Int(random.next() % UInt64(Self.alphabet.count))]
                switch random.next() % 4 {
                case 0: mutated.insert(byte, at: place)
                case 1: mutated.remove(at: place)
                case 2: mutated[place] = UInt8(truncatingIfNeeded: random.next())
                default: mutated.append(contentsOf: mutated[place...].prefix(50))
                }
            }
            check(mutated, seed: seed)
        }
    }

    @Test("long runs of one character end", arguments: Self.alphabet)
    func runs(byte: UInt8) {
        check([UInt8](repeating: byte, count: 20_000), seed: UInt64(byte))
    }
}
