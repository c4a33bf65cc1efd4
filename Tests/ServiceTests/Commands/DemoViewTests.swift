// Method: rendering and counting as pure functions of made-up samples.
import Service
import Testing

@Suite("Demo view")
struct DemoViewTests {
    private var view: DemoView {
        var view = DemoView(
            total: 8000, planned: [2000, 4000, 6000],
            seriesNames: ["model", "majority", "no_change"], window: "1,000 records")
        view.samples = stride(from: 500, through: 6000, by: 500).map {
            .init(records: $0, accuracies: [0.9, 0.6, $0 == 500 ? nil : 0.5])
        }
        view.alarms = [300, 2300, 2900, 4100]
        view.records = 6100
        view.seconds = 2
        view.accuracies = [0.85, 0.6, 0.5]
        return view
    }

    @Test("an alarm belongs to the planted change before it; the first one counts")
    func detections() {
        let found = view.detections
        #expect(found.map(\.change) == [2000, 4000, 6000])
        #expect(found.map(\.delay) == [300, 100, nil])
    }

    @Test("the summary names records, accuracy and what was found")
    func summary() {
        #expect(
            view.summary(style: .plain) == [
                "Summary",
                "  6,100 records, each with one committed prediction, in 2.0 s (3.1 k/s)",
                "  accuracy: model 0.8500, majority 0.6000, no_change 0.5000",
                "  drift: 2 of 3 planted changes found, on average after 200 records; "
                    + "2 other alarms",
            ])
    }

    @Test("a line where no terminal is")
    func line() {
        #expect(
            view.line == "records=6100 rate=3050/s model=0.9000 majority=0.6000 no_change=0.5000 "
                + "drift_alarms=4")
    }

    @Test("a frame has the same height from the first to the last, and fits the width")
    func frame() {
        let empty = DemoView(
            total: 8000, planned: [2000], seriesNames: ["model", "majority", "no_change"],
            window: "1,000 records")
        let first = empty.frame(title: "Demo", style: .plain, width: 60)
        let last = view.frame(title: "Demo", style: .plain, width: 60)
        #expect(first.count == last.count)
        for line in last.dropFirst(3).prefix(12) { #expect(line.count <= 60, "\(line)") }
        let marks = last[last.count - 4]
        // The alarm at 4,100 covers the change at 4,000.
        #expect(marks.count { $0 == "▲" } == 4 && marks.count { $0 == "┆" } == 2, "\(marks)")
        #expect(last.joined().contains("⠤") || last.joined().contains("⠉"))
    }

    @Test("the chart's lines end where the records end")
    func partial() {
        let lines = view.frame(title: "Demo", style: .plain, width: 94)
        let chart = lines.dropFirst(4).prefix(10)
        // 6,000 of 8,000 records: the right quarter is empty.
        for line in chart {
            let cells = Array(line).dropFirst(10)
            #expect(cells.dropFirst(61).allSatisfy { $0 == " " }, "\(line)")
        }
        #expect(chart.contains { !$0.dropFirst(10).allSatisfy { $0 == " " } })
    }
}
