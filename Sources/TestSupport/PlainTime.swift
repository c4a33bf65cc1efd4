import Core

/// A moment read the plain way: counts days year by year.
struct PlainTime {
    /// Since 1970.
    let seconds: Int
    let nanoseconds: Int

    var milliseconds: Int64 { Int64(seconds * 1000 + nanoseconds / 1_000_000) }
    var value: Double { Double(seconds) + Double(nanoseconds) / 1e9 }

    init?(_ text: [UInt8], _ unit: TimeUnit) {
        let text = String(decoding: text, as: UTF8.self)
        switch unit {
        case .rfc3339: self.init(rfc3339: text)
        case .seconds: self.init(text, 1)
        case .milliseconds: self.init(text, 1000)
        case .microseconds: self.init(text, 1_000_000)
        case .nanoseconds: self.init(text, 1_000_000_000)
        }
    }

    private init?(_ text: String, _ perSecond: Int) {
        guard !text.hasPrefix("+"), let units = Int(text), units != .min else {
            return nil
        }
        let seconds = Int((Double(units) / Double(perSecond)).rounded(.down))
        // The double may be off by one for large numbers; the remainder tells.
        for candidate in (seconds - 300)...(seconds + 300) {
            let (product, overflow) = candidate.multipliedReportingOverflow(by: perSecond)
            if !overflow && (0..<perSecond).contains(units &- product) {
                self.init(candidate, (units - product) * (1_000_000_000 / perSecond))
                return
            }
        }
        return nil
    }

    private init?(_ seconds: Int, _ nanoseconds: Int) {
        let first = Self.days(0, 1, 1) * 86400
        let last = Self.days(10000, 1, 1) * 86400
        guard seconds >= first && seconds < last else { return nil }
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    private init?(rfc3339 text: String) {
        // 0 stands for a digit in the form of a date and time.
        let bytes = Array(text.utf8)
        let form = Array("0000-00-00T00:00:00".utf8)
        guard bytes.count > form.count else { return nil }
        for (byte, wanted) in zip(bytes, form) {
            switch wanted {
            case UInt8(ascii: "0"): guard Self.isDigit(byte) else { return nil }
            case UInt8(ascii: "T"): guard "Tt ".utf8.contains(byte) else { return nil }
            default: guard byte == wanted else { return nil }
            }
        }
        let numbers = text.prefix(form.count).split { !$0.isNumber }.compactMap { Int($0) }
        let (year, month, day) = (numbers[0], numbers[1], numbers[2])
        let (hour, minute, second) = (numbers[3], numbers[4], numbers[5])
        guard (1...12).contains(month), (1...Self.length(month, year)).contains(day), hour < 24,
            minute < 60, second <= 60
        else { return nil }
        var rest = bytes[form.count...]
        var fraction: [UInt8] = []
        if rest.first == UInt8(ascii: ".") {
            fraction = Array(rest.dropFirst().prefix { Self.isDigit($0) })
            guard !fraction.isEmpty else { return nil }
            rest = rest.dropFirst(1 + fraction.count)
        }
        var offset = 0
        let zone = String(decoding: rest, as: UTF8.self)
        if zone != "Z" && zone != "z" {
            let parts = zone.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
            guard let sign = zone.first, "+-".contains(sign), parts.count == 2,
                parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy(Self.isDigit) }),
                let hours = Int(parts[0]), let minutes = Int(parts[1]), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (sign == "-" ? -1 : 1)
        }
        let nanoseconds = String(decoding: fraction.prefix(9), as: UTF8.self)
        let padded = nanoseconds + String(repeating: "0", count: 9 - nanoseconds.count)
        let ofDay = hour * 3600 + minute * 60 + min(second, 59)
        self.init(
            Self.days(year, month, day) * 86400 + ofDay - offset, Int(padded) ?? 0)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    func part(_ part: TimePart) -> Double {
        var day = Int((Double(seconds) / 86400).rounded(.down))
        switch part {
        case .hour: return Double((seconds - day * 86400) / 3600)
        case .weekday:
            // 5 January 1970 was a Monday.
            let weekday = (day - 4) % 7
            return Double((weekday + 7) % 7 + 1)
        case .day, .month:
            var year = 1970
            while day < 0 {
                year -= 1
                day += Self.length(of: year)
            }
            while day >= Self.length(of: year) {
                day -= Self.length(of: year)
                year += 1
            }
            var month = 1
            while day >= Self.length(month, year) {
                day -= Self.length(month, year)
                month += 1
            }
            return Double(part == .day ? day + 1 : month)
        }
    }

    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        var days = day - 1
        for passed in 1..<max(month, 1) { days += length(passed, year) }
        if year >= 1970 {
            for passed in 1970..<year { days += length(of: passed) }
        } else {
            for coming in year..<1970 { days -= length(of: coming) }
        }
        return days
    }

    private static func length(of year: Int) -> Int {
        isLeap(year) ? 366 : 365
    }

    private static func length(_ month: Int, _ year: Int) -> Int {
        if month == 2 { return isLeap(year) ? 29 : 28 }
        return [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
    }
}

/// MurmurHash3 for x86 with 32 bits and seed 0, a byte at a time.
enum PlainMurmur3 {
    static func hash(_ bytes: [UInt8]) -> UInt32 {
        var hash: UInt32 = 0
        for start in stride(from: 0, to: bytes.count, by: 4) {
            let block = bytes[start..<min(start + 4, bytes.count)]
            var word: UInt32 = 0
            for byte in block.reversed() { word = word << 8 | UInt32(byte) }
            word &*= 0xCC9E_2D51
            word = rotate(word, 15)
            word &*= 0x1B87_3593
            hash ^= word
            if block.count == 4 { hash = rotate(hash, 13) &* 5 &+ 0xE654_6B64 }
        }
        hash ^= UInt32(bytes.count)
        hash ^= hash >> 16
        hash &*= 0x85EB_CA6B
        hash ^= hash >> 13
        hash &*= 0xC2B2_AE35
        hash ^= hash >> 16
        return hash
    }

    private static func rotate(_ word: UInt32, _ bits: UInt32) -> UInt32 {
        word << bits | word >> (32 - bits)
    }
}
