// Method: statistics of a few thousand seeded records against what the definitions say, and the
// same definitions recomputed from the written values.
import Core
import Foundation
import Service
import Testing

@Suite("Synthetic streams")
struct SyntheticStreamTests {
    private func records(
        _ source: any SyntheticSource.Type, seed: UInt64 = 1, drift: DriftSchedule = .never,
        noise: Double? = nil, count: Int = 2000
    ) -> [(values: [Double], label: Double, concept: Int)] {
        var stream = SyntheticStream(source, seed: seed, drift: drift, noise: noise)
        return (0..<count).map { _ in
            stream.advance()
            return (stream.values, stream.label, stream.concept)
        }
    }

    private func written(
        _ source: any SyntheticSource.Type, seed: UInt64, _ format: SyntheticWriter.Format,
        count: Int = 200
    ) -> String {
        var stream = SyntheticStream(source, seed: seed, drift: DriftSchedule(.every(50)))
        let writer = SyntheticWriter(stream.description, format: format)
        var buffer = ByteBuffer()
        writer.writeHeader(to: &buffer)
        for _ in 0..<count {
            stream.advance()
            writer.write(stream, to: &buffer)
            buffer.append(UInt8(ascii: "\n"))
        }
        let bytes = buffer.bytes
        return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }

    @Test("the same seed gives the same bytes, another seed others", arguments: 0..<5)
    func seeds(index: Int) {
        let source = SyntheticStream.sources[index]
        let first = written(source, seed: 7, .csv)
        #expect(first == written(source, seed: 7, .csv))
        #expect(first != written(source, seed: 8, .csv))
    }

    @Test("another drift leaves the features of a stream as they are")
    func driftKeepsFeatures() {
        let still = records(SEASource.self)
        let moving = records(SEASource.self, drift: DriftSchedule(.every(500), width: 100))
        #expect(still.map(\.values) == moving.map(\.values))
        #expect(still.map(\.label) != moving.map(\.label))
    }

    @Test("SEA: labels follow the threshold of each concept, and the noise turns a tenth round")
    func sea() {
        let thresholds = [8.0, 9.0, 7.0, 9.5]
        let drift = DriftSchedule(.every(1000))
        let clean = records(SEASource.self, drift: drift, noise: 0, count: 5000)
        for (index, record) in clean.enumerated() {
            #expect(record.concept == index / 1000 % 4)
            let isAbove = record.values[0] + record.values[1] > thresholds[record.concept]
            #expect(record.label == (isAbove ? 1 : 0))
            #expect(record.values.allSatisfy { (0...10).contains($0) })
        }
        let noisy = records(SEASource.self, drift: drift, count: 5000)
        let turned = zip(clean, noisy).count { $0.label != $1.label }
        #expect((400...600).contains(turned))
    }

    @Test("Friedman: labels are the function of the concept's columns")
    func friedman() {
        let first = [0, 5, 2, 7]
        let clean = records(
            FriedmanSource.self, drift: DriftSchedule(.every(500)), noise: 0)
        for record in clean {
            let x = (0..<5).map { record.values[(first[record.concept] + $0) % 10] }
            let expected =
                10 * sin(Double.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) * (x[2] - 0.5) + 10 * x[3]
                + 5 * x[4]
            #expect(abs(record.label - expected) <= 0.5e-4 + 1e-12)
        }
        let noisy = records(FriedmanSource.self, drift: DriftSchedule(.every(500)))
        let errors = zip(clean, noisy).map { $1.label - $0.label }
        let mean = errors.reduce(0, +) / Double(errors.count)
        let square = errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
        #expect(abs(mean) < 0.1)
        #expect(abs(square - 1) < 0.1)
    }

    @Test("random tree: the class is a function of the values, other trees give other functions")
    func randomTree() {
        let first = records(RandomTreeSource.self, seed: 3)
        let second = records(
            RandomTreeSource.self, seed: 3, drift: DriftSchedule(.at([0])))
        #expect(first.map(\.values) == second.map(\.values))
        #expect(second.allSatisfy { $0.concept == 1 })
        let differing = zip(first, second).count { $0.label != $1.label }
        #expect(differing > 200 && differing < 1800)
        for column in 0..<10 {
            let values = first.map { $0.values[column] }
            let mean = values.reduce(0, +) / Double(values.count)
            // Nominal values are 0…4, numbers are in [0, 1].
            #expect(abs(mean - (column < 5 ? 2 : 0.5)) < (column < 5 ? 0.12 : 0.03))
        }
        let ones = first.reduce(0) { $0 + $1.label }
        #expect(ones > 100 && ones < 1900)
    }

    @Test("devices: energy lies around the line of its device, and odd devices change")
    func devices() {
        let source = DevicesSource(seed: 5, noise: 0)
        let all = records(
            DevicesSource.self, seed: 5, drift: DriftSchedule(.every(1000)), noise: 0)
        for record in all {
            let line = source.line(device: Int(record.values[0]), concept: record.concept)
            let energy = line.energy(load: record.values[1], temperature: record.values[2])
            #expect(abs(record.label - max(0, energy)) <= 0.5e-4 + 1e-12)
        }
        #expect(Set(all.map { $0.values[0] }).count > 90)
        for device in 0..<DevicesSource.deviceCount {
            let lines = (0..<4).map { source.line(device: device, concept: $0) }
            #expect((lines[0] == lines[1]) == (device % 2 == 0))
            #expect((lines[2] == lines[3]) == (device % 2 == 0))
        }
    }

    @Test("blobs: points lie around their centre with the noise as standard deviation")
    func blobs() {
        let source = BlobsSource(seed: 5, noise: 1)
        let drift = DriftSchedule(.every(1000))
        let all = records(BlobsSource.self, seed: 5, drift: drift, noise: 1)
        var squares = 0.0
        for (index, record) in all.enumerated() {
            let center = source.center(
                of: Int(record.label), record: index, concept: record.concept)
            for axis in 0..<2 {
                let distance = record.values[axis] - center[axis]
                squares += distance * distance
                #expect(center[axis].magnitude <= 10)
            }
        }
        #expect(abs(squares / Double(2 * all.count) - 1) < 0.1)
        for blob in 0..<BlobsSource.centerCount {
            let share = Double(all.count { $0.label == Double(blob) }) / Double(all.count)
            #expect(abs(share - 1.0 / 3) < 0.05)
        }
    }

    @Test("centres move by 1 in 10,000 records and stay inside")
    func blobMoves() {
        let source = BlobsSource(seed: 2, noise: 1)
        for record in stride(from: 0, to: 1_000_000, by: 10_007) {
            let here = source.center(of: 0, record: record, concept: 0)
            let next = source.center(of: 0, record: record + 100, concept: 0)
            let dx = here[0] - next[0]
            let dy = here[1] - next[1]
            #expect((dx * dx + dy * dy).squareRoot() <= 0.01 + 1e-9)
        }
    }

    @Test("JSON lines hold numbers as numbers and nominal values as texts")
    func jsonLines() throws {
        let lines = written(RandomTreeSource.self, seed: 1, .jsonLines, count: 3)
            .split(separator: "\n")
        #expect(lines.count == 3)
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            let fields = try #require(object as? [String: Any])
            #expect(fields.count == 11)
            #expect(fields["nominal1"] is String)
            #expect(fields["numeric1"] is NSNumber)
            #expect(fields["class"] is String)
        }
    }

    @Test("CSV has a header and the values of the JSON lines")
    func csv() {
        let lines = written(SEASource.self, seed: 1, .csv, count: 2).split(separator: "\n")
        #expect(lines[0] == "attrib1,attrib2,attrib3,class")
        let json = written(SEASource.self, seed: 1, .jsonLines, count: 2).split(separator: "\n")
        let values = lines[1].split(separator: ",")
        #expect(
            json[0] == """
                {"attrib1":\(values[0]),"attrib2":\(values[1]),"attrib3":\(values[2]),\
                "class":\(values[3])}
                """)
    }
}
