// Method: files written by the test, read through the log with tiny and large blocks and polls,
// compared with the records that were meant; seeded random CSV against its rows.
import Core
import Foundation
import Service
import State
import Testing

@Suite("File input log")
struct FileInputLogTests {
    /// A folder that goes when the test ends.
    private final class Folder {
        let url = FileManager.default.temporaryDirectory
            .appending(path: "tidewheel-\(UUID().uuidString)")

        init() throws {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        func file(_ name: String, _ content: String) throws -> String {
            try file(name, Data(content.utf8))
        }

        func file(_ name: String, _ content: Data) throws -> String {
            let path = url.appending(path: name)
            try content.write(to: path)
            return path.path
        }

        func zipped(_ name: String, _ content: String) throws -> String {
            let plain = try file(name, content)
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["gzip", "-f", plain]
            try process.run()
            process.waitUntilExit()
            return plain + ".gz"
        }
    }

    private let folder: Folder

    init() throws { folder = try Folder() }

    /// Reads everything, a few records at a time.
    private func all(_ log: FileInputLog, step: Int = 3) throws -> [String] {
        var records: [String] = []
        while log.endOffset(0) != Int64(records.count) {
            try log.poll(0, upTo: step)
            let texts = log.withQueued(0) { span in
                span.indices.map { index in
                    let record = span[index]
                    #expect(record.offset == Int64(records.count + index))
                    #expect(record.timestamp == -1)
                    let key = record.key
                    let keyText = String(decoding: key.indices.map { key[$0] }, as: UTF8.self)
                    #expect(keyText == "\(record.offset)")
                    let value = record.value
                    return String(decoding: value.indices.map { value[$0] }, as: UTF8.self)
                }
            }
            #expect(texts.count <= step)
            records += texts
            log.release(0, texts.count)
        }
        return records
    }

    @Test(
        "JSON lines: one record a line, with or without the last line end", arguments: [64, 4096])
    func jsonLines(block: Int) throws {
        let path = try folder.file("a.jsonl", "{\"a\":1}\n{\"a\":2}\r\n\n{\"a\":3}")
        let log = try FileInputLog(paths: [path], blockByteCount: block)
        #expect(log.format == .jsonLines)
        #expect(log.columns.isEmpty)
        #expect(try all(log) == ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"])
    }

    @Test("CSV: the header names the columns; quoted line ends stay inside", arguments: [64, 4096])
    func csv(block: Int) throws {
        let text = "a,\"b \"\"x\"\"\",c\r\n1,\"two\nlines\",3\r\n4,5\"6\n7,\"8,\"\"9\n\"\",\",0\n"
        let path = try folder.file("a.csv", text)
        let log = try FileInputLog(paths: [path], blockByteCount: block)
        #expect(log.columns == ["a", "b \"x\"", "c"])
        #expect(try all(log) == ["1,\"two\nlines\",3", "4,5\"6", "7,\"8,\"\"9\n\"\",\",0"])
    }

    @Test("several files are one log; gzip is seen by its bytes, not by its name")
    func severalFiles() throws {
        let first = try folder.file("1.csv", "a,b\n1,2\n3,4")
        let second = try folder.zipped("2.csv", "a,b\n5,6\n")
        let renamed = folder.url.appending(path: "3.csv").path
        try FileManager.default.moveItem(atPath: second, toPath: renamed)
        let empty = try folder.file("4.csv", "")
        let log = try FileInputLog(paths: [first, renamed, empty, first])
        #expect(try all(log) == ["1,2", "3,4", "5,6", "1,2", "3,4"])
        #expect(log.fraction == 1)
    }

    @Test("another header in a later file is refused, with both names")
    func otherHeader() throws {
        let first = try folder.file("1.csv", "a,b\n1,2\n")
        let second = try folder.file("2.csv", "a,c\n1,2\n")
        let log = try FileInputLog(paths: [first, second])
        do {
            try log.poll(0, upTo: 10)
            Issue.record("taken")
        } catch {
            guard case .failed(let message) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(message.hasPrefix("\(second): its header differs from that of \(first)"))
        }
    }

    @Test("declared columns need no header, and a header of just these names is none of the data")
    func declaredColumns() throws {
        let bare = try folder.file("1.csv", "1,2\n3,4\n")
        let headed = try folder.file("2.csv", "a,b\n5,6\n")
        let log = try FileInputLog(paths: [bare, headed], declaredColumns: ["a", "b"])
        #expect(log.columns == ["a", "b"])
        #expect(try all(log) == ["1,2", "3,4", "5,6"])
    }

    @Test("a byte order mark is no part of the first name")
    func byteOrderMark() throws {
        let path = try folder.file("a.csv", Data([0xEF, 0xBB, 0xBF]) + Data("a,b\n1,2\n".utf8))
        let log = try FileInputLog(paths: [path])
        #expect(log.columns == ["a", "b"])
        #expect(try all(log) == ["1,2"])
    }

    @Test("the content tells the format where the name does not")
    func format() throws {
        let json = try folder.file("data1", "\n {\"a\":1}\n")
        #expect(try FileInputLog(paths: [json]).format == .jsonLines)
        let csv = try folder.file("data2", "a,b\n1,2\n")
        #expect(try FileInputLog(paths: [csv]).format == .commaSeparated)
        let tabs = try folder.file("data.tsv", "a\tb\n1\t2\n")
        let log = try FileInputLog(paths: [tabs])
        #expect(log.columns == ["a", "b"])
    }

    @Test("a record above the limit is cut to one byte more, and the next ones are whole")
    func largeRecord() throws {
        let giant = String(repeating: "x", count: 5000)
        let path = try folder.file("a.csv", "a\n1\n\"\(giant)\n2\n\(giant)\n3\n")
        let log = try FileInputLog(paths: [path], valueBytesLimit: 100, blockByteCount: 64)
        let records = try all(log)
        #expect(records.map(\.utf8.count) == [1, 101, 1, 101, 1])
        #expect(records[0] == "1" && records[2] == "2" && records[4] == "3")
    }

    @Test("an open quote in the last record ends with the file")
    func openQuote() throws {
        let path = try folder.file("a.csv", "a,b\n1,\"2\n3,4\n")
        #expect(try all(FileInputLog(paths: [path])) == ["1,\"2\n3,4\n"])
    }

    @Test("random rows come back, whatever the blocks and polls", arguments: UInt64(1)...20)
    func randomRows(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let pieces = ["a", "1.5", "\"\"", ",", "\n", "\r\n", "long text without end ", "é"]
        let rows = (0..<200).map { _ in
            let fields = (0..<3).map { _ in
                let inner = (0..<random.next(below: 6)).map { _ in
                    pieces[random.next(below: pieces.count)]
                }
                return "\"\(inner.joined())\""
            }
            return fields.joined(separator: ",")
        }
        let text = "a,b,c\n" + rows.joined(separator: "\n") + "\n"
        let path = try folder.file("a.csv", text)
        let log = try FileInputLog(
            paths: [path], blockByteCount: 64 + random.next(below: 500))
        let found = try all(log, step: 1 + random.next(below: 300))
        #expect(found == rows, "seed \(seed)")
    }

    @Test("seeking back and forth reads the same records again")
    func seeking() throws {
        let path = try folder.file("a.jsonl", (0..<500).map { "{\"a\":\($0)}\n" }.joined())
        let log = try FileInputLog(paths: [path], blockByteCount: 128)
        for offset in [400, 0, 7, 499, 250, 250] as [Int64] {
            try log.seek(0, to: offset)
            #expect(log.queuedCount(0) == 0)
            try log.poll(0, upTo: 1)
            let found = log.withQueued(0) { $0[0].offset }
            #expect(found == offset)
        }
        #expect(throws: LogError.self) { try log.seek(0, to: 600) }
    }

    @Test("records stay as they are while later ones are read")
    func stability() throws {
        let path = try folder.file("a.jsonl", (0..<5000).map { "{\"a\":\($0)}\n" }.joined())
        let log = try FileInputLog(paths: [path], blockByteCount: 1 << 14)
        try log.poll(0, upTo: 100)
        try log.poll(0, upTo: 5000)
        let first = log.withQueued(0) { span in
            let record = span[99]
            let value = record.value
            return String(decoding: value.indices.map { value[$0] }, as: UTF8.self)
        }
        #expect(first == "{\"a\":99}")
    }

    @Test("missing files, folders and damaged gzip are told with the path")
    func failures() throws {
        let good = try folder.file("a.csv", "a\n1\n")
        let missing = folder.url.appending(path: "missing.csv").path
        #expect(throws: FileError(path: missing, reason: "No such file or directory")) {
            try FileInputLog(paths: [good, missing])
        }
        #expect(throws: FileError.self) { try FileInputLog(paths: [folder.url.path]) }
        #expect(throws: FileError(path: "-", reason: "standard input can be read only once")) {
            try FileInputLog(paths: ["-", "-"])
        }
        let whole = try folder.zipped("b.jsonl", (0..<9000).map { "{\"a\":\($0)}\n" }.joined())
        let bytes = try Data(contentsOf: URL(filePath: whole))
        let cut = try folder.file("cut.jsonl.gz", Data(bytes.prefix(bytes.count / 2)))
        #expect(throws: LogError.failed("\(cut): the gzip data ends too early")) {
            try readToEnd(cut)
        }
    }

    private func readToEnd(_ path: String) throws(LogError) {
        let log: FileInputLog
        do {
            log = try FileInputLog(paths: [path], blockByteCount: 256)
        } catch {
            throw .failed(error.description)
        }
        repeat {
            try log.poll(0, upTo: 100)
            log.release(0, log.queuedCount(0))
        } while log.endOffset(0) == nil
    }
}
