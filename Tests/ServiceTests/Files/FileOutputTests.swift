// Method: transactions sent, committed and aborted; the file is compared with what was committed.
import Core
import Foundation
import Service
import State
import Synchronization
import Testing

@Suite("File output")
struct FileOutputTests {
    private let path = FileManager.default.temporaryDirectory
        .appending(path: "tidewheel-\(UUID().uuidString).jsonl").path

    private func buffer(_ records: [(Core.OutputStream, String)]) -> OutputBuffer {
        var buffer = OutputBuffer()
        for (stream, text) in records {
            let key = Array("key".utf8)
            buffer.open(key: key.span, hasKey: true)
            buffer.content.append(text)
            buffer.close(stream, partition: 0)
        }
        return buffer
    }

    @Test("only what is committed reaches the file, in order and without keys")
    func commits() throws {
        defer { unlink(path) }
        let seen = Mutex<[String]>([])
        let output = try FileOutput(predictions: path) { bytes in
            seen.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
        }
        try output.initialize()
        try output.begin()
        try output.send(buffer([(.predictions, "{\"a\":1}"), (.metrics, "{\"m\":1}")]))
        #expect(try String(contentsOfFile: path, encoding: .utf8).isEmpty)
        try output.sendOffsets([], sequence: 1)
        try output.commit()
        try output.begin()
        try output.send(buffer([(.predictions, "{\"a\":2}"), (.metrics, "{\"m\":2}")]))
        try output.abort()
        try output.begin()
        try output.send(
            buffer([(.journal, "j"), (.deadLetters, "d"), (.predictions, "{\"a\":3}")]))
        try output.commit()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"a\":1}\n{\"a\":3}\n")
        #expect(seen.withLock { $0 } == ["{\"m\":1}"])
        #expect(output.counts == FileOutput.Counts(predictions: 2, metrics: 1, deadLetters: 1))
    }

    @Test("without a file predictions are counted only")
    func nowhere() throws {
        let output = try FileOutput(predictions: nil)
        try output.begin()
        try output.send(buffer([(.predictions, "{}")]))
        try output.commit()
        #expect(output.counts.predictions == 1)
    }

    @Test("a full disk fails the commit and says so")
    func fullDisk() throws {
        let output = try FileOutput(predictions: "/dev/full")
        try output.begin()
        try output.send(buffer([(.predictions, "{}")]))
        #expect(
            throws: OutputFailure.fatal(
                "cannot write predictions: /dev/full: No space left on device")
        ) {
            try output.commit()
        }
    }
}
