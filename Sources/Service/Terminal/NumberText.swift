import Core

/// Numbers as people read them.
package enum NumberText {
    /// `45,312`.
    package static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return number < 0 ? "-" + text : text
    }

    /// A fixed number of decimals, rounded half away from zero: `0.7828`.
    ///
    /// Numbers whose digits do not fit 18 are written in Swift's shortest form.
    package static func fixed(_ number: Double, decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (number.magnitude * scale).rounded()
        guard scaled < 1e18 else { return "\(number)" }
        let integer = Int(scaled)
        let unit = Int(scale)
        var text = String(integer / unit)
        if decimals > 0 {
            let fraction = String(integer % unit)
            text += "." + String(repeating: "0", count: decimals - fraction.count) + fraction
        }
        return number < 0 && integer != 0 ? "-" + text : text
    }

    /// Four decimals for values near 1, fewer for large ones, none for whole ones from 10 on:
    /// `0.7828`, `12.35`, `342`.
    package static func measure(_ number: Double) -> String {
        guard number.isFinite else { return "\(number)" }
        if number.rounded() == number, (10..<1e15).contains(number.magnitude) {
            return grouped(Int(number))
        }
        switch number.magnitude {
        case ..<10: return fixed(number, decimals: 4)
        case ..<1000: return fixed(number, decimals: 2)
        case ..<1e15: return grouped(Int(number.rounded()))
        default: return "\(number)"
        }
    }

    /// `812`, `45.3 k`, `1.2 M`: three digits.
    package static func short(_ number: Double) -> String {
        let steps: [(Double, String)] = [(1e9, " G"), (1e6, " M"), (1e3, " k")]
        for (unit, name) in steps where number >= unit * 0.9995 {
            let value = number / unit
            return fixed(value, decimals: value < 99.95 ? 1 : 0) + name
        }
        return fixed(number, decimals: 0)
    }

    /// `4 s`, `2 min 5 s`, `3 h 12 min`.
    package static func duration(seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "a long time" }
        let whole = Int(max(0, seconds).rounded(.up))
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 {
            return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s"
        }
        let minutes = whole / 60
        return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
    }

    /// `812 bytes`, `4.0 KiB`, `1.5 MiB`.
    package static func bytes(_ count: Int) -> String {
        let steps: [(Double, String)] = [(1_073_741_824, "GiB"), (1_048_576, "MiB"), (1024, "KiB")]
        for (unit, name) in steps where Double(count) >= unit {
            return "\(fixed(Double(count) / unit, decimals: 1)) \(name)"
        }
        return "\(count) bytes"
    }
}
