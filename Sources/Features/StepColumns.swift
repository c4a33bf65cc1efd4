import Core

/// The columns that a preparation step works on, checked against the layout.
enum StepColumns {
    /// The setting that every step has.
    static func declaration(_ summary: String) -> SettingDeclaration {
        SettingDeclaration("columns", .columns, default: .columns(.all), summary)
    }

    /// The indices of the selected columns, ascending.
    ///
    /// `all` takes the columns of the kind that the step works on; a named column of the other
    /// kind is a mistake.
    ///
    /// - Parameter categorical: The kind that the step works on; `nil` for both.
    static func resolve(
        _ settings: Settings, _ layout: ColumnLayout, categorical: Bool?
    ) throws(SettingsError) -> [Int] {
        func fits(_ column: Column) -> Bool {
            categorical == nil || (column.kind != .numeric) == categorical
        }
        switch settings.columns("columns") {
        case .all:
            return layout.columns.indices.filter { fits(layout.columns[$0]) }
        case .named(let names):
            var result: Set<Int> = []
            for name in names {
                guard let index = layout.columns.firstIndex(where: { $0.name == name }) else {
                    let known = layout.columns.map(\.name).joined(separator: ", ")
                    throw SettingsError(
                        key: "columns", problem: "there is no column \(name)",
                        remedy: "name some of: \(known)")
                }
                guard fits(layout.columns[index]) else {
                    throw SettingsError(
                        key: "columns",
                        problem: "\(name) is \(categorical == true ? "numeric" : "categorical")",
                        remedy: categorical == true
                            ? "leave it out" : "put one_hot before this step, or leave it out")
                }
                result.insert(index)
            }
            return result.sorted()
        }
    }

    /// For each vector of a row, 1 in the lanes of the given columns and 0 elsewhere.
    static func lanes(_ columns: [Int], _ layout: ColumnLayout) -> [Lanes] {
        var result = [Lanes](repeating: .zero, count: layout.vectorsPerRow)
        for column in columns { result[column / laneCount][column % laneCount] = 1 }
        return result
    }

    /// Writes indices of columns.
    static func encode(_ columns: [Int], to encoder: inout StateEncoder) {
        encoder.write(columns.map { UInt32($0) })
    }

    /// Reads what ``encode(_:to:)`` wrote: ascending indices of a layout's columns.
    static func decode(
        from decoder: inout StateDecoder, _ layout: ColumnLayout
    ) throws(StateError) -> [Int] {
        let columns = try decoder.readIntegers(UInt32.self).map { Int($0) }
        for (index, column) in columns.enumerated() {
            guard column < layout.columns.count, index == 0 || columns[index - 1] < column else {
                throw .invalidValue("column \(column) is out of order or range")
            }
        }
        return columns
    }

    /// The first row after `row` whose weight differs from it, or the range's end.
    @inline(__always)
    static func endOfWeight(_ rows: borrowing Rows, _ row: Int, _ end: Int) -> Int {
        let weights = rows.weights
        let weight = weights[row]
        var next = row + 1
        while next < end, weights[next] == weight { next += 1 }
        return next
    }
}

extension SIMD8 where Scalar == Double {
    /// The lanes that are 1 as a mask.
    var mask: SIMDMask<SIMD8<Int64>> { self .== 1.0 }
}
