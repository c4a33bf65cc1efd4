package import Engine
package import State

/// Stands between a task and what it works on: for tests that end a process at a chosen call, and
/// for whoever watches one.
///
/// Each method is given what a task would use and returns what it uses instead; by default the
/// same. Called on the thread that starts the task, once for each of its parts.
package protocol TaskInstrument: Sendable {
    /// The output through which the task commits.
    func output(
        _ output: any TransactionalOutput, task: Int, of pipeline: Pipeline
    ) -> any TransactionalOutput
    /// The task's inputs.
    func input(_ log: any InputLog, task: Int, of pipeline: Pipeline) -> any InputLog
    /// The task's journal, read while it is restored.
    func journal(_ log: any InputLog, task: Int, of pipeline: Pipeline) -> any InputLog
    /// What the task computes.
    func processor(
        _ processor: any BatchProcessor, task: Int, of pipeline: Pipeline
    ) -> any BatchProcessor
    /// Where the task's snapshots are kept: once for loading them, once for writing them, which
    /// another thread does.
    func store(_ store: any ChunkStore, task: Int, of pipeline: Pipeline) -> any ChunkStore
    /// The task is about to make a step of its ``TaskLoading``.
    func willLoad(task: Int, of pipeline: Pipeline)
}

extension TaskInstrument {
    package func output(
        _ output: any TransactionalOutput, task: Int, of pipeline: Pipeline
    ) -> any TransactionalOutput { output }

    package func input(
        _ log: any InputLog, task: Int, of pipeline: Pipeline
    ) -> any InputLog { log }

    package func journal(
        _ log: any InputLog, task: Int, of pipeline: Pipeline
    ) -> any InputLog { log }

    package func processor(
        _ processor: any BatchProcessor, task: Int, of pipeline: Pipeline
    ) -> any BatchProcessor { processor }

    package func store(
        _ store: any ChunkStore, task: Int, of pipeline: Pipeline
    ) -> any ChunkStore { store }

    package func willLoad(task: Int, of pipeline: Pipeline) {}
}

/// The instrument of a process that nobody watches.
struct NoInstrument: TaskInstrument {}
