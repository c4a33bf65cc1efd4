// Method: states that versions of this program stored are read as a restart reads them; what is
// written again, and the predictions for the records that follow, must be those of the writer.
import Core
import Engine
import Foundation
import State
import TestSupport
import Testing

@Suite("Stored states")
struct StoredStateTests {
    /// What to do where today's bytes are not those of the newest file.
    private static let remedy =
        "Keep the old file. If the format was raised on purpose, raise stateFormat, and add the state "
        + "in the new one, N being its number: TIDEWHEEL_WRITE_STATES=N swift "
        + "test --filter StoredStateTests"

    /// Writes an encoded state in the format of today.
    private func encodedAnew(_ state: [UInt8], _ stored: StoredState) throws -> [UInt8] {
        let processor = try stored.processor()
        var decoder = StateDecoder(state)
        try processor.restoreState(from: &decoder)
        return PinnedPipeline.state(processor)
    }

    private func isCurrent(_ name: StoredState.Name) throws -> Bool {
        let stored = try StoredState(name)
        let state = try stored.content(for: stored.processor())
        return try encodedAnew(state, stored) == state
    }

    @Test(
        "each pinned pipeline has a state in the newest format", arguments: PinnedBitsTests.pinned)
    func newest(pinned: PinnedPipeline) throws {
        let pipeline = pinned.name.replacing(".yaml", with: "")
        var isStored = false
        if let newest = StoredState.newest(of: pipeline) {
            isStored = (try? isCurrent(newest)) ?? false
        }
        if !isStored, let text = ProcessInfo.processInfo.environment["TIDEWHEEL_WRITE_STATES"] {
            let format = try #require(Int(text), "TIDEWHEEL_WRITE_STATES is no format's number")
            let name = StoredState.Name(pipeline: pipeline, format: format)
            try StoredState(pinned).write(name)
            isStored = try StoredState.newest(of: pipeline) == name && isCurrent(name)
        }
        let newest = StoredState.names().map(\.format).max()
        #expect(newest == Int(stateFormat), "raise stateFormat with the section's version")
        #expect(isStored, "\(Self.remedy)")
    }

    @Test("a stored state goes on as the one that was stored", arguments: StoredState.names())
    func goesOn(name: StoredState.Name) throws {
        let stored = try StoredState(name)
        let processor = try stored.processor()
        let state: [UInt8]
        do {
            state = try stored.content(for: processor)
        } catch SnapshotProblem.otherNumerics {
            // A raised numeric contract refuses all states from before: that they are refused by
            // name is what is left to see.
            return
        }
        var decoder = StateDecoder(state)
        try processor.restoreState(from: &decoder)
        // Journal entries keep this hash, which a replay compares within one format.
        let hash = LearnedHash(stored.learnedHash, stateFormat: UInt32(name.format))
        #expect(!hash.contradicts(processor.learnedHash()))
        let written = PinnedPipeline.state(processor)
        if StoredState.newest(of: name.pipeline) == name {
            let isEqual = written == state
            #expect(isEqual, "\(Self.remedy)")
        } else {
            let isEqual = try encodedAnew(written, stored) == written
            #expect(isEqual, "what a state of an older format becomes is read back")
        }
        #expect(try stored.goOn(processor) == stored.predictions)
    }

    @Test("a flipped bit in what a topic stored is refused", arguments: StoredState.names())
    func flippedBits(name: StoredState.Name) throws {
        let stored = try StoredState(name)
        let processor = try stored.processor()
        for part in stored.chunks.indices {
            // Each reading checks all bytes, which takes its time without optimisation.
            for place in stride(
                from: 0, to: stored.chunks[part].count, by: TestEnvironment.isRelease ? 1 : 17)
            {
                var damaged = stored
                damaged.chunks[part][place] ^= 1 << UInt8(place % 8)
                #expect(throws: SnapshotProblem.self, "chunk \(part), byte \(place)") {
                    try damaged.content(for: processor)
                }
            }
        }
    }

    @Test("every version of every section that a state can hold is in a stored state")
    func sections() throws {
        let states = try StoredState.names().compactMap { name in
            let stored = try StoredState(name)
            return try? stored.content(for: stored.processor())
        }
        let sections = try StateSections.read()
        // Learners, steps and detectors that a pipeline file can name: if one were written in a way
        // that the sources' text does not show, this would tell.
        let catalogue = PipelineCatalogue.standard
        let names = Set(sections.map(\.name))
        for declaration in catalogue.models.map(\.declaration) + catalogue.steps
            + catalogue.detectors
        {
            #expect(names.contains(declaration.name), "\(declaration.name) has no section")
        }
        for section in sections {
            var opening = StateEncoder()
            opening.section(section.name, version: section.version)
            let bytes = opening.finish()
            let isStored = states.contains { $0.contains(bytes) }
            #expect(
                isStored,
                """
                no stored state has section \(section.name) in version \(section.version): let a \
                pinned pipeline have it. \(Self.remedy)
                """)
        }
    }
}
