package import Core

/// What to measure of a task's predictions, over which windows, and when to report.
package struct EvaluationSettings: Sendable, Equatable {
    package let task: LearningTask
    /// The code of the positive class of precision, recall and F1; `nil` while there is none.
    package var positiveClass: Int32?
    /// The names of the metrics to report, in this order.
    package let tracked: [String]
    /// The rolling windows, beside which everything is also measured from the start.
    package let windows: [Extent]
    /// A report is due whenever the evaluated records, or the highest event time, cross a
    /// multiple of this.
    package let every: Extent

    /// The most records that the windows remember; a window of time that holds more forgets its
    /// oldest and counts them as truncated.
    package static let windowRecordsLimit = 1 << 20

    /// - Precondition: all names are metrics of the task, and extents are positive.
    package init(
        task: LearningTask, positiveClass: Int32? = nil, tracked: [String]? = nil,
        windows: [Extent] = [.records(1000)], every: Extent = .records(1000)
    ) {
        let names = MetricCatalogue.names(of: task)
        self.task = task
        self.positiveClass = positiveClass
        self.tracked = tracked ?? names
        self.windows = windows
        self.every = every
        for name in self.tracked {
            precondition(names.contains(name), "\(name) is no metric of \(task.rawValue)")
        }
        for extent in windows { precondition(Self.problem(extent, isWindow: true) == nil) }
        precondition(Self.problem(every, isWindow: false) == nil)
    }

    /// Reads the section `metrics:` of a pipeline file.
    ///
    /// - Throws: An error at `track` if a metric is not one of the task's, at `windows` or `every`
    ///   if an extent is out of range.
    package init(
        _ settings: Settings, task: LearningTask, positiveClass: Int32? = nil
    ) throws(SettingsError) {
        let names = MetricCatalogue.names(of: task)
        var tracked = names
        if settings.has("track") {
            tracked = []
            for case .text(let name) in settings.list("track") where !tracked.contains(name) {
                guard names.contains(name) else {
                    throw SettingsError(
                        key: "track", problem: "\(name) does not measure \(task.rawValue)",
                        remedy: "choose from \(names.joined(separator: ", "))")
                }
                tracked.append(name)
            }
        }
        var windows: [Extent] = []
        for case .extent(let extent) in settings.list("windows") where !windows.contains(extent) {
            if let problem = Self.problem(extent, isWindow: true) {
                throw SettingsError(
                    key: "windows", problem: problem,
                    remedy: "give 1 to \(Self.windowRecordsLimit) records, or a span of time")
            }
            windows.append(extent)
        }
        let every = settings.extent("every")
        if let problem = Self.problem(every, isWindow: false) {
            throw SettingsError(
                key: "every", problem: problem, remedy: "give 1 record or more, or a span of time")
        }
        self.init(
            task: task, positiveClass: positiveClass, tracked: tracked, windows: windows,
            every: every)
    }

    /// The keys of the section `metrics:`.
    package static let declarations: [SettingDeclaration] = [
        SettingDeclaration(
            "every", .extent, default: .extent(.records(1000)),
            "How many evaluated records, or how much event time, lie between two reports."),
        SettingDeclaration(
            "windows", .list(.extent), default: .list([.extent(.records(1000))]),
            "The rolling windows over which metrics are reported beside the cumulative ones."),
        SettingDeclaration(
            "track", .list(.choice(MetricCatalogue.allNames)),
            "The metrics to report; by default all that fit the task."),
    ]

    private static func problem(_ extent: Extent, isWindow: Bool) -> String? {
        switch extent {
        case .records(let count):
            if count < 1 { return "\(count) records are too few" }
            if isWindow, count > windowRecordsLimit { return "\(count) records are too many" }
        case .time(let milliseconds):
            if milliseconds < 1 { return "\(milliseconds) ms are too short" }
        }
        return nil
    }
}
