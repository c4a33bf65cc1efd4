import Foundation

/// A value of a golden file, read without knowing its shape.
///
/// `golden["runs"][0]["accuracy"].double` traps with the path when something is missing: a golden
/// that cannot be read must fail the test, not pass it.
package struct Golden: @unchecked Sendable {
    /// The path from the file's root, for messages.
    package let path: String
    private let value: Any?

    /// Reads `NAME.json` from ``TestEnvironment/goldenFolder``.
    package static func load(_ name: String) throws -> Golden {
        let url = TestEnvironment.goldenFolder.appending(path: "\(name).json")
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
        return Golden(path: name, value: object)
    }

    private init(path: String, value: Any?) {
        self.path = path
        self.value = value
    }

    /// Whether something other than `null` stands here.
    package var exists: Bool { value != nil && !(value is NSNull) }

    package subscript(_ key: String) -> Golden {
        Golden(path: "\(path).\(key)", value: (value as? [String: Any])?[key])
    }

    package subscript(_ index: Int) -> Golden {
        let array = value as? [Any]
        let element = array.flatMap { index < $0.count ? $0[index] : nil }
        return Golden(path: "\(path)[\(index)]", value: element)
    }

    /// The keys of an object, sorted.
    package var keys: [String] { (value as? [String: Any] ?? [:]).keys.sorted() }

    package var array: [Golden] {
        guard let array = value as? [Any] else { preconditionFailure("\(path) is no list") }
        return array.enumerated().map { Golden(path: "\(path)[\($0)]", value: $1) }
    }

    /// A number; the texts `NaN`, `Infinity` and `-Infinity` stand for themselves.
    package var double: Double {
        if let number = value as? NSNumber { return number.doubleValue }
        switch value as? String {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        default: preconditionFailure("\(path) is no number")
        }
    }

    package var int: Int { Int(double) }

    package var string: String {
        guard let text = value as? String else { preconditionFailure("\(path) is no text") }
        return text
    }

    package var bool: Bool {
        guard let number = value as? NSNumber else { preconditionFailure("\(path) is no boolean") }
        return number.boolValue
    }

    package var doubles: [Double] { array.map(\.double) }
    package var ints: [Int] { array.map(\.int) }
}

/// |a − b| ≤ tolerance · max(1, |b|); equal infinities and two NaN are close.
package func isClose(_ a: Double, _ b: Double, tolerance: Double) -> Bool {
    if a == b || (a.isNaN && b.isNaN) { return true }
    return abs(a - b) <= tolerance * max(1, abs(b))
}

/// The generator of the golden files: s ← 48271 · s mod 2147483647, u = s / 2147483647.
package struct Lehmer: Sendable {
    private var state: UInt64

    package init(seed: Int) { state = UInt64(seed) }

    package mutating func unit() -> Double {
        state = 48271 * state % 2_147_483_647
        return Double(state) / 2_147_483_647
    }

    package mutating func gauss() -> Double {
        let radius = (-2 * log(unit())).squareRoot()
        return radius * cos(2 * Double.pi * unit())
    }
}
