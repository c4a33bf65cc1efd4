// Method: a file in a folder of its own is filled into a text, from relative and absolute paths.
import Configuration
import Foundation
import Testing

@Suite("References to files")
struct SubstitutionTests {
    private let folder: URL
    private let substitution: Substitution

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "tw-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        substitution = Substitution(folder: folder.path, environment: { _ in nil })
    }

    private func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let url = folder.appending(path: name)
        try Data(bytes).write(to: url)
        return url.path
    }

    @Test("a file's text is filled in without the line ends at its end, and is secret")
    func content() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = try write("secret.txt", Array("a\nb ${env:X}\r\n\n".utf8))
        for text in ["<${file:secret.txt}>", "<${file:\(path)}>"] {
            let resolved = try substitution.resolve(text)
            #expect(resolved.text == "<a\nb ${env:X}>")
            #expect(resolved.isSecret)
        }
    }

    @Test("files that are too large, no text or folders are refused without their content")
    func refused() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try write("large", [UInt8](repeating: 120, count: Substitution.byteLimit + 1))
        _ = try write("binary", [0xFF, 0xFE])
        let problems = ["large", "binary", "."].map { name in
            do throws(Substitution.Failure) {
                return try substitution.resolve("${file:\(name)}").text
            } catch {
                return error.problem.replacing(folder.path, with: "F")
            }
        }
        #expect(
            problems == [
                "F/large has more than 65536 bytes", "F/binary is not UTF-8",
                "F/. cannot be read: is a directory",
            ])
    }

    @Test(
        "the folder of a path",
        arguments: [
            ("a.yaml", "."), ("/a.yaml", "/"), ("b/c/a.yaml", "b/c"), ("/b/a.yaml", "/b"),
        ])
    func folder(path: String, expected: String) {
        #expect(FileReading.folder(of: path) == expected)
    }
}
