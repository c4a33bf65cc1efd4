internal import Glibc

/// Reads whole small files, such as a pipeline file or a password.
package enum FileReading {
    /// Why a file could not be read: a few plain words, such as `no such file or directory`.
    package struct Failure: Error, Equatable {
        package let reason: String
    }

    /// All bytes of a file; one byte more than `limit` if it is larger.
    package static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw Failure(reason: "its name holds a zero byte") }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= limit {
            // Safety: the buffer has `count` bytes and `read` writes at most that many.
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            if count == 0 { break }
            bytes.append(contentsOf: chunk.prefix(min(count, limit + 1 - bytes.count)))
        }
        return bytes
    }

    /// The folder that a relative path inside a file counts from.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func failure() -> Failure {
        // Safety: `strerror` returns a text that ends with 0 and stays until its next call.
        Failure(reason: unsafe String(cString: strerror(errno)).lowercased())
    }
}
