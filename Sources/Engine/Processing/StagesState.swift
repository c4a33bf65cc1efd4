import Core
import Evaluation
import Formats

/// What the stages of a task have learned, at one moment.
///
/// Models and evaluator are values: holding them here keeps what they were while the task goes on.
/// Memory is copied when the task first writes to it.
struct StagesState: StateCapture {
    let decoder: RecordDecoderState
    let models: TaskModels
    let evaluator: Evaluator
    let counters: ProcessorCounters
    let positions: [ReportWriter.Position]
    /// Names what measures and watches, so that a file with others can tell.
    let measurement: MeasurementKey

    var stateBytes: Int { models.stateBytes + evaluator.stateBytes }

    func encode(to encoder: inout StateEncoder) {
        encoder.section("pipeline", version: 2)
        measurement.encode(to: &encoder)
        decoder.encode(to: &encoder)
        models.encode(to: &encoder)
        var measured = StateEncoder(capacity: evaluator.stateBytes)
        evaluator.encode(to: &measured)
        encoder.write(measured.finish())
        counters.encode(to: &encoder)
        encoder.write(positions.map(\.partition))
        encoder.write(positions.map(\.nextOffset))
    }

    func encodeLearned(to encoder: inout StateEncoder) {
        encoder.section("learned", version: 1)
        decoder.encode(to: &encoder)
        models.encodeLearned(to: &encoder)
    }
}

/// What measures and watches the models of a pipeline, by texts that are equal for equal settings.
///
/// None of it changes a prediction, except detectors that reset the model, so a later file may have
/// others: what is equal goes on, the rest begins anew.
struct MeasurementKey: Sendable, Equatable {
    /// A detector's name, and its settings.
    struct Detector: Sendable, Equatable {
        let name: String
        let settings: String
    }

    let evaluation: String
    let detectors: [Detector]

    init(evaluation: String, detectors: [Detector]) {
        self.evaluation = evaluation
        self.detectors = detectors
    }

    func encode(to encoder: inout StateEncoder) {
        encoder.write(evaluation)
        encoder.write(detectors.count)
        for detector in detectors {
            encoder.write(detector.name)
            encoder.write(detector.settings)
        }
    }

    init(from decoder: inout StateDecoder) throws(StateError) {
        evaluation = try decoder.readString()
        let count = try decoder.readInt(in: 0...(decoder.remaining / 16), "detectors")
        var detectors: [Detector] = []
        for _ in 0..<count {
            let name = try decoder.readString()
            detectors.append(Detector(name: name, settings: try decoder.readString()))
        }
        self.detectors = detectors
    }

    /// For each detector here, which of the stored ones it goes on from.
    func sources(in stored: MeasurementKey) -> [Int?] {
        var isTaken = [Bool](repeating: false, count: stored.detectors.count)
        return detectors.map { detector in
            let found = stored.detectors.indices.first {
                !isTaken[$0] && stored.detectors[$0] == detector
            }
            if let found { isTaken[found] = true }
            return found
        }
    }
}
