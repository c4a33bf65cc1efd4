import CZlib
import Glibc

/// The bytes of a file or of standard input, one after another; gzip is recognised by its first
/// bytes and unpacked.
@safe
package struct ByteSource: ~Copyable {
    /// The path that means standard input.
    package static let standardInput: String = "-"

    package let path: String
    /// The file's size on disk; `nil` for pipes.
    package let byteCount: Int?
    // Safety: owned by this value alone, closed in deinit.
    private let handle: gzFile

    package init(path: String) throws(FileError) {
        let isStandardInput = path == Self.standardInput
        // Closing the handle must not close the process's own descriptor.
        // Safety: the path is a C string during the call.
        let descriptor =
            unsafe isStandardInput ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(lastOf: path) }
        var status = stat()
        // Safety: fstat fills one `stat`.
        guard unsafe fstat(descriptor, &status) == 0 else {
            let error = FileError(lastOf: path)
            _ = close(descriptor)
            throw error
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            _ = close(descriptor)
            throw FileError(path: path, reason: "is a folder; name the files in it")
        }
        let isRegular = status.st_mode & S_IFMT == S_IFREG
        guard let opened = unsafe gzdopen(descriptor, "rb") else {
            _ = close(descriptor)
            throw FileError(path: path, reason: "not enough memory to open it")
        }
        self.path = path
        byteCount = isRegular ? Int(status.st_size) : nil
        unsafe handle = opened
        // Safety: the handle is open and nothing has been read.
        _ = unsafe gzbuffer(handle, 1 << 17)
    }

    deinit {
        // Safety: the handle is open and used by nobody else.
        _ = unsafe gzclose_r(handle)
    }

    /// The bytes consumed of those on disk.
    package var consumedByteCount: Int {
        // Safety: the handle is open.
        max(0, Int(unsafe gzoffset(handle)))
    }

    /// Fills a buffer as far as the source goes.
    ///
    /// - Returns: The number of bytes read; less than `limit` at the end only.
    @unsafe
    package mutating func read(
        into buffer: UnsafeMutablePointer<UInt8>, limit: Int
    ) throws(FileError) -> Int {
        // Safety: the caller promises `limit` bytes; gzread writes no more.
        let count = unsafe gzread(handle, buffer, UInt32(min(limit, 1 << 30)))
        var code: Int32 = 0
        // Safety: gzerror returns a C string that is valid until the next call on the handle.
        let message = unsafe gzerror(handle, &code)
        guard count >= 0, code == Z_OK || code == Z_STREAM_END else {
            if code == Z_ERRNO { throw FileError(lastOf: path) }
            if code == Z_BUF_ERROR {
                throw FileError(path: path, reason: "the gzip data ends too early")
            }
            let text = unsafe message.map { unsafe String(cString: $0) } ?? "error \(code)"
            throw FileError(path: path, reason: "the gzip data is damaged (\(text))")
        }
        return Int(count)
    }
}
