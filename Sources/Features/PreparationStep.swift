package import Core

/// A step of `prepare:` that transforms rows and learns from them as they pass.
///
/// A row is transformed with what was learned from the rows before it, and learned from after
/// that: transforming never changes state, and the first row is transformed by the initial state.
/// Results never depend on where batches are cut.
package protocol PreparationStep: Sendable {
    /// The columns that come out; the input layout's columns keep their places, further ones follow.
    var output: ColumnLayout { get }
    /// Memory of the state, in bytes.
    var stateBytes: Int { get }

    /// Transforms rows in place, learning nothing.
    func transform(_ rows: inout Rows, _ range: Range<Int>)
    /// Transforms each row, then learns from it, in order.
    mutating func transformAndLearn(_ rows: inout Rows, _ range: Range<Int>)

    func encode(to encoder: inout StateEncoder)
    init(from decoder: inout StateDecoder) throws(StateError)
}
