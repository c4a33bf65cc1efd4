internal import Glibc

/// Resolves `${env:NAME}`, `${env:NAME:-default}` and `${file:PATH}` inside a scalar.
///
/// `$${` stands for `${` itself. What is filled in is not searched again.
package struct Substitution: Sendable {
    /// A text with everything filled in.
    package struct Resolved: Sendable, Equatable {
        package let text: String
        /// Whether a part of it came from the environment or from a file.
        package let isSecret: Bool
    }

    /// A reference that cannot be resolved.
    package struct Failure: Error, Equatable {
        package let problem: String
        package let remedy: String
    }

    /// The largest file that a value may come from, in bytes.
    package static let byteLimit = 1 << 16

    private let environment: @Sendable (String) -> String?
    private let folder: String

    /// - Parameters:
    ///   - folder: What relative paths count from: the folder of the pipeline file.
    ///   - environment: The variables; by default those of the process.
    package init(
        folder: String,
        environment: @escaping @Sendable (String) -> String? = Substitution.processEnvironment
    ) {
        self.folder = folder
        self.environment = environment
    }

    /// A variable of the process.
    package static func processEnvironment(_ name: String) -> String? {
        // Safety: `getenv` returns nil or a text that ends with 0; the program sets no variables.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    package func resolve(_ text: String) throws(Failure) -> Resolved {
        guard text.contains("${") else { return Resolved(text: text, isSecret: false) }
        var result = ""
        var isSecret = false
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw Failure(
                        problem: "`${` without its `}`", remedy: "close it, or write `$${` for `${`"
                    )
                }
                let reference = rest[rest.index(rest.startIndex, offsetBy: 2)..<end]
                let value = try self.value(of: reference)
                result += value.text
                isSecret = isSecret || value.isSecret
                rest = rest[rest.index(after: end)...]
            } else {
                result.append("$")
                rest = rest.dropFirst()
            }
        }
        result += rest
        return Resolved(text: result, isSecret: isSecret)
    }

    private func value(of reference: Substring) throws(Failure) -> Resolved {
        if reference.hasPrefix("env:") {
            let body = reference.dropFirst(4)
            var name = body
            var fallback: Substring?
            if let range = body.firstRange(of: ":-") {
                name = body[..<range.lowerBound]
                fallback = body[range.upperBound...]
            }
            guard !name.isEmpty, !name.utf8.contains(0) else {
                throw Failure(
                    problem: "`${env:}` without a name", remedy: "write `${env:NAME}`")
            }
            let found = environment(String(name))
            if let fallback {
                if let found, !found.isEmpty { return Resolved(text: found, isSecret: true) }
                return Resolved(text: String(fallback), isSecret: false)
            }
            guard let found else {
                throw Failure(
                    problem: "the environment has no variable \(name)",
                    remedy: "set it, or write `${env:\(name):-default}`")
            }
            return Resolved(text: found, isSecret: true)
        }
        if reference.hasPrefix("file:") { return try content(of: String(reference.dropFirst(5))) }
        throw Failure(
            problem: "`${\(reference.prefix(40))}` is no known reference",
            remedy:
                "write `${env:NAME}`, `${env:NAME:-default}` or `${file:PATH}`, or `$${` for `${`")
    }

    /// The text of a file without the line ends at its end.
    private func content(of path: String) throws(Failure) -> Resolved {
        guard !path.isEmpty else {
            throw Failure(problem: "`${file:}` without a path", remedy: "write `${file:PATH}`")
        }
        let full = path.hasPrefix("/") ? path : "\(folder)/\(path)"
        let bytes: [UInt8]
        do {
            bytes = try FileReading.read(full, limit: Self.byteLimit)
        } catch {
            throw Failure(
                problem: "\(full) cannot be read: \(error.reason)",
                remedy: "create it; a relative path counts from the pipeline file's folder")
        }
        guard bytes.count <= Self.byteLimit else {
            throw Failure(
                problem: "\(full) has more than \(Self.byteLimit) bytes",
                remedy: "name a smaller file")
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(problem: "\(full) is not UTF-8", remedy: "save it as UTF-8")
        }
        while text.utf8.last == 10 || text.utf8.last == 13 {
            text = String(decoding: text.utf8.dropLast(), as: UTF8.self)
        }
        return Resolved(text: text, isSecret: true)
    }
}
