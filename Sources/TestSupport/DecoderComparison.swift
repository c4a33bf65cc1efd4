package import Core
package import Formats

/// Runs the fast decoder and the plain one over the same records and tells the first difference.
package enum DecoderComparison {
    /// `nil` when both agree on rows, numbers, dictionaries, identities and faults.
    ///
    /// - Parameter cut: The most records of one call of the fast decoder.
    package static func difference(
        schema: Schema, format: InputFormat, records: [RecordList.Record], cut: Int,
        valueBytesLimit: Int = 1 << 20
    ) throws -> String? {
        var plain = PlainDecoder(
            schema: schema, format: format, valueBytesLimit: valueBytesLimit)
        let expected = plain.decode(records)
        var fast = try RecordDecoder(
            schema: schema, format: format, valueBytesLimit: valueBytesLimit)
        let columnCount = schema.layout.columns.count
        var batch = DecodedBatch(columnCount: columnCount, capacity: 4)
        RecordList(records).withRecords { span in
            var first = 0
            while first < span.count {
                let last = min(span.count, first + cut)
                fast.decode(span.extracting(first..<last), into: &batch)
                first = last
            }
        }
        if batch.rejections != expected.rejections {
            let place = zip(batch.rejections, expected.rejections).first { $0 != $1 }
            let index =
                place.map { min($0.0.recordIndex, $0.1.recordIndex) }
                ?? max(batch.rejections.count, expected.rejections.count)
            return "faults: fast \(String(describing: place?.0)), plain "
                + "\(String(describing: place?.1)): \(describe(records, index))"
        }
        guard batch.rows.count == expected.rows.count else {
            return "\(batch.rows.count) rows, plain \(expected.rows.count)"
        }
        for (row, wanted) in expected.rows.enumerated() {
            let found = PlainDecoder.Row(
                batch, row, columnCount: columnCount, hasModelKey: schema.modelPath != nil)
            if found != wanted {
                return "fast \(found), plain \(wanted): \(describe(records, wanted.recordIndex))"
            }
        }
        let plainDictionaries = zip(schema.features, plain.dictionaries)
            .filter { if case .categorical = $0.0.kind { true } else { false } }.map(\.1)
        if fast.dictionaries.map(texts) != plainDictionaries { return "dictionaries differ" }
        if fast.classCount > 0 || !plain.classes.isEmpty {
            if texts(fast.classes) != plain.classes { return "classes differ" }
        }
        return nil
    }

    private static func texts(_ dictionary: ValueDictionary) -> [[UInt8]] {
        let bytes = dictionary.textBytes
        return (0..<dictionary.count).map { code in
            dictionary.textRange(code).map { bytes[$0] }
        }
    }

    private static func describe(_ records: [RecordList.Record], _ index: Int) -> String {
        guard index < records.count, let value = records[index].value else { return "\(index)" }
        return "record \(index): \(String(decoding: value, as: UTF8.self).debugDescription)"
    }
}

extension PlainDecoder.Row {
    /// A row of a batch.
    package init(
        _ batch: borrowing DecodedBatch, _ row: Int, columnCount: Int, hasModelKey: Bool = false
    ) {
        self.init()
        let labels = batch.rows.classLabels
        let known = batch.rows.knownClasses
        let targets = batch.rows.targets
        let weights = batch.rows.weights
        let times = batch.rows.eventTimes
        let indices = batch.recordIndices
        let sparseIndices = batch.rows.sparseIndices
        let sparseValues = batch.rows.sparseValues
        columns = (0..<columnCount).map { batch.rows.value(row, $0).bitPattern }
        sparse = batch.rows.sparseRange(row).map {
            PlainDecoder.Pair(index: sparseIndices[$0], value: sparseValues[$0])
        }
        classLabel = labels[row]
        knownClasses = known[row]
        target = targets[row].bitPattern
        weight = weights[row]
        eventTime = times[row]
        id = batch.idText(row)
        if hasModelKey {
            let keys = batch.modelKeys
            modelKey = batch.modelKeyRange(row).map { keys[$0] }
        }
        recordIndex = Int(indices[row])
    }
}
