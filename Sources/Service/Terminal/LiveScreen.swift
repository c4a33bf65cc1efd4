import Synchronization

/// Lines at the bottom of a terminal that are drawn again and again in place.
///
/// On anything but a terminal it draws nothing. Any thread may call it.
package final class LiveScreen: Sendable {
    private let channel: any TextChannel
    private let isTerminal: Bool
    private let drawnCount = Mutex(0)

    package init(channel: any TextChannel, isTerminal: Bool) {
        self.channel = channel
        self.isTerminal = isTerminal
    }

    /// Replaces what was drawn before.
    package func draw(_ lines: [String]) {
        guard isTerminal else { return }
        drawnCount.withLock { count in
            channel.write(Self.frame(lines, over: count))
            count = lines.count
        }
    }

    /// Takes the lines away.
    package func clear() { draw([]) }

    /// Leaves the lines where they are; the next ones begin below.
    package func keep() {
        drawnCount.withLock { $0 = 0 }
    }

    /// The bytes that draw lines over `count` earlier ones, without flicker.
    package static func frame(_ lines: [String], over count: Int) -> String {
        var text = count > 0 ? "\u{1B}[\(count)A" : ""
        for line in lines { text += "\r\(line)\u{1B}[K\n" }
        // What is left of a longer frame goes.
        return text + (count > lines.count ? "\u{1B}[J" : "")
    }
}
