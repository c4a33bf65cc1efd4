/// The generator of all randomness: 64 bits of state, the same sequence on every machine.
///
/// Each random part of a pipeline owns one, with a seed derived from the pipeline's by
/// ``derived(_:)``, so that adding a part never changes the numbers of another.
///
/// - Complexity: O(1) time, 8 bytes.
/// - Note: Steele, Lea, Flood, *Fast Splittable Pseudorandom Number Generators*, 2014.
package struct SplitMix64: Sendable, Equatable {
    /// The whole state; two generators with equal state give equal sequences.
    @usableFromInline
    package private(set) var state: UInt64

    @inlinable
    package init(seed: UInt64) {
        state = seed
    }

    /// The next 64 uniformly distributed bits.
    @inlinable
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }

    /// A uniform double in [0, 1), from the upper 53 bits.
    @inlinable
    package mutating func nextUnit() -> Double {
        Double(next() &>> 11) * 0x1p-53
    }

    /// A uniform integer in `0..<bound`, without the bias of a plain remainder.
    ///
    /// - Precondition: `bound` is positive.
    @inlinable
    package mutating func next(below bound: Int) -> Int {
        precondition(bound > 0, "bound must be positive, got \(bound)")
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// The seed for a named part, the same for the same name and seed, in any order of asking.
    package static func derived(_ seed: UInt64, _ part: String) -> UInt64 {
        var hash = ContentHash(seed: seed)
        hash.combine(part)
        var generator = SplitMix64(seed: hash.value)
        return generator.next()
    }
}

extension SplitMix64 {
    package func encode(to encoder: inout StateEncoder) {
        encoder.write(state)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        self.init(seed: try decoder.readUInt64())
    }
}
