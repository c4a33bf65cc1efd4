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
    /// The classes known so far as JSON texts, each between a comma and a colon.
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
        let hasProbabilities = predictions.wantsProbabilities
        for row in rows {
            let record = records[Int(indices[row])]
            let id = ids.extracting(batch.idRange(row))
            let known = kind == .classification && hasProbabilities ? Int(knownClasses[row]) : 0
            output.open(key: record.key, hasKey: record.keyCount >= 0)
            // The fixed texts and the two or three numbers take less than 192 bytes; each class at
            // most its name, which may be written twice, and a probability.
            let limit = 192 + id.count + 2 * names.count + 8 * known
            // Safety: no more than `limit` bytes are written.
            unsafe output.content.write(upTo: limit) { start in
                var writer = unsafe RecordWriter(start)
                writer.write("{\"id\":")
                writer.write(id)
                writer.write(",\"prediction\":")
                switch kind {
                case .classification:
                    write(className: Int(labels[row]), to: &writer)
                    if hasProbabilities {
                        let first = row * capacity
                        write(probabilities.extracting(first..<(first + known)), to: &writer)
                    }
                case .regression: writer.write(shortest: values[row])
                case .clustering:
                    if labels[row] < 0 {
                        writer.write("null,\"distance\":null")
                    } else {
                        writer.write(decimal: Int64(labels[row]))
                        writer.write(",\"distance\":")
                        writer.write(shortest: values[row].squareRoot())
                    }
                }
                writer.write(",\"partition\":")
                writer.write(decimal: Int64(record.partition))
                writer.write(",\"offset\":")
                writer.write(decimal: record.offset)
                writer.write(UInt8(ascii: "}"))
                return writer.count
            }
            output.close(.predictions, partition: record.partition)
        }
    }

    /// Adds the classes that are new since the last call.
    private mutating func learnNames(of classes: borrowing ValueDictionary) {
        precondition(nameEnds.count <= classes.count, "the classes are of another decoder")
        for code in nameEnds.count..<classes.count {
            names.append(UInt8(ascii: ","))
            names.appendJSON(text: classes.textBytes.extracting(classes.textRange(code)))
            names.append(UInt8(ascii: ":"))
            nameEnds.append(names.count)
        }
    }

    /// A class's text as JSON between a comma and a colon.
    @_lifetime(borrow self)
    private func name(_ code: Int) -> Span<UInt8> {
        names.bytes.extracting((code == 0 ? 0 : nameEnds[code - 1])..<nameEnds[code])
    }

    @inline(__always)
    private func write(className code: Int, to writer: inout RecordWriter) {
        if code < 0 {
            writer.write("null")
        } else {
            let name = name(code)
            writer.write(name.extracting(1..<(name.count - 1)))
        }
    }

    @inline(__always)
    private func write(_ probabilities: Span<Double>, to writer: inout RecordWriter) {
        writer.write(",\"probabilities\":{")
        for code in probabilities.indices {
            let name = name(code)
            writer.write(code == 0 ? name.extracting(1..<name.count) : name)
            writer.write(sixDecimals: probabilities[code])
        }
        writer.write(UInt8(ascii: "}"))
    }
}
