/// Why a record was set aside instead of learned from.
package enum RecordFault: UInt8, Error, CaseIterable, Sendable {
    /// The record has no value (a tombstone).
    case tombstone
    /// The value has no bytes, or nothing but white space.
    case emptyValue
    /// The value is larger than the pipeline's limit.
    case valueTooLarge
    /// The value is not a document of the input format.
    case malformed
    /// The document nests deeper than the limit.
    case nestedTooDeep
    /// The value is not valid UTF-8.
    case invalidUTF8
    /// A field that the schema reads occurs twice.
    case duplicateField
    /// A field has another type than the schema says.
    case wrongType
    /// A number is NaN, infinite or too large for a double.
    case notFinite
    /// The label is required and missing.
    case missingLabel
    /// The label's value would be one class more than the limit.
    case tooManyClasses
    /// The weight is missing where it is read, negative, or no finite number.
    case invalidWeight
    /// The event time is missing or not in the declared form.
    case invalidTime
    /// A CSV row has another number of fields than the header.
    case wrongFieldCount
    /// The field that chooses the model is missing, empty, too long, or no text, number or boolean.
    case invalidModelField

    /// The name in counters, metrics and dead letters.
    package var name: String {
        switch self {
        case .tombstone: "tombstone"
        case .emptyValue: "empty_value"
        case .valueTooLarge: "value_too_large"
        case .malformed: "malformed"
        case .nestedTooDeep: "nested_too_deep"
        case .invalidUTF8: "invalid_utf8"
        case .duplicateField: "duplicate_field"
        case .wrongType: "wrong_type"
        case .notFinite: "not_finite"
        case .missingLabel: "missing_label"
        case .tooManyClasses: "too_many_classes"
        case .invalidWeight: "invalid_weight"
        case .invalidTime: "invalid_time"
        case .wrongFieldCount: "wrong_field_count"
        case .invalidModelField: "invalid_model_field"
        }
    }
}
