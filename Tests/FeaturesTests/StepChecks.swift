// Method: every registered step goes through the same seeded rows, with missing values, weights
// and categories, whole and in pieces; its state goes through bytes, whole and damaged.
import Core
import Features
import TestSupport
import Testing

@Suite("Step checks")
struct StepChecks {
    struct StepCase: Sendable, CustomTestStringConvertible {
        let name: String
        let overrides: [(key: String, value: SettingValue)]

        init(_ name: String, _ overrides: [(key: String, value: SettingValue)] = []) {
            self.name = name
            self.overrides = overrides
        }

        var testDescription: String {
            ([name] + overrides.map { "\($0.key) \($0.value)" }).joined(separator: ", ")
        }

        func step() throws -> any PreparationStep {
            let found = PreparationCatalogue.declarations.first { $0.name == name }
            return try PreparationCatalogue.make(
                name, settings: try #require(found).settings(overrides), layout: layout)
        }
    }

    static let layout = ColumnLayout(
        columns: (0..<9).map { Column(name: "x\($0)", kind: .numeric) } + [
            Column(name: "colour", kind: .categorical(limit: 5)),
            Column(name: "size", kind: .categorical(limit: 2)),
        ])

    static let cases: [StepCase] =
        PreparationCatalogue.declarations.map { StepCase($0.name) } + [
            StepCase("standardize", [("with_std", .boolean(false))]),
            StepCase("standardize", [("columns", .columns(.named(["x8", "x1"])))]),
            StepCase("min_max", [("columns", .columns(.named(["x3"])))]),
            StepCase("impute", [("strategy", .text("most_frequent"))]),
            StepCase("impute", [("strategy", .text("previous"))]),
            StepCase("impute", [("strategy", .text("constant")), ("value", .number(-1))]),
            StepCase("one_hot", [("columns", .columns(.named(["size"])))]),
        ]

    static func rows(_ count: Int, seed: UInt64) -> Rows {
        var random = SplitMix64(seed: seed)
        var rows = Rows(columnCount: 20, capacity: count)
        for _ in 0..<count {
            let row = rows.appendRow()
            for (column, kind) in layout.columns.map(\.kind).enumerated() {
                var value = 10 * random.nextUnit() - 3
                if case .categorical(let limit) = kind { value = Double(random.next(below: limit)) }
                if column == 2 { value = 7 }
                if column == 4 { value = Double(random.next(below: 3)) }
                rows.setValue(row, column, random.next(below: 12) == 0 ? .nan : value)
            }
            rows.setWeight(row, [1, 1, 1, 0, 2.5][random.next(below: 5)])
        }
        return rows
    }

    static func hash(_ rows: borrowing Rows) -> UInt64 {
        var hash = ContentHash()
        for row in 0..<rows.count {
            for column in 0..<rows.columnCount { hash.combine(rows.value(row, column).bitPattern) }
        }
        return hash.value
    }

    static func encoded(_ step: any PreparationStep) -> [UInt8] {
        var encoder = StateEncoder()
        step.encode(to: &encoder)
        return encoder.bytes
    }

    @Test("cutting batches changes no bit", arguments: cases)
    func batches(step: StepCase) throws {
        var whole = try step.step()
        var expected = Self.rows(1200, seed: 1)
        whole.transformAndLearn(&expected, 0..<1200)
        for size in [1, 7, 1000] {
            var cut = try step.step()
            var rows = Self.rows(1200, seed: 1)
            for start in stride(from: 0, to: 1200, by: size) {
                cut.transformAndLearn(&rows, start..<min(1200, start + size))
            }
            #expect(Self.hash(rows) == Self.hash(expected), "batches of \(size)")
            #expect(Self.encoded(cut) == Self.encoded(whole), "batches of \(size)")
        }
        var separate = try step.step()
        var rows = Self.rows(1200, seed: 1)
        var lessons = Self.rows(1200, seed: 1)
        for row in 0..<1200 {
            separate.transform(&rows, row..<(row + 1))
            separate.transformAndLearn(&lessons, row..<(row + 1))
        }
        #expect(Self.hash(rows) == Self.hash(expected), "transform, then learn")
        #expect(Self.encoded(separate) == Self.encoded(whole))
    }

    @Test("the output keeps the columns' places, and the rows fit it", arguments: cases)
    func output(step: StepCase) throws {
        var made = try step.step()
        let output = made.output
        #expect(output.columns.count >= Self.layout.columns.count)
        for (index, column) in Self.layout.columns.enumerated() {
            let found = output.columns[index].name
            #expect(found == column.name || found == "\(column.name)=0")
        }
        let names = output.columns.map(\.name)
        #expect(names.count == Set(names).count)
        var rows = Self.rows(500, seed: 2)
        made.transformAndLearn(&rows, 0..<500)
        for row in 0..<500 {
            for column in output.columns.count..<24 {
                let value = rows.vectors[row * rows.vectorsPerRow + column / laneCount]
                let lane = value[column % laneCount]
                #expect(lane == 0, "column \(column) is behind the last")
            }
            for column in output.columns.indices {
                let value = rows.value(row, column)
                #expect(value.isNaN || value.isFinite)
            }
        }
    }

    @Test("the state survives its bytes", arguments: cases)
    func roundTrip(step: StepCase) throws {
        var made = try step.step()
        var rows = Self.rows(600, seed: 3)
        made.transformAndLearn(&rows, 0..<300)
        let bytes = Self.encoded(made)
        var decoder = StateDecoder(bytes)
        var restored = try PreparationCatalogue.decode(step.name, from: &decoder)
        try decoder.finish()
        #expect(Self.encoded(restored) == bytes)
        #expect(restored.output == made.output)
        var other = Self.rows(600, seed: 3)
        made.transformAndLearn(&rows, 300..<600)
        restored.transformAndLearn(&other, 300..<600)
        for row in 300..<600 {
            for column in 0..<20 {
                let value = other.value(row, column).bitPattern
                let expected = rows.value(row, column).bitPattern
                #expect(value == expected)
            }
        }
        #expect(Self.encoded(restored) == Self.encoded(made))
    }

    @Test("foreign bytes are refused or read, never a trap", arguments: cases)
    func mutatedBytes(step: StepCase) throws {
        var made = try step.step()
        var rows = Self.rows(100, seed: 4)
        made.transformAndLearn(&rows, 0..<100)
        let bytes = Self.encoded(made)
        var random = SplitMix64(seed: 4)
        var refused = 0
        for _ in 0..<(TestEnvironment.isRelease ? 3000 : 300) {
            var mutated = bytes
            for _ in 0...random.next(below: 3) {
                mutated[random.next(below: bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next(below: 4) == 0 {
                mutated.removeLast(random.next(below: mutated.count))
            }
            var decoder = StateDecoder(mutated)
            do {
                _ = Self.encoded(try PreparationCatalogue.decode(step.name, from: &decoder))
            } catch {
                refused += 1
            }
        }
        #expect(refused > 0)
    }

    @Test("rows of weight 0 teach nothing", arguments: cases)
    func weightZero(step: StepCase) throws {
        var made = try step.step()
        var rows = Self.rows(200, seed: 5)
        for row in 100..<200 { rows.setWeight(row, 0) }
        made.transformAndLearn(&rows, 0..<100)
        let bytes = Self.encoded(made)
        made.transformAndLearn(&rows, 100..<200)
        #expect(Self.encoded(made) == bytes)
    }

    @Test("unknown and unfit columns are refused")
    func refusals() {
        func make(_ name: String, _ columns: [String]) throws -> any PreparationStep {
            try StepCase(name, [("columns", .columns(.named(columns)))]).step()
        }
        #expect(throws: SettingsError.self) { try make("standardize", ["x0", "y"]) }
        #expect(throws: SettingsError.self) { try make("standardize", ["colour"]) }
        #expect(throws: SettingsError.self) { try make("min_max", ["colour"]) }
        #expect(throws: SettingsError.self) { try make("impute", ["colour"]) }
        #expect(throws: SettingsError.self) { try make("one_hot", ["x0"]) }
    }
}
