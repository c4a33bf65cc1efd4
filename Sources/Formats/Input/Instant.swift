package import Core

/// A moment: seconds since 1970 (UTC) and nanoseconds after them.
///
/// Years 0000 to 9999, as RFC 3339 can write them; without leap seconds.
package struct Instant: Sendable, Equatable {
    /// −62,167,219,200 … 253,402,300,799.
    package let seconds: Int64
    /// 0 … 999,999,999.
    package let nanoseconds: Int64

    static let range: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

    /// Milliseconds since 1970, rounded down.
    package var milliseconds: Int64 { seconds * 1000 + nanoseconds / 1_000_000 }

    /// Seconds since 1970 as a double.
    package var value: Double { Double(seconds) + Double(nanoseconds) / 1e9 }

    private init?(seconds: Int64, nanoseconds: Int64) {
        guard Self.range.contains(seconds) else { return nil }
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Reads a time in the form that `unit` says; `nil` if the text is anything else.
    package init?(_ text: Span<UInt8>, unit: TimeUnit) {
        switch unit {
        case .rfc3339: self.init(rfc3339: text)
        case .seconds: self.init(integer: text, unitsPerSecond: 1)
        case .milliseconds: self.init(integer: text, unitsPerSecond: 1000)
        case .microseconds: self.init(integer: text, unitsPerSecond: 1_000_000)
        case .nanoseconds: self.init(integer: text, unitsPerSecond: 1_000_000_000)
        }
    }

    /// An optional minus sign and digits.
    private init?(integer text: Span<UInt8>, unitsPerSecond: Int64) {
        var index = 0
        let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
        if isNegative { index = 1 }
        guard index < text.count else { return nil }
        var units: Int64 = 0
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (tens, tensOverflow) = units.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) = tens.addingReportingOverflow(Int64(digit))
            guard !tensOverflow && !sumOverflow else { return nil }
            units = sum
            index += 1
        }
        if isNegative { units = -units }
        var (seconds, rest) = units.quotientAndRemainder(dividingBy: unitsPerSecond)
        if rest < 0 {
            seconds -= 1
            rest += unitsPerSecond
        }
        self.init(seconds: seconds, nanoseconds: rest * (1_000_000_000 / unitsPerSecond))
    }

    /// `2026-01-31T12:00:00.25+01:00`: the letters in any case, a space allowed for the `T`.
    ///
    /// Digits past the ninth of a fraction are cut; a second of 60 (a leap second) counts as 59.
    private init?(rfc3339 text: Span<UInt8>) {
        guard text.count >= 20,
            text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            text[10] | 0x20 == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            let year = Self.digits(text, 0, 4), let month = Self.digits(text, 5, 2),
            let day = Self.digits(text, 8, 2), let hour = Self.digits(text, 11, 2),
            let minute = Self.digits(text, 14, 2), let second = Self.digits(text, 17, 2),
            (1...12).contains(month), day >= 1, day <= Self.days(in: month, of: year),
            hour <= 23, minute <= 59, second <= 60
        else { return nil }
        var index = 19
        var nanoseconds: Int64 = 0
        if text[index] == UInt8(ascii: ".") {
            index += 1
            let first = index
            var scale: Int64 = 100_000_000
            while index < text.count, text[index] &- UInt8(ascii: "0") < 10 {
                nanoseconds += Int64(text[index] - UInt8(ascii: "0")) * scale
                scale /= 10
                index += 1
            }
            guard index > first, index < text.count else { return nil }
        }
        var offset: Int64 = 0
        if text[index] | 0x20 == UInt8(ascii: "z") {
            guard index + 1 == text.count else { return nil }
        } else {
            let isPlus = text[index] == UInt8(ascii: "+")
            guard isPlus || text[index] == UInt8(ascii: "-"), index + 6 == text.count,
                text[index + 3] == UInt8(ascii: ":"),
                let hours = Self.digits(text, index + 1, 2),
                let minutes = Self.digits(text, index + 4, 2), hours <= 23, minutes <= 59
            else { return nil }
            offset = (hours * 60 + minutes) * (isPlus ? 60 : -60)
        }
        let ofDay = hour * 3600 + minute * 60 + min(second, 59)
        let days = Self.daysSinceEpoch(year: year, month: month, day: day)
        self.init(seconds: days * 86400 + ofDay - offset, nanoseconds: nanoseconds)
    }

    private static func digits(_ text: Span<UInt8>, _ start: Int, _ count: Int) -> Int64? {
        var value: Int64 = 0
        for index in start..<(start + count) {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
        }
        return value
    }
}

// MARK: - The calendar

extension Instant {
    /// The part's number in UTC; see ``TimePart`` for the ranges.
    package func part(_ part: TimePart) -> Double {
        let days = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
        switch part {
        case .hour: return Double((seconds - days * 86400) / 3600)
        // 1 January 1970 was a Thursday.
        case .weekday: return Double(((days % 7) + 7 + 3) % 7 + 1)
        case .day: return Double(Self.civil(days).day)
        case .month: return Double(Self.civil(days).month)
        }
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms*, 2013: years begin in March.
    private static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(_ days: Int64) -> (month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9, day)
    }
}
