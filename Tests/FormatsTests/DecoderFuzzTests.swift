// Method: random schemas with random and broken documents; the fast decoder must agree with the
// plain one on rows, bits, dictionaries, identities and faults, however the records are cut.
import Core
import Formats
import TestSupport
import Testing

@Suite("Decoder against the plain one")
struct DecoderFuzzTests {
    private static let recordsPerSeed = 500
    /// A million payloads of both formats in release.
    private static let seedCount: UInt64 = TestEnvironment.isRelease ? 2000 : 40

    @Test("both decoders agree", arguments: 0..<UInt64(8))
    func agree(part: UInt64) throws {
        for seed in stride(from: part, to: Self.seedCount, by: 8) {
            var source = RandomDocument(seed: seed, csv: seed % 4 == 3)
            let records = (0..<Self.recordsPerSeed).map { source.record(offset: Int64($0)) }
            let difference = try DecoderComparison.difference(
                schema: source.schema, format: source.format, records: records,
                cut: 1 + source.random.next(below: 600))
            #expect(difference == nil, "seed \(seed)")
            if difference != nil { return }
        }
    }
}
