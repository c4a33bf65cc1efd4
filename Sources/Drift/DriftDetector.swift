package import Core

/// What a detector says after a value.
package enum DriftSignal: UInt8, Sendable, Equatable {
    case none = 0
    case warning = 1
    case drift = 2
}

/// Watches a sequence of values and signals when their distribution changes.
///
/// Values are finite; what may come (0 or 1, any number) each detector says. Updating allocates
/// nothing.
package protocol DriftDetector: Sendable {
    /// Takes the values in order and writes one ``DriftSignal`` (as its raw value) for each.
    mutating func update(_ values: Span<Double>, into signals: inout MutableSpan<UInt8>)
    /// Takes one value.
    mutating func update(_ value: Double) -> DriftSignal
    /// Forgets everything but the settings.
    mutating func reset()
    /// Memory of the state, in bytes.
    var stateBytes: Int { get }

    func encode(to encoder: inout StateEncoder)
    init(from decoder: inout StateDecoder) throws(StateError)
}
