/// What a pipeline predicts, and so which learners, baselines and metrics fit it.
package enum LearningTask: String, Sendable, CaseIterable {
    /// A class; the baselines are `majority` and `no_change`.
    case classification
    /// A number; the baselines are `mean` and `no_change`.
    case regression
    /// A cluster, without labels and baselines.
    case clustering
}
