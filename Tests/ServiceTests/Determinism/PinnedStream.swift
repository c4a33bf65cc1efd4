import Core
import Service
import TestSupport

/// Seeded records as JSON lines, the same bytes on every machine and in every build.
enum PinnedStream: String, Sendable {
    case sea
    case friedman
    case randomTree
    case blobs
    /// Six numbers and a class, shaped like the electricity stream.
    case electricity
    /// Sets of words and a class, shaped like the spam stream.
    case words
    /// Missing values, weights, new categories and three classes.
    case ragged

    func lines(_ count: Int) -> [String] {
        switch self {
        case .sea: synthetic(SEASource.self, count)
        case .friedman: synthetic(FriedmanSource.self, count)
        case .randomTree: synthetic(RandomTreeSource.self, count)
        case .blobs: synthetic(BlobsSource.self, count)
        case .electricity: electricity(count)
        case .words: words(count)
        case .ragged: ragged(count)
        }
    }

    private func synthetic(_ source: any SyntheticSource.Type, _ count: Int) -> [String] {
        var stream = SyntheticStream(source, seed: 5, drift: DriftSchedule(.every(count / 3)))
        let writer = SyntheticWriter(stream.description, format: .jsonLines)
        return (0..<count).map { _ in
            stream.advance()
            var buffer = ByteBuffer()
            writer.write(stream, to: &buffer)
            let bytes = buffer.bytes
            return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
        }
    }

    /// A decimal with four digits, whose text is the same everywhere.
    private func decimal(_ random: inout SplitMix64) -> String {
        let digits = String(random.next(below: 10_000))
        return "0." + String(repeating: "0", count: 4 - digits.count) + digits
    }

    private func electricity(_ count: Int) -> [String] {
        let names = ["period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"]
        var random = SplitMix64(seed: 17)
        return (0..<count).map { index in
            let values = names.map { _ in decimal(&random) }
            let isUp = index < count / 2 ? values[1] > values[3] : values[2] > values[4]
            let label = (random.next(below: 10) == 0) == isUp ? "0" : "1"
            return "{" + zip(names, values).map { "\"\($0)\":\($1)" }.joined(separator: ",")
                + ",\"class\":\"\(label)\"}"
        }
    }

    private func words(_ count: Int) -> [String] {
        var random = SplitMix64(seed: 18)
        return (0..<count).map { _ in
            let label = random.next(below: 2)
            let words = (0..<(5 + random.next(below: 20))).map { _ in
                random.next(below: 400) + (random.next(below: 3) == 0 ? 400 * label : 0)
            }
            return "{\"y\":\(label),\"x\":[\(words.map(String.init).joined(separator: ","))]}"
        }
    }

    private func ragged(_ count: Int) -> [String] {
        var random = SplitMix64(seed: 19)
        return (0..<count).map { index in
            let a = decimal(&random)
            let b = random.next(below: 9) == 0 ? "null" : decimal(&random)
            let code = random.next(below: index < count / 2 ? 3 : 7)
            let weight = ["1", "1", "2", "0.5"][random.next(below: 4)]
            let third = index > count / 3 && random.next(below: 4) == 0
            let label = third ? "z" : (a > "0.4" && code != 1 ? "x" : "y")
            return "{\"a\":\(a),\"b\":\(b),\"c\":\"c\(code)\",\"w\":\(weight),\"k\":\"\(label)\"}"
        }
    }
}
