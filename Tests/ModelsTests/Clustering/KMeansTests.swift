// Method: centres against scikit-learn's sequential k-means and against a naive implementation on
// seeded points; the start, decay and revival on streams whose clusters are known.
import Core
import Models
import TestSupport
import Testing

@Suite("K-means")
struct KMeansTests {
    static func model(
        _ settings: [(key: String, value: SettingValue)], columns: Int = 2, seed: UInt64 = 1
    ) throws -> KMeans {
        try KMeans(
            settings: KMeans.declaration.settings(settings),
            layout: ColumnLayout(numericCount: columns), seed: seed)
    }

    static func rows(_ points: [[Double]]) -> Rows {
        var rows = Rows(columnCount: points[0].count, capacity: points.count)
        for point in points {
            let row = rows.appendRow()
            for (column, value) in point.enumerated() { rows.setValue(row, column, value) }
        }
        return rows
    }

    static func setting(_ centres: [[Double]]) -> SettingValue {
        .list(centres.map { .list($0.map { .number($0) }) })
    }

    @Test("MacQueen's rule from given centres")
    func golden() throws {
        let golden = try Golden.load("kmeans")
        let initial = golden["inputs"]["initial_centres"].array.map(\.doubles)
        let rows = Self.rows(golden["inputs"]["points"].array.map(\.doubles))
        var model = try Self.model([("centres", Self.setting(initial))])
        #expect(model.clusterCount == initial.count)
        var predictions = Predictions(capacity: rows.count)
        var learned = 0
        let tolerance = golden["tolerance"].double
        for point in golden["macqueen"].array {
            let after = point["after"].int
            model.predictAndLearn(rows, learned..<after, into: &predictions)
            learned = after
            for cluster in initial.indices {
                #expect(model.weight(cluster) == point["counts"][cluster].double)
                for column in 0..<2 {
                    let value = model.centre(cluster, column: column)
                    let expected = point["centres"][cluster][column].double
                    #expect(isClose(value, expected, tolerance: tolerance), "after \(after)")
                }
            }
        }
        #expect(learned == rows.count)
    }

    @Test("a naive implementation agrees", arguments: UInt64(1)...20)
    func oracle(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let columns = 1 + random.next(below: 20)
        let k = 1 + random.next(below: 9)
        let points = (0..<300).map { _ in
            (0..<columns).map { _ in
                random.next(below: 25) == 0 ? .nan : Double(random.next(below: 40)) / 4
            }
        }
        let initial = (0..<k).map { _ in (0..<columns).map { _ in 10 * random.nextUnit() } }
        let halfLife = random.next(below: 2) == 0 ? nil : 40
        var settings: [(key: String, value: SettingValue)] = [("centres", Self.setting(initial))]
        if let halfLife { settings.append(("half_life", .extent(.records(halfLife)))) }
        var model = try Self.model(settings, columns: columns)
        let rows = Self.rows(points)
        var predictions = Predictions(capacity: rows.count)
        var centres = initial
        var counts = [Double](repeating: 0, count: k)
        for (row, point) in points.enumerated() {
            let present = point.indices.filter { !point[$0].isNaN }
            let distances = centres.map { centre in
                present.reduce(0) { $0 + (point[$1] - centre[$1]) * (point[$1] - centre[$1]) }
                    * Double(columns) / Double(present.count)
            }
            model.predictAndLearn(rows, row..<(row + 1), into: &predictions)
            let label = Int(predictions.labels[row])
            let distance = predictions.values[row]
            guard !present.isEmpty, let shortest = distances.min() else {
                #expect(label == -1, "seed \(seed), row \(row)")
                continue
            }
            #expect(abs(distance - shortest) <= 1e-9 * (1 + shortest), "seed \(seed), row \(row)")
            #expect(abs(distances[label] - shortest) <= 1e-9, "seed \(seed), row \(row)")
            if let halfLife {
                let factor = (-0.693147180559945309417 / Double(halfLife)).exponential
                counts = counts.map { $0 * factor }
            }
            counts[label] += 1
            for column in present {
                centres[label][column] += (point[column] - centres[label][column]) / counts[label]
            }
        }
        for cluster in 0..<k {
            for column in 0..<columns {
                let value = model.centre(cluster, column: column)
                #expect(isClose(value, centres[cluster][column], tolerance: 1e-9), "seed \(seed)")
            }
        }
    }

    @Test("the start collects records, then finds the clusters", arguments: UInt64(1)...10)
    func start(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let corners = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]
        let points = (0..<200).map { index in
            corners[index % 3].map { $0 + random.nextUnit() - 0.5 }
        }
        let rows = Self.rows(points)
        var model = try Self.model([("k", .integer(3))], seed: seed)
        var predictions = Predictions(capacity: rows.count)
        model.predictAndLearn(rows, 0..<99, into: &predictions)
        #expect(!model.hasCentres)
        model.predictAndLearn(rows, 99..<100, into: &predictions)
        #expect(model.hasCentres)
        for row in 0..<100 {
            let label = predictions.labels[row]
            #expect(label == -1, "row \(row)")
        }
        model.predictAndLearn(rows, 100..<200, into: &predictions)
        for row in 103..<200 {
            let label = predictions.labels[row]
            let before = predictions.labels[row - 3]
            let distance = predictions.values[row]
            #expect(label == before, "seed \(seed), row \(row)")
            #expect(distance < 1, "seed \(seed), row \(row)")
        }
        let total = (0..<3).reduce(0) { $0 + model.weight($1) }
        #expect(total == 200)
    }

    @Test("with decay a dead centre is revived where the records are")
    func revival() throws {
        var model = try Self.model(
            [
                ("centres", Self.setting([[0, 0], [100, 100]])),
                ("half_life", .extent(.records(10))),
            ])
        var random = SplitMix64(seed: 3)
        // Two clusters near the first centre; the second never wins.
        let points = (0..<3000).map { index in
            [index % 2 == 0 ? -2.0 : 2.0, random.nextUnit()]
        }
        let rows = Self.rows(points)
        var predictions = Predictions(capacity: rows.count)
        model.predictAndLearn(rows, 0..<rows.count, into: &predictions)
        let even = predictions.labels[2998]
        let odd = predictions.labels[2999]
        #expect(even != odd)
        for cluster in 0..<2 { #expect(abs(abs(model.centre(cluster, column: 0)) - 2) < 0.1) }
    }

    @Test("time halves the weight, and silence kills no centre")
    func eventTime() throws {
        var model = try Self.model(
            [
                ("centres", Self.setting([[0, 0], [10, 10]])),
                ("half_life", .extent(.time(1000))),
            ])
        var rows = Self.rows([[0, 0], [10, 10], [10, 10], [1, 1], [9, 9]])
        for (row, time) in [Int64(0), 0, 1000, 1_000_000_000, 999_999_000].enumerated() {
            rows.setEventTime(row, time)
        }
        model.learn(rows, 0..<3)
        #expect(model.weight(0) == 0.5)
        #expect(model.weight(1) == 1.5)
        model.learn(rows, 3..<5)
        #expect(model.centre(0, column: 0) == 1)
        #expect(model.centre(1, column: 0) == 9)
        #expect(model.weight(1) == 1)
    }

    @Test("what k-means cannot use is refused with a remedy")
    func refusals() {
        let categorical = ColumnLayout(columns: [Column(name: "a", kind: .categorical(limit: 3))])
        let sparse = ColumnLayout(columns: [], sparseBits: 18)
        for layout in [categorical, sparse] {
            #expect(throws: SettingsError.self) {
                try KMeans(settings: KMeans.declaration.settings(), layout: layout, seed: 1)
            }
        }
        #expect(throws: SettingsError.self) {
            try Self.model([("k", .integer(3)), ("centres", Self.setting([[1, 2]]))])
        }
        #expect(throws: SettingsError.self) {
            try Self.model([("centres", Self.setting([[1, 2, 3]]))])
        }
    }
}
