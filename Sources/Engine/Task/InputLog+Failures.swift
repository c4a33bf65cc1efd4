import State

/// The calls of a task's log, with the failure of the task that a refusal means.
extension InputLog {
    func fetch(_ input: Int, upTo limit: Int) throws(TaskFailure) {
        do throws(LogError) {
            try poll(input, upTo: limit)
        } catch {
            throw .log(error)
        }
    }

    func move(_ input: Int, to offset: Int64) throws(TaskFailure) {
        do throws(LogError) {
            try seek(input, to: offset)
        } catch {
            throw .log(error)
        }
    }
}
