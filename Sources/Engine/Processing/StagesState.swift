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

    var stateBytes: Int { models.stateBytes + evaluator.stateBytes }

    func encode(to encoder: inout StateEncoder) {
        encoder.section("pipeline", version: 1)
        decoder.encode(to: &encoder)
        models.encode(to: &encoder)
        evaluator.encode(to: &encoder)
        counters.encode(to: &encoder)
        encoder.write(positions.map(\.partition))
        encoder.write(positions.map(\.nextOffset))
    }
}
