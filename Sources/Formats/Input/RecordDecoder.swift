import CSimdJSON
package import Core

/// Turns the bytes of records into rows, and owns the dictionaries that give categories and classes
/// their codes.
///
/// A record is good or it has exactly one fault. A faulty one changes no dictionary. The fault is the
/// first of these that holds:
///
/// 1. `tombstone`, `emptyValue` (no bytes), `valueTooLarge`, `emptyValue` (only white space),
///    `invalidUTF8` (anywhere in the value).
/// 2. JSON: `nestedTooDeep` if brackets outside of strings nest deeper than 64; then `malformed` if
///    the value is anything but one object in the grammar of RFC 8259, also in fields that nobody
///    reads. Escapes must stand for a character (no half surrogate pairs). The words `NaN`,
///    `Infinity` and `-Infinity` are let through the grammar and are `notFinite` wherever they stand.
///    CSV: `malformed` by RFC 4180, then `wrongFieldCount`.
/// 3. In the order of the document (CSV: of the columns): `duplicateField` for a field on the way to
///    any that the schema reads, `wrongType`, `notFinite`, `invalidWeight`, `invalidTime` and `invalidModelField` for a
///    value of another type than the schema says.
/// 4. In the order of the schema's features: `invalidTime` of a timestamp, `duplicateField` for a
///    map's name.
/// 5. `invalidWeight` (missing or negative), `invalidTime` of the event time (missing or not in its
///    form), `invalidModelField` (missing, empty or too long), `missingLabel`, `tooManyClasses`.
///
/// A field that is absent, `null` or an empty CSV cell is missing: NaN in a dense column.
///
/// - Complexity: O(bytes) time. Memory: dictionaries up to their limits with values of at most
///   ``valueBytesMax`` bytes, and work space in proportion to the largest value; steady state
///   allocates nothing.
package struct RecordDecoder: ~Copyable {
    /// The longest text of a category, a class or a value that chooses a model, in bytes. A longer
    /// category counts as *other*, a longer class is `tooManyClasses`, and a longer value that
    /// chooses a model `invalidModelField`: so that dictionaries stay bounded in memory.
    package static let valueBytesMax = 1024

    package let schema: Schema
    package let format: InputFormat
    /// The classes of the label and their codes; empty when the label is no class.
    package private(set) var classes: ValueDictionary
    /// The dictionaries of the categorical features, in their order.
    package private(set) var dictionaries: [ValueDictionary] = []

    private let plan: FieldPlan
    private let json: JSONReader?
    private let csv: CSVReader?
    private var tokens: TokenCollector
    private var instants: [Instant?] = []

    /// - Parameters:
    ///   - valueBytesLimit: The largest value in bytes that is no fault.
    /// - Precondition: a categorical feature has fewer declared values than its limit; a label has at
    ///   most as many as its own.
    package init(
        schema: Schema, format: InputFormat, valueBytesLimit: Int = 1 << 20
    ) throws(FormatError) {
        self.schema = schema
        self.format = format
        plan = FieldPlan(schema)
        tokens = TokenCollector(bits: schema.sparseBits)
        for feature in schema.features {
            guard case .categorical(let values, let limit) = feature.kind else { continue }
            precondition(
                limit > values.count && limit > 1,
                "\(feature.name): a limit of \(limit) leaves no code for other values")
            dictionaries.append(ValueDictionary(declared: values, limit: limit - 1))
        }
        switch schema.label?.kind {
        case .category(let declared, let limit)?:
            classes = ValueDictionary(declared: declared, limit: limit)
        default:
            classes = ValueDictionary(limit: 1)
        }
        switch format {
        case .json:
            json = JSONReader(plan, valueLimit: valueBytesLimit)
            csv = nil
        case .csv(let shape):
            json = nil
            csv = try CSVReader(
                plan, shape: shape, labelPath: schema.label?.path, valueLimit: valueBytesLimit)
        }
    }

    /// Puts other dictionaries in place of these; for restoring.
    mutating func replace(dictionaries: [ValueDictionary], classes: ValueDictionary) {
        self.dictionaries = dictionaries
        self.classes = classes
    }

    /// The number of classes known so far.
    package var classCount: Int { plan.labelSlice == nil ? 0 : classes.count }

    /// Appends the good records to the batch, and the faults of the others.
    ///
    /// The records' bytes are not used after the call. The result does not depend on how records
    /// are spread over calls.
    package mutating func decode(_ records: Span<RawRecord>, into batch: inout DecodedBatch) {
        precondition(
            batch.rows.columnCount >= plan.columnCount,
            "a batch of \(batch.rows.columnCount) columns is too narrow for \(plan.columnCount)")
        var first = 0
        while first < records.count {
            let table =
                if let json {
                    json.read(records, from: first, into: &batch.rows)
                } else if let csv {
                    csv.read(records, from: first, into: &batch.rows)
                } else {
                    preconditionFailure("a decoder has a reader")
                }
            finish(records, from: first, table, into: &batch)
            first += unsafe table.status.count
        }
    }

    /// Checks and completes the rows that a reader filled.
    private mutating func finish(
        _ records: Span<RawRecord>, from first: Int, _ table: FieldTable,
        into batch: inout DecodedBatch
    ) {
        // Safety: the reader keeps the table's memory until its next call, which is after this one.
        let status = unsafe Span(_unsafeElements: table.status)
        let slices = unsafe Span(_unsafeElements: table.slices)
        let values = unsafe Span(_unsafeElements: table.values)
        let text = unsafe Span(_unsafeElements: table.text)
        let items = unsafe Span(_unsafeElements: table.items)
        let itemEnds = unsafe Span(_unsafeElements: table.itemEnds)
        var filled = 0
        var dropped = 0
        for index in status.indices {
            guard status[index] == UInt8(tw_good) else {
                batch.reject(RecordFault(rawValue: status[index]) ?? .malformed)
                continue
            }
            let fields = RowFields(
                text: text,
                slices: slices.extracting(
                    (filled * plan.sliceCount)..<((filled + 1) * plan.sliceCount)),
                values: values.extracting(
                    (filled * plan.valueCount)..<((filled + 1) * plan.valueCount)),
                items: items.extracting(
                    (filled == 0 ? 0 : Int(itemEnds[filled - 1]))..<Int(itemEnds[filled])))
            filled += 1
            do throws(RecordFault) {
                let outcome = try check(fields)
                commit(fields, outcome, records[first + index], filled: dropped, into: &batch)
            } catch {
                dropped += 1
                batch.reject(error)
            }
        }
    }

    /// What the checks of a row found out.
    private struct Outcome {
        var weight = 1.0
        var time: Int64?
    }

    /// Finds the faults that a reader cannot see, without changing a dictionary.
    private mutating func check(_ fields: borrowing RowFields) throws(RecordFault) -> Outcome {
        if !plan.special.isEmpty { try checkSpecial(fields) }
        var outcome = Outcome()
        if let index = plan.weightValue {
            outcome.weight = fields.values[index]
            guard outcome.weight >= 0 else { throw .invalidWeight }
        }
        if let slice = plan.timeSlice {
            guard let value = fields.slice(slice),
                let instant = Instant(value, unit: schema.eventTimeUnit)
            else { throw .invalidTime }
            outcome.time = instant.milliseconds
        }
        if let slice = plan.modelSlice {
            guard let value = fields.slice(slice), !value.isEmpty,
                value.count <= Self.valueBytesMax
            else { throw .invalidModelField }
        }
        if let slice = plan.labelSlice {
            if let value = fields.slice(slice) {
                if classes.count == classes.limit || value.count > Self.valueBytesMax,
                    classes.code(of: value, adding: false) == nil
                {
                    throw .tooManyClasses
                }
            } else if schema.label?.isRequired == true {
                throw .missingLabel
            }
        } else if let index = plan.labelValue {
            if fields.values[index].isNaN && schema.label?.isRequired == true {
                throw .missingLabel
            }
        }
        return outcome
    }

    private mutating func checkSpecial(_ fields: borrowing RowFields) throws(RecordFault) {
        tokens.clear()
        instants.removeAll(keepingCapacity: true)
        for feature in plan.special {
            switch feature.kind {
            case .categorical: continue
            case .timestamp(let slice, _, let unit, _):
                guard let value = fields.slice(slice) else {
                    instants.append(nil)
                    continue
                }
                guard let instant = Instant(value, unit: unit) else { throw .invalidTime }
                instants.append(instant)
            case .text(let slice):
                guard let value = fields.slice(slice) else { continue }
                tokens.beginFeature()
                tokens.addWords(value, after: feature.prefix)
            case .items(let marked, let isSet):
                tokens.beginFeature()
                for index in fields.items.indices {
                    let item = fields.items[index]
                    guard item.index == UInt32(marked) else { continue }
                    let name = fields.text.extracting(item.name.range)
                    let isNew = tokens.add(name, after: feature.prefix, value: item.value)
                    if !isNew && !isSet { throw .duplicateField }
                }
            }
        }
    }

    /// Adds the row, whose plain numbers stand in its lanes already.
    private mutating func commit(
        _ fields: borrowing RowFields, _ outcome: Outcome, _ record: RawRecord, filled: Int,
        into batch: inout DecodedBatch
    ) {
        var classLabel: Int32 = -1
        var knownClasses = 0
        var target = Double.nan
        if let slice = plan.labelSlice {
            knownClasses = classes.count
            if let value = fields.slice(slice), let code = classes.code(of: value, adding: true) {
                classLabel = Int32(truncatingIfNeeded: code)
            }
        } else if let index = plan.labelValue {
            target = fields.values[index]
        }
        let row = batch.rows.appendFilledRow(
            filled, classLabel: classLabel, knownClasses: Int32(truncatingIfNeeded: knownClasses),
            target: target, weight: outcome.weight,
            eventTime: outcome.time ?? max(0, record.timestamp))
        if !plan.special.isEmpty { commitSpecial(fields, row: row, into: &batch.rows) }
        if let slice = plan.idSlice, let value = fields.slice(slice) {
            batch.idContent.append(id: value, isLiteral: json != nil)
        } else {
            batch.idContent.append(idOf: record)
        }
        if let slice = plan.modelSlice, let value = fields.slice(slice) {
            batch.append(modelKey: value)
        }
        batch.accept()
    }

    private mutating func commitSpecial(
        _ fields: borrowing RowFields, row: Int, into rows: inout Rows
    ) {
        var timestamp = 0
        for feature in plan.special {
            switch feature.kind {
            case .categorical(let slice, let column, let dictionary, let other):
                guard let value = fields.slice(slice) else { continue }
                let isShort = value.count <= Self.valueBytesMax
                let code = dictionaries[dictionary].code(of: value, adding: isShort)
                rows.setValue(row, column, Double(code ?? other))
            case .timestamp(_, let column, _, let derived):
                if let instant = instants[timestamp] {
                    rows.setValue(row, column, instant.value)
                    for (offset, part) in derived.enumerated() {
                        rows.setValue(row, column + 1 + offset, instant.part(part))
                    }
                }
                timestamp += 1
            case .text, .items: continue
            }
        }
        // A name whose value is null is missing.
        for index in tokens.indices.indices where !tokens.values[index].isNaN {
            rows.appendSparse(tokens.indices[index], tokens.values[index])
        }
    }
}

/// The part of a ``FieldTable`` that belongs to one row.
private struct RowFields: ~Escapable {
    let text: Span<UInt8>
    let slices: Span<tw_slice>
    let values: Span<Double>
    let items: Span<tw_item>

    @_lifetime(copy text, copy slices, copy values, copy items)
    init(
        text: Span<UInt8>, slices: Span<tw_slice>, values: Span<Double>, items: Span<tw_item>
    ) {
        self.text = text
        self.slices = slices
        self.values = values
        self.items = items
    }

    /// The text of a slice, or `nil` if the record does not have it.
    @_lifetime(copy self)
    func slice(_ index: Int) -> Span<UInt8>? {
        let slice = slices[index]
        return slice.isMissing ? nil : text.extracting(slice.range)
    }
}
