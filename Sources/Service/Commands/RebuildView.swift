import Core
import Engine
import KafkaIO
import State

/// Runs rebuilds of states with their progress on a terminal, and says failures in words.
struct RebuildView {
    private let screen: LiveScreen

    init(_ console: Console) {
        screen = LiveScreen(channel: console.messages, isTerminal: console.messagesIsTerminal)
    }

    func rebuild(_ rebuild: StateRebuild) throws(CommandFailure) -> StateRebuild.Outcome {
        defer { screen.clear() }
        do {
            return try run(rebuild)
        } catch let error as CommandFailure {
            throw error
        } catch let error as TaskFailure {
            throw CommandFailure(error.message)
        } catch {
            throw CommandFailure("\(error)")
        }
    }

    private func run(_ rebuild: StateRebuild) throws -> StateRebuild.Outcome {
        let began = monotonicMilliseconds()
        var drawnAt = began
        return try rebuild.run { progress in
            let now = monotonicMilliseconds()
            guard now - drawnAt >= 100 else { return }
            drawnAt = now
            if progress.records == 0, progress.loadBytes > 0 {
                screen.draw([
                    "snapshot: \(NumberText.bytes(progress.loadedBytes)) of "
                        + NumberText.bytes(progress.loadBytes)
                ])
            } else {
                screen.draw([
                    ProgressLine(
                        records: progress.records, fraction: progress.share,
                        seconds: Double(now - began) / 1000
                    ).text
                ])
            }
        }
    }
}
