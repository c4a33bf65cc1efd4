import CSimdJSON
package import Core

/// What a prediction says.
package enum PredictionKind: Sendable, Equatable {
    /// A class, and the probabilities of the classes known at that record.
    case classification
    /// A number in units of the label.
    case regression
    /// A cluster's number and the distance to its centre.
    case clustering
}

/// Writes predictions as records of JSON: the input's key and partition, and as the value
///
/// `{"id":…,"prediction":…,"probabilities":{…},"partition":…,"offset":…}`
///
/// with the position of the input record. A class is the text that was seen first; −1 and undefined
/// numbers are `null`. Probabilities have six decimals, rounded half up, and stand in the order of
/// the classes' codes; they are left out where the predictions have none. Regression has no
/// probabilities, and its number is in shortest round-trip form; clustering has `"distance"`.
///
/// - Complexity: O(classes) time for each record; steady state allocates nothing.
package struct PredictionEncoder: ~Copyable {
    package let kind: PredictionKind
    /// The classes known so far as JSON texts, one after another.
    private var names = ByteBuffer(capacity: 256)
    /// Where each class's text ends in `names`.
    private var nameEnds: [Int] = []

    package init(_ kind: PredictionKind) {
        self.kind = kind
    }

    /// Appends one record for each row of a range.
    ///
    /// - Parameters:
    ///   - records: What the batch was decoded from since it was cleared.
    ///   - classes: The decoder's. It may have grown since the last call, and an encoder that is
    ///     used after a restore must be a new one.
    package mutating func encode(
        _ rows: Range<Int>, of batch: borrowing DecodedBatch, records: Span<RawRecord>,
        predictions: borrowing Predictions, classes: borrowing ValueDictionary,
        into output: inout OutputBuffer
    ) {
        if kind == .classification { learnNames(of: classes) }
        let indices = batch.recordIndices
        let ids = batch.ids
        let labels = predictions.labels
        let values = predictions.values
        let probabilities = predictions.probabilities
        let knownClasses = batch.rows.knownClasses
        let capacity = predictions.classCapacity
        for row in rows {
            let record = records[Int(indices[row])]
            output.open(key: record.key, hasKey: record.keyCount >= 0)
            output.content.append("{\"id\":" as StaticString)
            output.content.append(ids.extracting(batch.idRange(row)))
            output.content.append(",\"prediction\":" as StaticString)
            switch kind {
            case .classification:
                append(className: Int(labels[row]), to: &output.content)
                if predictions.wantsProbabilities {
                    let known = Int(knownClasses[row])
                    append(
                        probabilities.extracting((row * capacity)..<(row * capacity + known)),
                        to: &output.content)
                }
            case .regression:
                Self.append(values[row], to: &output.content)
            case .clustering:
                if labels[row] < 0 {
                    output.content.append("null,\"distance\":null" as StaticString)
                } else {
                    output.content.append(decimal: labels[row])
                    output.content.append(",\"distance\":" as StaticString)
                    Self.append(values[row].squareRoot(), to: &output.content)
                }
            }
            output.content.append(",\"partition\":" as StaticString)
            output.content.append(decimal: record.partition)
            output.content.append(",\"offset\":" as StaticString)
            output.content.append(decimal: record.offset)
            output.content.append(UInt8(ascii: "}"))
            output.close(.predictions, partition: record.partition)
        }
    }

    /// Adds the classes that are new since the last call.
    private mutating func learnNames(of classes: borrowing ValueDictionary) {
        precondition(nameEnds.count <= classes.count, "the classes are of another decoder")
        for code in nameEnds.count..<classes.count {
            names.appendJSON(text: classes.textBytes.extracting(classes.textRange(code)))
            nameEnds.append(names.count)
        }
    }

    private func append(className code: Int, to content: inout ByteBuffer) {
        if code < 0 {
            content.append("null" as StaticString)
        } else {
            content.append(name(code))
        }
    }

    @_lifetime(borrow self)
    private func name(_ code: Int) -> Span<UInt8> {
        names.bytes.extracting((code == 0 ? 0 : nameEnds[code - 1])..<nameEnds[code])
    }

    private func append(_ probabilities: Span<Double>, to content: inout ByteBuffer) {
        content.append(",\"probabilities\":{" as StaticString)
        for code in probabilities.indices {
            if code > 0 { content.append(UInt8(ascii: ",")) }
            content.append(name(code))
            content.append(UInt8(ascii: ":"))
            content.append(sixDecimals: probabilities[code])
        }
        content.append(UInt8(ascii: "}"))
    }

    private static func append(_ value: Double, to content: inout ByteBuffer) {
        if value.isFinite {
            content.append(shortest: value)
        } else {
            content.append("null" as StaticString)
        }
    }
}

extension ByteBuffer {
    /// Appends a number between 0 and 1 with six decimals, rounded half up; others are clamped, and
    /// NaN is `null`.
    mutating func append(sixDecimals value: Double) {
        guard value >= 0 else {
            append(value.isNaN ? "null" as StaticString : "0.000000" as StaticString)
            return
        }
        var rest = value < 1 ? UInt32(value * 1e6 + 0.5) : 1_000_000
        // Safety: exactly eight bytes are written.
        unsafe write(upTo: 8) { out in
            for position in stride(from: 7, through: 2, by: -1) {
                unsafe out[position] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            unsafe out[1] = UInt8(ascii: ".")
            unsafe out[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest)
            return 8
        }
    }
}
