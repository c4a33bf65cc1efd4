import Glibc
import Synchronization

/// Somewhere that text goes: a descriptor, or memory in tests.
package protocol TextChannel: AnyObject, Sendable {
    /// Writes all of it; a failure is kept in ``failure`` and ends further writing.
    func write(_ bytes: Span<UInt8>)
    /// Why writing failed, if it did.
    var failure: String? { get }
}

extension TextChannel {
    package func write(_ text: String) {
        let bytes = Array(text.utf8)
        write(bytes.span)
    }
}

/// Writes to an open descriptor that it does not own.
package final class DescriptorChannel: TextChannel {
    private let descriptor: Int32
    private let firstFailure = Mutex<String?>(nil)

    package init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    package var failure: String? { firstFailure.withLock { $0 } }

    package func write(_ bytes: Span<UInt8>) {
        firstFailure.withLock { failure in
            guard failure == nil else { return }
            do throws(FileError) {
                try FileDescriptor.writeAll(bytes, to: descriptor)
            } catch {
                failure = error.reason
            }
        }
    }
}

/// Keeps what is written, for tests.
package final class MemoryChannel: TextChannel {
    private let content = Mutex<[UInt8]>([])

    package init() {}

    package var failure: String? { nil }

    /// Everything written so far.
    package var text: String { content.withLock { String(decoding: $0, as: UTF8.self) } }

    package func write(_ bytes: Span<UInt8>) {
        content.withLock { content in
            for index in bytes.indices { content.append(bytes[index]) }
        }
    }
}

/// Where a command writes its data and its messages, and how wide and coloured they may be.
package struct Console: Sendable {
    /// Standard output: the data that was asked for.
    package let output: any TextChannel
    /// Standard error: progress, warnings, failures.
    package let messages: any TextChannel
    package let outputIsTerminal: Bool
    package let messagesIsTerminal: Bool
    package let outputStyle: TextStyle
    package let messagesStyle: TextStyle
    /// The columns of the terminal.
    package let width: Int

    /// The process's own.
    package static var standard: Console {
        Console(
            output: DescriptorChannel(descriptor: STDOUT_FILENO),
            messages: DescriptorChannel(descriptor: STDERR_FILENO),
            outputIsTerminal: isatty(STDOUT_FILENO) == 1,
            messagesIsTerminal: isatty(STDERR_FILENO) == 1,
            outputStyle: .forDescriptor(STDOUT_FILENO),
            messagesStyle: .forDescriptor(STDERR_FILENO), width: terminalWidth())
    }

    package init(
        output: any TextChannel, messages: any TextChannel, outputIsTerminal: Bool = false,
        messagesIsTerminal: Bool = false, outputStyle: TextStyle = .plain,
        messagesStyle: TextStyle = .plain, width: Int = 80
    ) {
        self.output = output
        self.messages = messages
        self.outputIsTerminal = outputIsTerminal
        self.messagesIsTerminal = messagesIsTerminal
        self.outputStyle = outputStyle
        self.messagesStyle = messagesStyle
        self.width = width
    }

    /// Writes a line of data.
    package func print(_ line: String) { output.write(line + "\n") }

    /// Writes a line for the person who watches.
    package func say(_ line: String) { messages.write(line + "\n") }

    /// From 40 to 200 columns; 80 where nobody knows.
    private static func terminalWidth() -> Int {
        var size = winsize()
        // Safety: TIOCGWINSZ fills one `winsize`, which outlives the call.
        let asked = unsafe withUnsafeMutablePointer(to: &size) { pointer in
            unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), pointer)
        }
        let known = asked == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
        return min(200, max(40, known ?? Environment.value("COLUMNS").flatMap { Int($0) } ?? 80))
    }
}
