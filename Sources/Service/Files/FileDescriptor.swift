import Glibc

/// Why a file could not be read or written, told so that a user can act on it.
package struct FileError: Error, Equatable, CustomStringConvertible {
    /// As it was given; `-` for standard input.
    package let path: String
    /// What the system or the decompressor said.
    package let reason: String

    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// The reason of the last failed call on this thread.
    package init(lastOf path: String) {
        // Safety: strerror returns a C string that stays valid until this thread's next call.
        self.init(path: path, reason: unsafe String(cString: strerror(errno)))
    }

    package var description: String { "\(path): \(reason)" }
}

/// An open file that is closed with its owner.
package struct FileDescriptor: ~Copyable {
    private let number: Int32
    private let path: String

    /// Creates a file, or empties one that is there.
    package init(creating path: String) throws(FileError) {
        // Safety: the path is a C string during the call.
        number = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        self.path = path
        guard number >= 0 else { throw FileError(lastOf: path) }
    }

    deinit {
        if number >= 0 { _ = close(number) }
    }

    package borrowing func write(_ bytes: Span<UInt8>) throws(FileError) {
        do throws(FileError) {
            try Self.writeAll(bytes, to: number)
        } catch {
            throw FileError(path: path, reason: error.reason)
        }
    }

    /// Cuts the file to a length and goes on writing there; not possible in a pipe.
    package borrowing func truncate(to byteCount: Int) throws(FileError) {
        guard ftruncate(number, byteCount) == 0, lseek(number, byteCount, SEEK_SET) >= 0 else {
            throw FileError(lastOf: path)
        }
    }

    /// Writes all bytes to an open descriptor.
    package static func writeAll(_ bytes: Span<UInt8>, to descriptor: Int32) throws(FileError) {
        var written = 0
        while written < bytes.count {
            // Safety: the span is valid during the call, and `written` is below its count.
            let count = unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe Glibc.write(
                    descriptor, buffer.baseAddress! + written, buffer.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(lastOf: "descriptor \(descriptor)")
            }
            written += count
        }
    }
}
