package import Core
package import Formats

/// Random schemas, documents for them, and documents that are broken in random ways.
package struct RandomDocument {
    package var random: SplitMix64
    package let schema: Schema
    package let format: InputFormat

    private static let words = [
        "a", "b", "age", "user", "x y", "ключ", "q\"uote", "back\\slash", "temperature_c", "",
        "a.b", "tab\there", "longer_than_eight", "longer_than_sixteen_bytes",
    ]

    /// A random schema with two to eight features of all kinds.
    package init(seed: UInt64, csv: Bool) {
        var random = SplitMix64(seed: seed)
        var paths: [[String]] = []
        // Now and then two readers share a path, or one reads inside of what another reads.
        func path() -> [String] {
            while true {
                let depth = random.next(below: 4) == 0 ? 2 + random.next(below: 2) : 1
                let path = (0..<depth).map { _ in Self.words[random.next(below: Self.words.count)] }
                let overlaps = paths.contains { other in
                    zip(path, other).allSatisfy { $0 == $1 }
                }
                if overlaps && random.next(below: 20) > 0 { continue }
                paths.append(path)
                return path
            }
        }
        var features: [Feature] = []
        for index in 0..<(2 + random.next(below: 7)) {
            let derived = TimePart.allCases.filter { _ in random.next(below: 2) == 0 }
            let unit = TimeUnit.allCases[random.next(below: TimeUnit.allCases.count)]
            let declared = Array(["red", "green", "1"].prefix(random.next(below: 4)))
            let kinds: [FeatureKind] = [
                .numeric, .numeric, .numeric, .boolean, .text, .map, .set,
                .categorical(values: declared, limit: declared.count + 1 + random.next(below: 5)),
                .timestamp(unit: unit, derived: derived),
            ]
            var kind = kinds[random.next(below: kinds.count)]
            if case .categorical(_, 1) = kind { kind = .categorical(values: [], limit: 2) }
            features.append(Feature(name: "f\(index)", path: path(), kind: kind))
        }
        let label: LabelField? =
            switch random.next(below: 4) {
            case 0: nil
            case 1: LabelField(path: path(), kind: .number, isRequired: random.next(below: 2) == 0)
            default:
                LabelField(
                    path: path(),
                    kind: .category(
                        classes: random.next(below: 2) == 0 ? [] : ["0", "1"],
                        limit: 2 + random.next(below: 4)),
                    isRequired: random.next(below: 2) == 0)
            }
        schema = Schema(
            features: features, label: label,
            weightPath: random.next(below: 3) == 0 ? path() : nil,
            idPath: random.next(below: 2) == 0 ? path() : nil,
            eventTimePath: random.next(below: 3) == 0 ? path() : nil,
            eventTimeUnit: TimeUnit.allCases[random.next(below: TimeUnit.allCases.count)],
            modelPath: random.next(below: 3) == 0 ? path() : nil,
            sparseBits: 1 + random.next(below: 24))
        if csv {
            var columns: [String] = []
            for path in Self.paths(of: schema) + [["extra"]] {
                let name = path.joined(separator: ".")
                if !columns.contains(name) { columns.append(name) }
            }
            format = .csv(
                CSVFormat(
                    columns: columns,
                    separator: UInt8(ascii: random.next(below: 3) == 0 ? ";" : ",")))
        } else {
            format = .json
        }
        self.random = random
    }

    static func paths(of schema: Schema) -> [[String]] {
        schema.features.map(\.path)
            + [
                schema.label?.path, schema.weightPath, schema.eventTimePath, schema.idPath,
                schema.modelPath,
            ].compactMap { $0 }
    }

    /// A record, nearly always with a value, about every third of them broken.
    package mutating func record(offset: Int64) -> RecordList.Record {
        var value: [UInt8]? = document()
        switch random.next(below: 60) {
        case 0: value = nil
        case 1: value = []
        case 2: value = Array(String(repeating: " \n", count: random.next(below: 4)).utf8)
        case 3...20: value = broken(value ?? [])
        default: break
        }
        let keys: [[UInt8]?] = [
            nil, [], Array("key".utf8), Array("a\"\\\u{1}\u{8}é".utf8), [0xFF, 0x00, 0x12],
        ]
        return RecordList.Record(
            value: value, key: keys[random.next(below: keys.count)],
            partition: Int32(random.next(below: 3)), offset: offset,
            timestamp: Int64(random.next(below: 1000)) - 1)
    }

    package mutating func document() -> [UInt8] {
        if case .csv(let shape) = format { return csv(shape) }
        return Array(json().utf8)
    }

    // MARK: - Breaking

    /// A few random changes to the bytes.
    package mutating func broken(_ document: [UInt8]) -> [UInt8] {
        var bytes = document
        for _ in 0...random.next(below: 3) {
            let place = random.next(below: bytes.count + 1)
            switch random.next(below: 10) {
            case 0: if place < bytes.count { bytes[place] ^= 1 << UInt8(random.next(below: 8)) }
            case 1: if place < bytes.count { bytes.remove(at: place) }
            case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            case 3: bytes.removeSubrange(place...)
            case 4: bytes.removeSubrange(..<place)
            case 5:
                let marks = Array("{}[]:,\"\\ \n0.eE+-nN".utf8)
                bytes.insert(marks[random.next(below: marks.count)], at: place)
            case 6:
                let end = place + random.next(below: bytes.count - place + 1)
                bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 7: bytes += self.document()
            case 8:
                let bracket = Array(random.next(below: 2) == 0 ? "[".utf8 : "{\"a\":".utf8)
                let depth = 55 + random.next(below: 20)
                bytes.insert(contentsOf: (0..<depth).flatMap { _ in bracket }, at: place)
            default:
                let pieces = [
                    "NaN", "-Infinity", "null", "\\ud83d", "\\u0041", "1e999", "\u{1}", "é",
                    "\u{FEFF}", "true", "\"\"", "-", "00", "1.", "\\",
                ]
                let piece = pieces[random.next(below: pieces.count)]
                bytes.insert(contentsOf: Array(piece.utf8), at: place)
            }
        }
        return bytes
    }

    // MARK: - JSON

    private mutating func space() -> String {
        random.next(below: 8) == 0 ? [" ", "\n", "\t ", "\r\n"][random.next(below: 4)] : ""
    }

    private mutating func json() -> String {
        var members: [String] = []
        var tops: [String] = []
        for path in Self.paths(of: schema) where !tops.contains(path[0]) {
            tops.append(path[0])
            if random.next(below: 12) == 0 { continue }
            members.append(member(path[0], object(at: [path[0]])))
        }
        if random.next(below: 3) == 0 { members.append(member("unread", anyValue(depth: 3))) }
        if random.next(below: 40) == 0 { members.append(members.first ?? "\"a\":1") }
        if random.next(below: 3) == 0 {
            for index in members.indices.dropFirst() {
                members.swapAt(index, random.next(below: index + 1))
            }
        }
        return space() + "{" + members.joined(separator: space() + ",") + "}" + space()
    }

    private mutating func member(_ key: String, _ value: String) -> String {
        space() + quoted(key) + space() + ":" + space() + value + space()
    }

    /// A value for a path: an object if longer paths go on below it.
    private mutating func object(at path: [String]) -> String {
        let deeper = Self.paths(of: schema).filter {
            $0.count > path.count && Array($0.prefix(path.count)) == path
        }
        if deeper.isEmpty || random.next(below: 10) == 0 { return value(at: path) }
        var members: [String] = []
        var names: [String] = []
        for longer in deeper where !names.contains(longer[path.count]) {
            let name = longer[path.count]
            names.append(name)
            if random.next(below: 10) > 0 {
                members.append(member(name, object(at: path + [name])))
            }
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private mutating func value(at path: [String]) -> String {
        if random.next(below: 80) == 0 { return anyValue(depth: 2) }
        if random.next(below: 15) == 0 { return "null" }
        guard let feature = schema.features.first(where: { $0.path == path }) else {
            if path == schema.weightPath { return weight() }
            if path == schema.eventTimePath { return time(schema.eventTimeUnit) }
            if path == schema.label?.path, case .number? = schema.label?.kind { return number() }
            if random.next(below: 4) > 0 { return ["0", "\"1\"", "1"][random.next(below: 3)] }
            return random.next(below: 3) == 0 ? number() : text()
        }
        switch feature.kind {
        case .numeric: return number()
        case .boolean: return random.next(below: 2) == 0 ? "true" : "false"
        case .categorical: return ["\"red\"", "1", "\"1\"", "true", text()][random.next(below: 5)]
        case .timestamp(let unit, _): return time(unit)
        case .text: return text()
        case .map:
            let count = random.next(below: 5)
            let members = (0..<count).map { index in
                let key = "k\(random.next(below: 40) == 0 ? 0 : index)"
                return member(key, random.next(below: 20) == 0 ? "null" : number())
            }
            return "{" + members.joined(separator: ",") + "}"
        case .set:
            let members = (0..<random.next(below: 6)).map { _ in
                ["1", "\"1\"", "null", "false", text(), number()][random.next(below: 6)]
            }
            return "[" + members.joined(separator: "," + space()) + "]"
        }
    }

    private mutating func anyValue(depth: Int) -> String {
        switch random.next(below: depth > 0 ? 9 : 6) {
        case 0: return number()
        case 1: return text()
        case 2: return "true"
        case 3: return "null"
        case 4: return "-0"
        case 5: return random.next(below: 10) == 0 ? "NaN" : "false"
        case 6:
            let members = (0..<random.next(below: 3)).map { _ in
                member(Self.words[random.next(below: Self.words.count)], anyValue(depth: depth - 1))
            }
            return "{" + members.joined(separator: ",") + "}"
        default:
            let members = (0..<random.next(below: 3)).map { _ in anyValue(depth: depth - 1) }
            return "[" + space() + members.joined(separator: ",") + "]"
        }
    }

    private mutating func weight() -> String {
        random.next(below: 20) == 0 ? number() : "\(random.nextUnit())"
    }

    private mutating func number() -> String {
        let digits = String(random.next() >> UInt64(random.next(below: 64)))
        switch random.next(below: 12) {
        case 0: return digits
        case 1: return "-" + digits
        case 2: return "0." + digits
        case 3: return digits + "." + String(random.next(below: 100_000))
        case 4: return "\(Double(bitPattern: random.next() & ~(1 << 62)))"
        case 5: return "\(digits)e\(random.next(below: 700) - 350)"
        case 6: return "\(digits).\(digits)\(digits)E+\(random.next(below: 300))"
        case 7:
            return ["0", "-0", "-0.0", "1e22", "9007199254740993", "5e-324"][random.next(below: 6)]
        case 8: return "\(random.nextUnit())"
        default: return "\(Double(random.next(below: 1_000_000)) / 1000)"
        }
    }

    private mutating func time(_ unit: TimeUnit) -> String {
        switch unit {
        case .rfc3339: return "\"\(rfc3339())\""
        case .seconds: return String(random.next(below: 4_000_000_000) - 1_000_000_000)
        case .milliseconds, .microseconds, .nanoseconds:
            let shift = unit == .milliseconds ? 18 : unit == .microseconds ? 8 : 0
            let digits = Int64(truncatingIfNeeded: random.next()) >> Int64(shift)
            return String(digits >> Int64(random.next(below: 30)))
        }
    }

    private mutating func rfc3339() -> String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let isStrange = random.next(below: 10) == 0
        let year = String(10000 + random.next(below: 10000)).dropFirst()
        let zones = ["Z", "z", "+01:00", "-23:59", "+24:00", "+1:00", ""]
        let fractions = ["", "", ".5", ".123456789012", "."]
        func part(_ range: Range<Int>, strange: Int) -> String {
            two(isStrange ? strange : range.lowerBound + random.next(below: range.count))
        }
        return year + "-" + part(1..<13, strange: random.next(below: 14)) + "-"
            + part(1..<29, strange: 28 + random.next(below: 5))
            + ["T", "t", " "][
                random.next(below: 3)] + part(0..<24, strange: 23 + random.next(below: 2)) + ":"
            + part(0..<60, strange: 60) + ":" + part(0..<60, strange: 60)
            + fractions[random.next(below: isStrange ? 5 : 4)]
            + zones[random.next(below: isStrange ? zones.count : 4)]
    }

    private mutating func text() -> String {
        let pieces = [
            "red", "Green day", "a,b;c", "", "naïve", "x\"y", "tab\t", "\u{1F600}", "line\nbreak",
            "It's 9 o'clock", "\u{0}", String(repeating: "w", count: 1020 + random.next(below: 9)),
        ]
        return quoted(pieces[random.next(below: pieces.count)])
    }

    /// A JSON text, now and then with escapes that it does not need.
    private mutating func quoted(_ text: String) -> String {
        let escapesMore = random.next(below: 6) == 0
        var result = "\""
        for unit in text.unicodeScalars {
            if unit == "\"" || unit == "\\" || unit.value < 0x20
                || (escapesMore && random.next(below: 3) == 0)
            {
                for code in String(unit).utf16 {
                    let digits = String(code, radix: 16, uppercase: random.next(below: 2) == 0)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                result.unicodeScalars.append(unit)
            }
        }
        return result + "\""
    }

    // MARK: - CSV

    private mutating func csv(_ shape: CSVFormat) -> [UInt8] {
        var cells: [[UInt8]] = []
        for column in shape.columns {
            var cell = Array(self.cell(column).utf8)
            if cell.contains(where: { [shape.separator, shape.quote, 10, 13].contains($0) })
                || random.next(below: 8) == 0
            {
                cell = [shape.quote] + cell.flatMap { $0 == shape.quote ? [$0, $0] : [$0] }
                cell.append(shape.quote)
            }
            cells.append(cell)
        }
        let ends = ["", "", "\n", "\r\n"]
        return Array(cells.joined(separator: [shape.separator]))
            + Array(ends[random.next(below: 4)].utf8)
    }

    private mutating func cell(_ column: String) -> String {
        if random.next(below: 12) == 0 { return "" }
        if random.next(below: 40) == 0 {
            return ["nan", "Inf", "1e999", "x"][random.next(below: 4)]
        }
        let feature = schema.features.first { $0.path.joined(separator: ".") == column }
        switch feature?.kind {
        case .numeric?:
            return ["", "", "", " ", "+"][random.next(below: 5)] + number()
        case .boolean?:
            return ["true", "False", "1", "0", "TRUE", "0", "1", "yes"][random.next(below: 8)]
        case .timestamp(let unit, _)?:
            return unit == .rfc3339 ? rfc3339() : time(unit)
        case .map?:
            let cells = ["a:1 b:2.5", "k:v:3 :4", " a:-1e3\tb:.5 ", "é:7", "a:1 a:2", "x", "a:"]
            return cells[random.next(below: random.next(below: 8) == 0 ? 7 : 4)]
        case .set?: return ["1 2 3", "a  b a", " ", "42"][random.next(below: 4)]
        default:
            if schema.eventTimePath?.joined(separator: ".") == column {
                return schema.eventTimeUnit == .rfc3339 ? rfc3339() : time(schema.eventTimeUnit)
            }
            if schema.weightPath?.joined(separator: ".") == column { return weight() }
            if schema.label?.path.joined(separator: ".") == column, random.next(below: 20) > 0 {
                if case .number? = schema.label?.kind { return number() }
                return ["0", "1"][random.next(below: 2)]
            }
            return ["red", "1", number(), "a \"b\" c", "two\nlines", "x;y,z", "-0"][
                random.next(below: 7)]
        }
    }
}
