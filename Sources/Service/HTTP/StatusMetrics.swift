/// The state of this process's pipelines in Prometheus' text format (version 0.0.4).
///
/// These are this process's numbers, counted since it started: for dashboards and alarms. What the
/// models reached is in the metrics topic, which is a function of the log; this is not.
package enum StatusMetrics {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// - Complexity: the number of tasks.
    package static func text(_ pipelines: [(name: String, status: PipelineStatus)]) -> String {
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind)\n"
            for (name, status) in pipelines {
                for sample in family.samples(status) {
                    let task = sample.task.map { ",task=\"\($0)\"" } ?? ""
                    // A pipeline's name has letters, digits, '-', '_' and '.': nothing to escape.
                    text += "\(family.name){pipeline=\"\(name)\"\(task)} \(sample.value)\n"
                }
            }
        }
        return text
    }

    private struct Sample {
        var task: Int?
        let value: String
    }

    private struct Family {
        let name: String
        let kind: String
        let help: String
        let samples: @Sendable (PipelineStatus) -> [Sample]

        static func counter(
            _ name: String, _ help: String, _ value: @escaping @Sendable (PipelineStatus) -> Int
        ) -> Family {
            Family(name: name, kind: "counter", help: help) { [Sample(value: "\(value($0))")] }
        }

        /// A number that may be unknown, and is left out then.
        static func gauge(
            _ name: String, _ help: String,
            _ value: @escaping @Sendable (PipelineStatus) -> String?
        ) -> Family {
            Family(name: name, kind: "gauge", help: help) { status in
                value(status).map { [Sample(value: $0)] } ?? []
            }
        }
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        "\(Double(milliseconds) / 1000)"
    }

    private static let families: [Family] = [
        .counter("tidewheel_records_total", "Records whose predictions are committed.") {
            $0.records
        },
        .counter("tidewheel_commits_total", "Commits.") { $0.commits },
        .counter("tidewheel_snapshots_total", "Snapshots made.") { $0.snapshots },
        .counter(
            "tidewheel_refetches_total",
            "Partitions that gave nothing in spite of their lag and were read anew."
        ) { $0.refetches },
        .gauge("tidewheel_lag_records", "Records between the tasks and the ends of their inputs.") {
            $0.lag.map { "\($0)" }
        },
        .gauge("tidewheel_tasks_live", "Tasks of this process that learn.") {
            "\($0.liveTasks.count)"
        },
        .gauge(
            "tidewheel_restore_estimate_seconds",
            "How long restoring this process's tasks would take now, from what was measured."
        ) { $0.estimatedRestoreMilliseconds.map(seconds) },
        Family(
            name: "tidewheel_restore_done_ratio", kind: "gauge",
            help: "The part of a task's replay that is done, of a task that is being restored."
        ) { status in
            status.restoringTasks.map { Sample(task: $0.task, value: "\($0.share)") }
        },
        Family(
            name: "tidewheel_restore_left_seconds", kind: "gauge",
            help: "How long the restore of a task will still take; once a hundredth is done."
        ) { status in
            status.restoringTasks.compactMap { restoring in
                restoring.millisecondsLeft.map {
                    Sample(task: restoring.task, value: seconds($0))
                }
            }
        },
    ]
}
