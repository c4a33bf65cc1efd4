extension Pipeline {
    /// How many models there are.
    package enum Scope: Sendable, Equatable {
        /// One, which reads all partitions.
        case pipeline
        /// One for each input partition.
        case partition
        /// In each input partition one for each value of a field, at most `limit` at a time.
        case field([String], limit: Int)

        /// The most models of a task unless the file says otherwise.
        static let standardLimit: Int = 10_000
        /// The scopes that a pipeline file names by a word.
        static let words: [String] = ["pipeline", "partition"]

        /// What a model is made for, for people: `pipeline`, `partition`, `value of device_id`.
        package var text: String {
            switch self {
            case .pipeline: "pipeline"
            case .partition: "partition"
            case .field(let path, _): "value of \(FieldPath.text(path))"
            }
        }

        /// The tasks that a pipeline needs over so many input partitions.
        ///
        /// - Parameter existing: The tasks of a pipeline that has run before. One model per field
        ///   keeps them when the input has grown to a multiple: partition *p* belongs to task *p*
        ///   mod *tasks*, so that every key stays in its task.
        package func taskCount(inputPartitions: Int, existing: Int?) -> Int {
            switch self {
            case .pipeline: return 1
            case .partition: return inputPartitions
            case .field:
                guard let existing, existing > 0, inputPartitions >= existing,
                    inputPartitions % existing == 0
                else { return inputPartitions }
                return existing
            }
        }

        /// What to do when a pipeline that has run with other tasks does not fit its input.
        package func remedy(inputPartitions: Int, existing: Int) -> String {
            guard case .field = self, inputPartitions > existing else {
                return "give the pipeline a new name to start new models, or undo the change"
            }
            let next = (inputPartitions / existing + 1) * existing
            return
                "grow the input to a multiple of \(existing) partitions (\(next)), so that every "
                + "key stays in its task, or give the pipeline a new name to start new models"
        }
    }
}
