/// How far a run over a stream is, as one line.
package struct ProgressLine: Sendable, Equatable {
    /// Records done.
    package let records: Int
    /// The share that is done, in [0, 1]; `nil` when the whole is not known.
    package let fraction: Double?
    /// Since the start.
    package let seconds: Double

    package init(records: Int, fraction: Double?, seconds: Double) {
        self.records = records
        self.fraction = fraction
        self.seconds = seconds
    }

    /// The time that is left at the speed so far; `nil` while that is a guess.
    package var secondsLeft: Double? {
        guard let fraction, fraction > 0.01, seconds > 0.2 else { return nil }
        return max(0, seconds * (1 - fraction) / fraction)
    }

    /// `43 %  195,000 records  312 k/s  2 s left`.
    package var text: String {
        var parts: [String] = []
        if let fraction {
            // Not before all is done does it say 100.
            parts.append("\(min(fraction < 1 ? 99 : 100, Int(fraction * 100))) %")
        }
        parts.append("\(NumberText.grouped(records)) records")
        if seconds > 0.2 { parts.append("\(NumberText.short(Double(records) / seconds))/s") }
        if let secondsLeft, let fraction, fraction < 1 {
            parts.append("\(NumberText.duration(seconds: secondsLeft)) left")
        }
        return parts.joined(separator: "  ")
    }
}
