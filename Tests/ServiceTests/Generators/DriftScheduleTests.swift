// Method: abrupt schedules against the positions themselves; gradual ones by their share of new
// records in blocks, from fixed seeds.
import Core
import Service
import Testing

@Suite("Drift schedule")
struct DriftScheduleTests {
    private func concepts(_ schedule: DriftSchedule, _ range: Range<Int>) -> [Int] {
        var random = SplitMix64(seed: 1)
        return range.map { schedule.concept(of: $0, random: &random) }
    }

    @Test("without drift there is one concept")
    func never() {
        #expect(concepts(.never, 0..<50) == [Int](repeating: 0, count: 50))
    }

    @Test("a period changes the concept at each multiple")
    func every() {
        let schedule = DriftSchedule(.every(10))
        #expect(concepts(schedule, 0..<45) == (0..<45).map { $0 / 10 })
        #expect(schedule.changes(before: 31) == [10, 20, 30])
    }

    @Test("listed positions change it just there")
    func listed() {
        let schedule = DriftSchedule(.at([3, 4, 20]))
        let expected = (0..<30).map { $0 < 3 ? 0 : $0 < 4 ? 1 : $0 < 20 ? 2 : 3 }
        #expect(concepts(schedule, 0..<30) == expected)
        #expect(schedule.changes(before: 20) == [3, 4])
    }

    @Test("a gradual change goes from old to new along a sigmoid")
    func gradual() {
        let schedule = DriftSchedule(.at([5000]), width: 1000)
        let all = concepts(schedule, 0..<10000)
        func share(_ range: Range<Int>) -> Double {
            Double(all[range].reduce(0, +)) / Double(range.count)
        }
        #expect(share(0..<3500) < 0.01)
        // The means of the sigmoid 1 / (1 + e^(−x / 250)) over these blocks.
        #expect(abs(share(4500..<5000) - 0.283) < 0.05)
        #expect(abs(share(5000..<5500) - 0.717) < 0.05)
        #expect(share(6500..<10000) > 0.99)
    }
}
