// Method: rendering is a pure function; texts are compared whole.
import Service
import Testing

@Suite("Terminal text")
struct TerminalTextTests {
    @Test(
        "numbers are grouped",
        arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-45312, "-45,312")])
    func grouped(number: Int, text: String) {
        #expect(NumberText.grouped(number) == text)
    }

    @Test(
        "decimals are fixed and rounded",
        arguments: [
            (0.78284, 4, "0.7828"), (0.99996, 4, "1.0000"), (-0.00001, 4, "0.0000"),
            (-1.5, 0, "-2"), (12.5, 2, "12.50"),
        ])
    func fixed(number: Double, decimals: Int, text: String) {
        #expect(NumberText.fixed(number, decimals: decimals) == text)
    }

    @Test(
        "measures",
        arguments: [
            (0.78284, "0.7828"), (1, "1.0000"), (12.346, "12.35"), (342, "342"), (1e6, "1,000,000"),
            (7594.37, "7,594"), (-0.48059, "-0.4806"),
        ])
    func measure(number: Double, text: String) {
        #expect(NumberText.measure(number) == text)
    }

    @Test(
        "rates are short",
        arguments: [
            (812.0, "812"), (999.6, "1.0 k"), (45_312, "45.3 k"), (312_000, "312 k"),
            (1_234_567, "1.2 M"),
        ])
    func short(number: Double, text: String) {
        #expect(NumberText.short(number) == text)
    }

    @Test(
        "durations",
        arguments: [
            (0.2, "1 s"), (59.5, "1 min"), (125, "2 min 5 s"), (3600, "1 h"),
            (11_520, "3 h 12 min"), (Double.infinity, "a long time"),
        ])
    func duration(seconds: Double, text: String) {
        #expect(NumberText.duration(seconds: seconds) == text)
    }

    @Test("sizes")
    func sizes() {
        #expect(NumberText.bytes(812) == "812 bytes")
        #expect(NumberText.bytes(4096) == "4.0 KiB")
        #expect(NumberText.bytes(1_572_864) == "1.5 MiB")
    }

    @Test("progress says share, records, rate and time left")
    func progress() {
        let half = ProgressLine(records: 195_000, fraction: 0.431, seconds: 10)
        #expect(half.text == "43 %  195,000 records  19.5 k/s  14 s left")
        let pipe = ProgressLine(records: 10, fraction: nil, seconds: 1)
        #expect(pipe.text == "10 records  10/s")
        let start = ProgressLine(records: 0, fraction: 0, seconds: 0)
        #expect(start.text == "0 %  0 records")
        let almost = ProgressLine(records: 5, fraction: 0.9999, seconds: 1)
        #expect(almost.text == "99 %  5 records  5/s  1 s left")
    }

    @Test("columns are aligned, numbers to the right")
    func table() {
        var table = TextTable(header: ["metric", "model", "majority"])
        table.add(["accuracy", "0.78", "0.5755"])
        table.add(["kappa", "0.5"])
        #expect(
            table.lines() == [
                "metric    model  majority",
                "accuracy   0.78    0.5755",
                "kappa       0.5",
            ])
    }

    @Test("a chart draws a falling line from the upper left to the lower right")
    func chart() {
        let chart = LineChart(
            series: [.init(name: "a", color: .blue, values: (0..<8).map { Double(7 - $0) })],
            marks: [.init(place: 0.5)], width: 4, height: 2)
        let lines = chart.lines(style: .plain, axisWidth: 6)
        #expect(lines == ["7.3500 ┤⠑⢄  ", "-0.3500 ┤  ⠑⢄", "          ▲"])
    }

    @Test("a constant line, a gap and no value at all can be drawn")
    func chartEdges() {
        let flat = LineChart(
            series: [.init(name: "a", color: nil, values: [2, nil, .nan, 2])], width: 2, height: 1)
        #expect(flat.lines(style: .plain, axisWidth: 4).count == 1)
        let nothing = LineChart(
            series: [.init(name: "a", color: nil, values: [])], width: 2, height: 1)
        #expect(nothing.lines(style: .plain).isEmpty)
    }

    @Test("the first series lies on top, and colours appear only when asked for")
    func chartColors() {
        let chart = LineChart(
            series: [
                .init(name: "a", color: .blue, values: [1, 1]),
                .init(name: "b", color: .yellow, values: [1, 1]),
            ], width: 1, height: 1)
        let colored = chart.lines(style: TextStyle(isColored: true))
        #expect(colored.joined().contains("\u{1B}[34m"))
        #expect(!colored.joined().contains("\u{1B}[33m"))
        #expect(!chart.lines(style: .plain).joined().contains("\u{1B}"))
    }

    @Test("a frame is drawn over the one before, and a shorter one takes the rest away")
    func frames() {
        #expect(LiveScreen.frame(["a", "b"], over: 0) == "\ra\u{1B}[K\n\rb\u{1B}[K\n")
        #expect(LiveScreen.frame(["c"], over: 2) == "\u{1B}[2A\rc\u{1B}[K\n\u{1B}[J")
    }

    @Test("nothing is drawn where no terminal is")
    func noTerminal() {
        let channel = MemoryChannel()
        let screen = LiveScreen(channel: channel, isTerminal: false)
        screen.draw(["a"])
        screen.clear()
        #expect(channel.text.isEmpty)
    }
}
