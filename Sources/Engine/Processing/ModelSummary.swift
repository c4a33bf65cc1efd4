import Models

/// What a task's models have become, in a few numbers.
package struct ModelSummary: Sendable {
    /// Something that is counted about a model, such as `leaves`.
    package struct Fact: Sendable, Equatable {
        package let name: String
        package let count: Int
    }

    /// The model's declared name.
    package let model: String
    package let counters: ProcessorCounters
    /// Records whose prediction was compared with a label.
    package let evaluatedRecords: Int
    /// The detectors' names in the order of the pipeline file.
    package let detectors: [String]
    /// Of one model; of all together where each value of a field has its own.
    package let facts: [Fact]
    /// The classes by code.
    package let classes: [String]
    /// Memory of the state, in bytes.
    package let stateBytes: Int
}

extension ModelSummary.Fact {
    /// What can be counted about a learner of any kind.
    static func all(of learner: any Learner) -> [ModelSummary.Fact] {
        switch learner {
        case let tree as HoeffdingTree:
            [
                .init(name: "leaves", count: tree.leafCount),
                .init(name: "active leaves", count: tree.activeLeafCount),
                .init(name: "splits", count: tree.splitCount),
                .init(name: "depth", count: tree.depth),
            ]
        case let model as LogisticRegression:
            [.init(name: "parameters", count: model.parameterCount)]
        case let model as LinearRegression:
            [.init(name: "parameters", count: model.parameterCount)]
        case let model as any Clusterer: [.init(name: "clusters", count: model.clusterCount)]
        default: []
        }
    }

    /// Sums of the facts of several models; of a depth the largest.
    static func combined(_ models: [[ModelSummary.Fact]]) -> [ModelSummary.Fact] {
        guard var total = models.first else { return [] }
        for facts in models.dropFirst() {
            for index in total.indices {
                let (one, other) = (total[index].count, facts[index].count)
                total[index] = ModelSummary.Fact(
                    name: total[index].name,
                    count: total[index].name == "depth" ? max(one, other) : one + other)
            }
        }
        return total
    }
}
