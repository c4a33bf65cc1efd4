import CSimdJSON
import Core

/// Reads CSV records into dense lanes and a ``FieldTable``.
///
/// Cells are read as follows; an empty cell is missing whatever its kind.
///
/// - A number: decimal with an optional sign and exponent, between spaces if need be; `nan` and `inf`
///   are `notFinite`, other texts `wrongType`.
/// - A boolean: `true`, `false` in any case, `1` or `0`.
/// - A category, class or text: the cell as it stands.
/// - A set: members between white space. A map: `name:number` between white space, the last colon
///   counts.
final class CSVReader: @unchecked Sendable {
    // Safety: the work space belongs to this object alone, which one decoder on one thread uses.
    private var work: Work

    init(
        _ plan: FieldPlan, shape: CSVFormat, labelPath: [String]?, valueLimit: Int
    ) throws(FormatError) {
        precondition(
            valueLimit > 0 && valueLimit < Int(UInt32.max) / 4,
            "a limit of \(valueLimit) bytes is out of range")
        var targets = [[tw_target]](repeating: [], count: shape.columns.count)
        for reading in plan.readings {
            let name = reading.path.joined(separator: ".")
            let matches = shape.columns.indices.filter { shape.columns[$0] == name }
            guard let column = matches.first else {
                // A file without labels can still be predicted.
                if reading.path == labelPath { continue }
                throw .missingColumn(name)
            }
            guard matches.count == 1 else { throw .repeatedColumn(name) }
            targets[column].append(reading.target)
        }
        work = Work(plan, shape: shape, targets: targets, valueLimit: valueLimit)
    }

    /// Reads records from `first` on, as many as fit, into the free rows of `rows`.
    func read(_ records: Span<RawRecord>, from first: Int, into rows: inout Rows) -> FieldTable {
        work.read(records, from: first, into: &rows)
    }
}

/// The work space of a ``CSVReader``.
private struct Work: ~Copyable {
    /// Bytes of text after which a table is full.
    private static let textTarget = 1 << 20

    /// The readers of all columns, one column after another.
    private let targets: [tw_target]
    /// Where each column's readers end in `targets`.
    private let targetEnds: [Int]
    private let sliceCount: Int
    private let valueCount: Int
    private let columnCount: Int
    private let valueLimit: Int
    private var splitter: CSVSplitter
    private var text = ByteBuffer(capacity: 1 << 16)
    private var slices: PlainBuffer<tw_slice>
    private var values: PlainBuffer<Double>
    private var items = PlainBuffer<tw_item>(capacity: 64)
    private var itemEnds = PlainBuffer<UInt32>(capacity: Int(tw_documents_max))
    private var status = PlainBuffer<UInt8>(capacity: Int(tw_documents_max))

    init(_ plan: FieldPlan, shape: CSVFormat, targets: [[tw_target]], valueLimit: Int) {
        self.targets = targets.flatMap { $0 }
        var ends: [Int] = []
        for column in targets { ends.append((ends.last ?? 0) + column.count) }
        targetEnds = ends
        self.valueLimit = valueLimit
        sliceCount = plan.sliceCount
        valueCount = plan.valueCount
        columnCount = plan.columnCount
        splitter = CSVSplitter(separator: shape.separator, quote: shape.quote)
        slices = PlainBuffer(capacity: Int(tw_documents_max) * max(1, plan.sliceCount))
        values = PlainBuffer(capacity: Int(tw_documents_max) * max(1, plan.valueCount))
    }

    mutating func read(
        _ records: Span<RawRecord>, from first: Int, into rows: inout Rows
    ) -> FieldTable {
        text.clear()
        slices.removeAll()
        values.removeAll()
        items.removeAll()
        itemEnds.removeAll()
        status.removeAll()
        let last = min(records.count, first + Int(tw_documents_max))
        rows.reserve(rows: last - first)
        let stride = rows.vectorsPerRow * laneCount
        // Safety: `reserve` made room for as many rows as there are records here.
        unsafe rows.withFreeRows { base in
            for index in first..<last {
                guard text.count < Self.textTarget else { return }
                let row = itemEnds.count
                let dense = unsafe UnsafeMutableBufferPointer(
                    start: base + row * stride, count: stride)
                let marks = (text.count, slices.count, values.count, items.count)
                do throws(RecordFault) {
                    try unsafe read(records[index], into: dense)
                    itemEnds.append(UInt32(items.count))
                    status.append(UInt8(tw_good))
                } catch {
                    text.truncate(to: marks.0)
                    slices.truncate(to: marks.1)
                    values.truncate(to: marks.2)
                    items.truncate(to: marks.3)
                    status.append(error.rawValue)
                }
            }
        }
        // Safety: the buffers hold as many elements as they count, until the next call.
        return unsafe FieldTable(
            text: UnsafeBufferPointer(start: text.address, count: text.count),
            slices: UnsafeBufferPointer(start: slices.base, count: slices.count),
            values: UnsafeBufferPointer(start: values.base, count: values.count),
            items: UnsafeBufferPointer(start: items.base, count: items.count),
            itemEnds: UnsafeBufferPointer(start: itemEnds.base, count: itemEnds.count),
            status: UnsafeBufferPointer(start: status.base, count: status.count))
    }

    private mutating func read(
        _ record: RawRecord, into dense: UnsafeMutableBufferPointer<Double>
    ) throws(RecordFault) {
        guard record.valueCount >= 0 else { throw .tombstone }
        guard record.valueCount > 0 else { throw .emptyValue }
        guard record.valueCount <= valueLimit else { throw .valueTooLarge }
        let value = record.value
        guard value.indices.contains(where: { !Self.isSpace(value[$0]) }) else {
            throw .emptyValue
        }
        guard value.isUTF8 else { throw .invalidUTF8 }
        let start = text.count
        text.append(value)
        try splitter.split(&text, from: start)
        guard splitter.fields.count == targetEnds.count else { throw .wrongFieldCount }
        for column in dense.indices { unsafe dense[column] = column < columnCount ? .nan : 0 }
        let firstSlice = slices.count
        let firstValue = values.count
        slices.append(repeating: .missing, count: sliceCount)
        values.append(repeating: .nan, count: valueCount)
        var next = 0
        for column in targetEnds.indices {
            let first = next
            next = targetEnds[column]
            if first == next { continue }
            let field = splitter.fields[column]
            if field.start == field.end { continue }
            for place in first..<next {
                let target = targets[place]
                let index = Int(target.index)
                switch Int(target.kind) {
                case tw_dense_number:
                    unsafe dense[index] = try number(field.start, field.end, target)
                case tw_value_number:
                    values[firstValue + index] = try number(field.start, field.end, target)
                case tw_dense_boolean:
                    unsafe dense[index] = try boolean(field, target)
                case tw_map, tw_set:
                    try members(field, target)
                default:
                    slices[firstSlice + index] = slice(field.start, field.end)
                }
            }
        }
    }

    private func slice(_ start: Int, _ end: Int) -> tw_slice {
        tw_slice(offset: UInt32(start), length: UInt32(end - start))
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (byte >= 9 && byte <= 10) || byte == 13
    }

    private func number(
        _ fieldStart: Int, _ fieldEnd: Int, _ target: tw_target
    ) throws(RecordFault) -> Double {
        var (start, end) = (fieldStart, fieldEnd)
        let bytes = text.bytes
        while start < end, Self.isSpace(bytes[start]) { start += 1 }
        while start < end, Self.isSpace(bytes[end - 1]) { end -= 1 }
        var value = 0.0
        // Safety: the stretch lies inside of the text.
        let result = unsafe tw_read_number(text.address + start, end - start, &value)
        if result == UInt8(tw_good) { return value }
        let fault = result == UInt8(tw_not_finite) ? target.range_fault : target.type_fault
        throw RecordFault(rawValue: fault) ?? .wrongType
    }

    private func boolean(
        _ field: CSVSplitter.Field, _ target: tw_target
    ) throws(RecordFault) -> Double {
        let cell = text.bytes.extracting(field.start..<field.end)
        if cell.isWord("true") || cell.isWord("1") { return 1 }
        if cell.isWord("false") || cell.isWord("0") { return 0 }
        throw RecordFault(rawValue: target.type_fault) ?? .wrongType
    }

    /// Adds the members between white space; a map's have a colon and a number.
    private mutating func members(
        _ field: CSVSplitter.Field, _ target: tw_target
    ) throws(RecordFault) {
        var start = field.start
        for index in field.start...field.end {
            if index < field.end && !Self.isSpace(text.bytes[index]) { continue }
            if index > start {
                if Int(target.kind) == tw_set {
                    items.append(
                        tw_item(name: slice(start, index), index: target.index, value: 1))
                } else {
                    var colon = index - 1
                    while colon > start && text.bytes[colon] != UInt8(ascii: ":") { colon -= 1 }
                    guard text.bytes[colon] == UInt8(ascii: ":") else { throw .wrongType }
                    let value = try number(colon + 1, index, target)
                    items.append(
                        tw_item(name: slice(start, colon), index: target.index, value: value))
                }
            }
            start = index + 1
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether the bytes are this word, in letters of any case.
    func isWord(_ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        for index in indices {
            let byte = self[index]
            let lower = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
            // Safety: `index` is below the word's length.
            if unsafe lower != word.utf8Start[index] { return false }
        }
        return true
    }
}
