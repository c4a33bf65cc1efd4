import Core
import Engine
import KafkaIO

/// The records that a pipeline wrote, or should have written, told apart by hashes.
struct Harvest {
    /// For each partition the offset of the input record and the hash of key and value.
    var predictions: [[(offset: Int64, hash: UInt64)]]
    /// For each partition the hash of each metrics or drift record.
    var reports: [[UInt64]]

    init(partitions: Int) {
        predictions = [[(offset: Int64, hash: UInt64)]](repeating: [], count: partitions)
        reports = [[UInt64]](repeating: [], count: partitions)
    }

    mutating func addPrediction(partition: Int32, key: Span<UInt8>, value: Span<UInt8>) {
        predictions[Int(partition)].append(
            (Self.offset(in: value), Self.hash(key, value)))
    }

    mutating func addReport(partition: Int32, value: Span<UInt8>) {
        let nothing: [UInt8] = []
        reports[Int(partition)].append(Self.hash(nothing.span, value))
    }

    /// Adds what a processor wrote.
    mutating func add(_ buffer: borrowing OutputBuffer) {
        for entry in buffer.entries {
            let key = buffer.key(of: entry)
            let value = buffer.value(of: entry)
            switch entry.stream {
            case .predictions: addPrediction(partition: entry.partition, key: key, value: value)
            case .metrics: addReport(partition: entry.partition, value: value)
            case .deadLetters, .journal, .state: break
            }
        }
    }

    private static func hash(_ key: Span<UInt8>, _ value: Span<UInt8>) -> UInt64 {
        var hash = ContentHash()
        hash.combine(key)
        hash.combine(value)
        return hash.value
    }

    /// The number that a prediction's last field, `"offset"`, holds; −1 if it has none.
    static func offset(in value: Span<UInt8>) -> Int64 {
        var index = value.count - 2
        var number: Int64 = 0
        var scale: Int64 = 1
        var digits = 0
        while index >= 0, value[index] >= 0x30, value[index] <= 0x39 {
            number += Int64(value[index] - 0x30) * scale
            scale &*= 10
            digits += 1
            index -= 1
        }
        return digits > 0 ? number : -1
    }
}

/// What may stand beside the predictions that should have been written.
enum Copies: Equatable {
    case none
    /// Copies of them, byte for byte, behind the first.
    case equal
    /// Copies, and at most as many others.
    case equalOr(Int)
}

/// What differs between what was written and what should have been.
struct Comparison {
    var expected = 0
    var lost = 0
    var doubled = 0
    var changed = 0
    /// Predictions of records that the oracle does not know.
    var unknown = 0
    /// Predictions out of their partition's order, copies not counted.
    var disordered = 0
    /// Copies, where they are allowed.
    var copies = 0
    /// What an overtaken owner wrote in an order of inputs that did not come to count.
    var strays = 0
    var reportsExpected = 0
    /// Reports that differ from those of the oracle, place by place.
    var reportsWrong = 0
    /// The first differences, for people.
    var examples: [String] = []

    var isClean: Bool {
        lost + doubled + changed + unknown + disordered + reportsWrong == 0
    }

    init(
        expected wanted: Harvest, found: Harvest, of name: String, copies allowed: Copies
    ) {
        var strayReports = 0
        if case .equalOr(let count) = allowed { strayReports = count }
        for partition in wanted.predictions.indices {
            compare(
                wanted.predictions[partition], found.predictions[partition],
                "\(name)[\(partition)]", allowed)
            var reports = found.reports[partition]
            if allowed != .none {
                var seen: Set<UInt64> = []
                reports.removeAll { !seen.insert($0).inserted }
                let known = Set(wanted.reports[partition])
                reports.removeAll { report in
                    guard strayReports > 0, !known.contains(report) else { return false }
                    strayReports -= 1
                    return true
                }
            }
            compareReports(wanted.reports[partition], reports, "\(name)[\(partition)]")
        }
        if case .equalOr(let count) = allowed, changed <= count { swap(&changed, &strays) }
    }

    private mutating func compare(
        _ wanted: [(offset: Int64, hash: UInt64)], _ found: [(offset: Int64, hash: UInt64)],
        _ place: String, _ allowed: Copies
    ) {
        expected += wanted.count
        var hashes: [Int64: UInt64] = [:]
        for entry in wanted { hashes[entry.offset] = entry.hash }
        var seen: Set<Int64> = []
        var last: Int64 = -1
        for entry in found {
            guard let hash = hashes[entry.offset] else {
                unknown += 1
                note("\(place): a prediction of offset \(entry.offset), which has none")
                continue
            }
            if allowed != .none, hash != entry.hash || seen.contains(entry.offset) {
                if hash == entry.hash {
                    copies += 1
                } else {
                    changed += 1
                    note("\(place): another prediction of offset \(entry.offset)")
                }
                continue
            }
            if !seen.insert(entry.offset).inserted {
                doubled += 1
                note("\(place): two predictions of offset \(entry.offset)")
            } else if hash != entry.hash {
                changed += 1
                note("\(place): another prediction of offset \(entry.offset)")
            }
            if entry.offset < last {
                disordered += 1
                note("\(place): offset \(entry.offset) after \(last)")
            }
            last = entry.offset
        }
        for entry in wanted where !seen.contains(entry.offset) {
            lost += 1
            note("\(place): no prediction of offset \(entry.offset)")
        }
    }

    private mutating func compareReports(
        _ wanted: [UInt64], _ found: [UInt64], _ place: String
    ) {
        reportsExpected += wanted.count
        guard wanted != found else { return }
        let same = zip(wanted, found).prefix { $0 == $1 }.count
        reportsWrong += max(wanted.count, found.count) - same
        note("\(place): report \(same) differs; \(found.count) instead of \(wanted.count)")
    }

    private mutating func note(_ text: String) {
        if examples.count < 8 { examples.append(text) }
    }
}
