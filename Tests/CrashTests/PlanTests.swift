// Method: plans and stalls of the crash test with numbers that can be counted by hand.
import Core
import Testing

@testable import crash

@Suite("The crash test's plan")
struct PlanTests {
    @Test("a plan holds as much of each fault as was asked for, in an order of its seed")
    func counts() {
        var random = SplitMix64(seed: 3)
        let plan = FaultPlan.make(
            kills: 50, others: 4, groups: Set(FaultGroup.allCases), hasPoints: true, nodes: 3,
            random: &random)
        var counts: [String: Int] = [:]
        for fault in plan { counts[fault.name, default: 0] += 1 }
        #expect(counts["kill at a point"] == 40)
        #expect(counts["kill, restart at once", default: 0] == 8)
        #expect(counts["kill, restart later", default: 0] == 2)
        for name in [
            "pause past the session", "planned stop", "same instance id", "broker killed",
            "coordinator killed", "network", "process added", "process removed",
        ] {
            #expect(counts[name] == 4, "\(name)")
        }
        var again = SplitMix64(seed: 3)
        #expect(
            plan
                == FaultPlan.make(
                    kills: 50, others: 4, groups: Set(FaultGroup.allCases), hasPoints: true,
                    nodes: 3, random: &again))
    }

    @Test("a stall ends with the task's next commit, and overlapping faults are told apart")
    func stalls() {
        var stalls = Stalls()
        let first = TaskID(pipeline: "p", task: 0)
        let second = TaskID(pipeline: "p", task: 1)
        stalls.begin("kill", at: 1_000_000, tasks: [first, second])
        stalls.end(first, at: 500_000)
        stalls.end(first, at: 3_000_000)
        stalls.end(first, at: 9_000_000)
        #expect(stalls.alone == ["kill": [2]])
        stalls.begin("stop", at: 4_000_000, tasks: [first])
        stalls.end(second, at: 5_000_000)
        stalls.end(first, at: 6_000_000)
        #expect(stalls.alone == ["kill": [2]])
        #expect(stalls.overlapping == ["kill": [4], "stop": [2]])
    }

    @Test("quantiles of few and of many values")
    func quantiles() {
        #expect(Stalls.quantile([], 0.5).isNaN)
        #expect(Stalls.quantile([7], 0.99) == 7)
        let hundred = (1...100).map(Double.init)
        #expect(Stalls.quantile(hundred, 0.5) == 51)
        #expect(Stalls.quantile(hundred, 0.99) == 100)
    }
}
