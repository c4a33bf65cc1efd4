package import Core
package import State

/// Why a snapshot cannot be used.
package enum SnapshotProblem: Error, Equatable, Sendable {
    /// A chunk is not where it was written: the state topic was deleted, trimmed or emptied.
    case missingChunk(Int64)
    /// A chunk's bytes are not those that were written.
    case damagedChunk(Int64, String)
    /// It is the state of another pipeline version.
    case otherPipeline(found: UInt64, expected: UInt64)
    /// It is the state of another task, or after another entry.
    case otherTask
    /// It was computed under another numeric contract.
    case otherNumerics(found: UInt32)
    /// It was written in a format that this program does not know.
    case newerFormat(section: String, version: Int)
    /// It is whole, but says something that cannot be.
    case invalid(StateError)
    /// The store does not answer; another time it may.
    case unreachable(String)

    package init(_ error: StateError) {
        switch error {
        case .unsupportedVersion(let section, let version):
            self = .newerFormat(section: section, version: version)
        default: self = .invalid(error)
        }
    }

    package init(_ error: ChunkError) {
        switch error {
        case .missing(let position): self = .missingChunk(position.offset)
        case .damaged(let position, let why): self = .damagedChunk(position.offset, why)
        case .failed(let reason): self = .unreachable(reason)
        }
    }

    /// What is wrong, for the log and the terminal.
    package var message: String {
        switch self {
        case .missingChunk(let offset):
            "its chunk at offset \(offset) is missing: the state topic was deleted or emptied"
        case .damagedChunk(let offset, let why):
            "its chunk at offset \(offset) is damaged (\(why))"
        case .otherPipeline(let found, let expected):
            "it is of another version of this pipeline (fingerprint "
                + "\(String(found, radix: 16)), this file's is \(String(expected, radix: 16)))"
        case .otherTask: "it is of another task or another moment"
        case .otherNumerics(let found):
            "it was computed under numerics version \(found), this program has \(numericsVersion)"
        case .newerFormat(let section, let version):
            "its part \(section) has format \(version), which this program does not know: it was "
                + "written by a newer version"
        case .invalid(let error): "its content cannot be (\(error))"
        case .unreachable(let reason): "the state topic cannot be read: \(reason)"
        }
    }
}
