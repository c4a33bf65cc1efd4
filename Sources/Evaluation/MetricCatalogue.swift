package import Core

/// A learning metric, declared once: name, tasks and meaning.
package struct MetricDeclaration: Sendable {
    /// The name in `track:` and in reports.
    package let name: String
    package let task: LearningTask
    /// One sentence: what it is, its range, and when it is undefined.
    package let summary: String

    init(_ name: String, _ task: LearningTask, _ summary: String) {
        self.name = name
        self.task = task
        self.summary = summary
    }
}

/// Every metric that `track:` can name, in the order in which reports list them.
package enum MetricCatalogue {
    package static let declarations: [MetricDeclaration] = classification + regression + clustering

    /// The names of a task's metrics, in order.
    package static func names(of task: LearningTask) -> [String] {
        declarations.filter { $0.task == task }.map(\.name)
    }

    /// All names, each once.
    package static let allNames: [String] = declarations.map(\.name)

    private static let classification: [MetricDeclaration] =
        [
            MetricDeclaration(
                "accuracy", .classification, "The share of predictions that are right, 0 to 1."),
            MetricDeclaration(
                "balanced_accuracy", .classification,
                "The mean recall of the classes that occurred, 0 to 1."),
            MetricDeclaration(
                "precision", .classification,
                "Of what was predicted positive, the share that is; needs a positive class."),
            MetricDeclaration(
                "recall", .classification,
                "Of what is positive, the share predicted so; needs a positive class."),
            MetricDeclaration(
                "f1", .classification,
                "The harmonic mean of precision and recall of the positive class, 0 to 1."),
        ] + averaged("macro", "averaged over the classes that occurred or were predicted")
        + averaged("micro", "over all classes' decisions together")
        + averaged("weighted", "averaged over the classes by how often they occurred") + [
            MetricDeclaration(
                "precision_per_class", .classification,
                "Precision of each class; absent for a class that was never predicted."),
            MetricDeclaration(
                "recall_per_class", .classification,
                "Recall of each class; absent for a class that did not occur."),
            MetricDeclaration(
                "f1_per_class", .classification,
                "F1 of each class; absent for a class neither seen nor predicted."),
            MetricDeclaration(
                "kappa", .classification,
                "Cohen's kappa: accuracy above chance agreement, at most 1; absent for one class."),
            MetricDeclaration(
                "kappa_temporal", .classification,
                "Accuracy above that of repeating the previous label, at most 1."),
            MetricDeclaration(
                "log_loss", .classification,
                "The mean of −ln of the label's probability (clipped at 1e-15), 0 or more."),
            MetricDeclaration(
                "brier", .classification,
                "The mean squared error of probabilities: 0 to 1 for two classes, else 0 to 2."),
            MetricDeclaration(
                "roc_auc", .classification,
                "The area under the ROC curve; beyond two classes one-versus-rest, macro."),
        ]

    private static func averaged(_ form: String, _ how: String) -> [MetricDeclaration] {
        ["precision", "recall", "f1"].map { name in
            MetricDeclaration(
                "\(name)_\(form)", .classification,
                "\(name == "f1" ? "F1" : name.capitalizedFirst) \(how), 0 to 1.")
        }
    }

    private static let regression: [MetricDeclaration] = [
        MetricDeclaration(
            "mae", .regression, "The mean absolute error, in units of the label."),
        MetricDeclaration(
            "mse", .regression, "The mean squared error, in squared units of the label."),
        MetricDeclaration(
            "rmse", .regression, "The root of the mean squared error, in units of the label."),
        MetricDeclaration(
            "r2", .regression,
            "The share of the label's variance that is explained; absent if it has none."),
    ]

    private static let clustering: [MetricDeclaration] = [
        MetricDeclaration(
            "inertia", .clustering, "The sum of squared distances to the assigned centres."),
        MetricDeclaration(
            "mean_squared_distance", .clustering,
            "The mean squared distance to the assigned centre."),
        MetricDeclaration(
            "cluster_sizes", .clustering, "The number of records assigned to each cluster."),
    ]
}

extension String {
    /// The text with its first letter in upper case.
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
