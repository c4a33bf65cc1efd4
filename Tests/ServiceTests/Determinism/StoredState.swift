import Core
import Engine
import Foundation
import State
import TestSupport
import Testing

/// The state of a pinned pipeline as a version of this program left it in a state topic.
///
/// `Tests/StoredStates/state-v2-sea.bin` is the state of `sea` in format 2, where the format counts
/// the changes of any section's version. A file says by itself what it takes to go on from it: the
/// pipeline file, which may be another one by now, and what the records after it must give. Files of
/// format 1, which had no measurement key, were made from the ones of format 2 by leaving it out.
struct StoredState {
    /// Which file: a pipeline's name, and the format.
    struct Name: Sendable, Comparable, CustomTestStringConvertible {
        let pipeline: String
        let format: Int

        var testDescription: String { "state-v\(format)-\(pipeline).bin" }
        var url: URL { StoredState.folder.appending(path: testDescription) }

        init(pipeline: String, format: Int) {
            self.pipeline = pipeline
            self.format = format
        }

        /// The name that a file has; `nil` for one that is no stored state.
        init?(file: String) {
            guard let parts = file.wholeMatch(of: /state-v([0-9]+)-(.+)\.bin/),
                let format = Int(parts.1)
            else { return nil }
            self.init(pipeline: String(parts.2), format: format)
        }

        static func < (first: Name, second: Name) -> Bool {
            (first.pipeline, first.format) < (second.pipeline, second.format)
        }
    }

    /// The records of the stream; a short one, so that files are small and concepts change early.
    static let recordCount = 450
    /// Those that the state has learned from.
    static let learnedCount = 300
    private static let folder = TestEnvironment.repository.appending(path: "Tests/StoredStates")

    /// The bytes of the pipeline file under which it was written.
    private let file: [UInt8]
    private let stream: PinnedStream
    /// What journal entries keep of the models that are stored.
    let learnedHash: UInt64
    /// The hash of the predictions for the records that follow.
    let predictions: UInt64
    private let reference: SnapshotReference
    /// What the state topic held: the pieces of the state, then their index.
    var chunks: [[UInt8]]

    // MARK: - Files

    /// All files, sorted.
    static func names() -> [Name] {
        let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (files ?? []).compactMap { Name(file: $0) }.sorted()
    }

    /// The newest file of a pipeline.
    static func newest(of pipeline: String) -> Name? {
        names().last { $0.pipeline == pipeline }
    }

    init(_ name: Name) throws {
        var decoder = StateDecoder([UInt8](try Data(contentsOf: name.url)))
        _ = try decoder.section("stored_state", through: 1)
        file = try decoder.readBytes()
        guard let stream = PinnedStream(rawValue: try decoder.readString()) else {
            throw FixtureError("\(name.testDescription) is of a stream that is not there")
        }
        self.stream = stream
        learnedHash = try decoder.readUInt64()
        predictions = try decoder.readUInt64()
        reference = try SnapshotReference(from: &decoder)
        chunks = []
        for _ in 0..<(try decoder.readInt(in: 2...100, "chunks")) {
            chunks.append(try decoder.readBytes())
        }
        try decoder.finish()
    }

    /// Writes a file unless it is there: what is stored is never made anew.
    func write(_ name: Name) throws {
        var encoder = StateEncoder()
        encoder.section("stored_state", version: 1)
        encoder.write(file)
        encoder.write(stream.rawValue)
        encoder.write(learnedHash)
        encoder.write(predictions)
        reference.encode(to: &encoder)
        encoder.write(chunks.count)
        for chunk in chunks { encoder.write(chunk) }
        try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
        try Data(encoder.finish()).write(to: name.url, options: .withoutOverwriting)
    }

    // MARK: - States

    /// The state of a pipeline after the first records of its stream, as it is written now.
    init(_ pinned: PinnedPipeline) throws {
        file = try pinned.fileBytes()
        stream = pinned.stream
        let processor = try pinned.processor()
        var hash = ContentHash()
        try Self.feed(processor, stream, 0..<Self.learnedCount, into: &hash)
        learnedHash = processor.learnedHash()
        (reference, chunks) = Self.snapshot(of: processor)
        hash = ContentHash()
        try Self.feed(processor, stream, Self.learnedCount..<Self.recordCount, into: &hash)
        predictions = hash.value
    }

    /// A snapshot in one piece, and what a journal entry says of it.
    private static func snapshot(
        of processor: PipelineProcessor
    ) -> (SnapshotReference, [[UInt8]]) {
        let fingerprint = processor.fingerprint
        var encoder = StateEncoder()
        SnapshotHeader(fingerprint: fingerprint, task: 0, sequence: 1).encode(to: &encoder)
        processor.encodeState(to: &encoder)
        let bytes = encoder.finish()
        let piece = Compression.compress(bytes, 0..<bytes.count)
        let index = SnapshotIndex(
            fingerprint: fingerprint, task: 0, generation: 1, sequence: 1,
            inputs: [TopicPartition(topic: "t", partition: 0)],
            nextOffsets: [Int64(learnedCount)], journalOffset: 2, byteCount: UInt64(bytes.count),
            stateHash: contentHash(of: bytes),
            chunks: [SnapshotIndex.Chunk(offset: 0, hash: contentHash(of: piece))],
            settings: processor.settings
        ).encoded()
        let reference = SnapshotReference(
            sequence: 1, generation: 1, journalOffset: 2, indexOffset: 1, firstChunkOffset: 0,
            indexHash: contentHash(of: index), byteCount: UInt64(bytes.count))
        return (reference, [piece, index])
    }

    /// A processor of the pipeline that has learned nothing.
    func processor() throws -> PipelineProcessor {
        try PinnedPipeline.processor(file: file)
    }

    /// What is stored for a processor, read as a restart reads it.
    func content(for processor: PipelineProcessor) throws -> [UInt8] {
        let store = MemoryChunkStore()
        for (part, chunk) in chunks.enumerated() {
            let isIndex = part == chunks.count - 1
            let key = ChunkKey(
                task: 0, generation: reference.generation, sequence: reference.sequence,
                part: isIndex ? ChunkKey.index : UInt32(part))
            _ = try store.write(key: key.bytes, chunk: chunk)
        }
        var reader = SnapshotReader(reference, task: 0, fingerprint: processor.fingerprint)
        while true {
            guard var content = try reader.step(on: store) else { continue }
            let count = content.state.remaining
            var bytes: [UInt8] = []
            bytes.reserveCapacity(count)
            for _ in 0..<count { bytes.append(try content.state.readInteger(UInt8.self)) }
            return bytes
        }
    }

    /// Takes the records that follow; returns the hash of their predictions.
    func goOn(_ processor: PipelineProcessor) throws -> UInt64 {
        var hash = ContentHash()
        try Self.feed(processor, stream, Self.learnedCount..<Self.recordCount, into: &hash)
        return hash.value
    }

    private static func feed(
        _ processor: PipelineProcessor, _ stream: PinnedStream, _ range: Range<Int>,
        into hash: inout ContentHash
    ) throws {
        let list = RecordList(stream.lines(recordCount))
        try list.withRecords { records in
            try PinnedPipeline.feed(processor, records, range, batch: 100, into: &hash)
        }
    }
}
