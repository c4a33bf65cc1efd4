import Core

/// The hash of all that was learned up to a moment, as bytes of one ``stateFormat``.
package struct LearnedHash: Sendable, Equatable {
    package var value: UInt64
    package var stateFormat: UInt32

    /// - Parameter stateFormat: by default the one in which this program writes.
    package init(_ value: UInt64, stateFormat: UInt32 = Core.stateFormat) {
        self.value = value
        self.stateFormat = stateFormat
    }

    /// Whether a hash that this program has computed is of another state; one in another format tells
    /// nothing.
    package func contradicts(_ computed: @autoclosure () -> UInt64) -> Bool {
        stateFormat == Core.stateFormat && value != computed()
    }
}
