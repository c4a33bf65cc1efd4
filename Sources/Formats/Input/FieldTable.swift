import CSimdJSON

/// What a reader found in a run of records: texts, numbers and items of each good row.
///
/// Rows stand one after another; `status` says of each record looked at whether it became one.
@safe
struct FieldTable {
    // Safety: the reader that made the table owns the memory and keeps it until its next call.
    let text: UnsafeBufferPointer<UInt8>
    let slices: UnsafeBufferPointer<tw_slice>
    let values: UnsafeBufferPointer<Double>
    let items: UnsafeBufferPointer<tw_item>
    let itemEnds: UnsafeBufferPointer<UInt32>
    let status: UnsafeBufferPointer<UInt8>
}

extension tw_slice {
    /// A value that the record does not have.
    static var missing: tw_slice { tw_slice(offset: 0, length: .max) }

    var isMissing: Bool { length == .max }
    var range: Range<Int> { Int(offset)..<(Int(offset) + Int(length)) }
}
