package import Core

/// The dictionaries of a ``RecordDecoder``: all of its state, as a value of its own.
package struct RecordDecoderState: Sendable {
    let dictionaries: [ValueDictionary]
    let classes: ValueDictionary

    /// Writes the dictionaries.
    package func encode(to encoder: inout StateEncoder) {
        encoder.section("record_decoder", version: 1)
        encoder.write(dictionaries.count)
        for dictionary in dictionaries { dictionary.encode(to: &encoder) }
        classes.encode(to: &encoder)
    }
}

extension RecordDecoder {
    /// The dictionaries as they stand; shares memory until they grow.
    package var state: RecordDecoderState {
        RecordDecoderState(dictionaries: dictionaries, classes: classes)
    }

    /// Takes back what ``state`` gave.
    package mutating func restore(_ state: RecordDecoderState) {
        replace(dictionaries: state.dictionaries, classes: state.classes)
    }

    /// Takes over the dictionaries that a decoder of the same schema wrote.
    package mutating func restore(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("record_decoder", through: 1)
        let count = try decoder.readInt()
        guard count == dictionaries.count else {
            throw .invalidValue("\(count) dictionaries for \(dictionaries.count) features")
        }
        var restored: [ValueDictionary] = []
        for index in 0..<count {
            restored.append(try Self.read(from: &decoder, like: dictionaries[index]))
        }
        let restoredClasses = try Self.read(from: &decoder, like: classes)
        replace(dictionaries: restored, classes: restoredClasses)
    }

    /// A dictionary of the same limit that begins with what `current` declares.
    private static func read(
        from decoder: inout StateDecoder, like current: ValueDictionary
    ) throws(StateError) -> ValueDictionary {
        let dictionary = try ValueDictionary(from: &decoder)
        guard dictionary.limit == current.limit, dictionary.count >= current.declaredCount else {
            throw .invalidValue("a dictionary of another schema")
        }
        for code in 0..<current.declaredCount where dictionary.text(code) != current.text(code) {
            throw .invalidValue("a dictionary of other declared values")
        }
        return dictionary.declaring(current.declaredCount)
    }
}
