import Core

/// Which changes of a mean a detector signals.
enum Direction: UInt8, Sendable {
    case up = 0
    case down = 1
    case both = 2

    /// The words of the settings, in the order of the raw values.
    static let words = ["up", "down", "both"]

    /// - Precondition: the word is one of ``words``.
    init(_ word: String) {
        switch word {
        case "up": self = .up
        case "down": self = .down
        case "both": self = .both
        default: preconditionFailure("direction \(word) is not one of \(Self.words)")
        }
    }

    init(from decoder: inout StateDecoder) throws(StateError) {
        let raw = try decoder.readInteger(UInt8.self)
        guard let value = Direction(rawValue: raw) else {
            throw .invalidValue("a detector's direction is \(raw)")
        }
        self = value
    }

    /// Whether a step of the mean is to be signalled.
    func contains(_ step: Double) -> Bool {
        switch self {
        case .up: step > 0
        case .down: step < 0
        case .both: true
        }
    }
}
