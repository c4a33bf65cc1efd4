extension MetricsReport {
    /// Adds what another task of the same pipeline measured.
    ///
    /// Classes are matched by their texts. Values are computed again from the merged sums; a
    /// window's merged ROC AUC is exact to the histograms' bins. Merge in partition order, so
    /// that the same reports give the same bits.
    ///
    /// - Precondition: both reports have the same task, metrics and windows.
    package mutating func merge(_ other: MetricsReport) {
        precondition(task == other.task && tracked == other.tracked, "reports differ in metrics")
        precondition(
            scopes.map(\.extent) == other.scopes.map(\.extent), "reports differ in windows")
        records += other.records
        evaluated += other.evaluated
        unlabelled += other.unlabelled
        unpredicted += other.unpredicted
        if let time = other.highestEventTime {
            highestEventTime = max(highestEventTime ?? time, time)
        }
        let positive =
            positiveClass.map { classes[$0] } ?? other.positiveClass.map { other.classes[$0] }
        let oldClasses = classes
        for name in other.classes where !classes.contains(name) { classes.append(name) }
        positiveClass = positive.flatMap { classes.firstIndex(of: $0) }
        let own = ClassMapping(from: oldClasses, to: classes)
        let others = ClassMapping(from: other.classes, to: classes)
        for (index, scope) in other.scopes.enumerated() {
            scopes[index].count += scope.count
            scopes[index].truncated += scope.truncated
            for (position, series) in scope.series.enumerated() {
                var sums = scopes[index].series[position].sums
                sums.merge(series.sums, own: own, other: others)
                scopes[index].series[position] = MetricsSeries(
                    name: series.name, sums: sums, tracked: tracked, positiveClass: positiveClass)
            }
        }
    }
}

/// Where the classes of one report stand among the classes of the merged one.
struct ClassMapping: Equatable {
    /// The new code of each class.
    let codes: [Int]
    /// The classes of the merged report.
    let count: Int

    init(from old: [String], to new: [String]) {
        codes = old.map { name in new.firstIndex(of: name) ?? 0 }
        count = new.count
    }

    /// Whether nothing moves and nothing is added.
    var isIdentity: Bool { codes.count == count && codes.enumerated().allSatisfy { $0 == $1 } }
}
