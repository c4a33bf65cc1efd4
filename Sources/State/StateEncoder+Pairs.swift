import Core

/// Names with texts, such as the settings of a pipeline file.
extension StateEncoder {
    mutating func write(pairs: [TextPair]) {
        write(pairs.count)
        for pair in pairs {
            write(pair.name)
            write(pair.text)
        }
    }
}

extension StateDecoder {
    mutating func readPairs() throws(StateError) -> [TextPair] {
        let count = try readInt(in: 0...(remaining / 16), "pairs")
        var pairs: [TextPair] = []
        for _ in 0..<count {
            let name = try readString()
            pairs.append(TextPair(name, try readString()))
        }
        return pairs
    }
}
