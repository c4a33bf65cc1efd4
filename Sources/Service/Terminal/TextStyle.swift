import Glibc

/// Colours and weights of text on a terminal, or none.
package struct TextStyle: Sendable, Equatable {
    /// The colours in use; they are told apart by most readers who see few colours.
    package enum Color: String, Sendable {
        case blue = "34"
        case yellow = "33"
        case magenta = "35"
        case green = "32"
        case red = "31"
    }

    package let isColored: Bool

    package init(isColored: Bool) {
        self.isColored = isColored
    }

    /// Text as it is.
    package static let plain = TextStyle(isColored: false)

    /// Colours for a descriptor: on a terminal that is not dumb, unless `NO_COLOR` is set.
    package static func forDescriptor(_ descriptor: Int32) -> TextStyle {
        let refused = Environment.value("NO_COLOR").map { !$0.isEmpty } ?? false
        let isDumb = Environment.value("TERM") == "dumb"
        return TextStyle(isColored: isatty(descriptor) == 1 && !refused && !isDumb)
    }

    package func bold(_ text: String) -> String { wrap(text, "1") }
    package func dim(_ text: String) -> String { wrap(text, "2") }
    package func color(_ text: String, _ color: Color?) -> String {
        color.map { wrap(text, $0.rawValue) } ?? text
    }

    private func wrap(_ text: String, _ code: String) -> String {
        isColored && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// The process's environment variables.
package enum Environment {
    package static func value(_ name: String) -> String? {
        // Safety: getenv returns nil or a C string that nothing in this process changes.
        guard let text = unsafe getenv(name) else { return nil }
        return unsafe String(cString: text)
    }
}
