package import Core

/// Turns categorical columns into columns of 0 and 1, one for each category.
///
/// The column's own place holds 1 for its first category; further columns behind the existing ones
/// hold the others, so that a column with a limit of *n* categories becomes *n* columns. A missing
/// value or a code past the limit is 0 in all of them. Learns nothing.
///
/// - Complexity: O(*m*) time per record for *m* categorical columns; no memory but the layout.
package struct OneHot: PreparationStep {
    /// The most columns that may come out.
    static let columnLimit = 65_536

    package static let declaration = ComponentDeclaration(
        name: "one_hot",
        summary: "Turns categorical columns into columns of 0 and 1, one for each category.",
        source: "scikit-learn's OneHotEncoder",
        settings: [
            StepColumns.declaration("The columns to turn; `all` takes the categorical ones.")
        ])

    package let output: ColumnLayout
    private let input: ColumnLayout
    private let columns: [Int]
    private let parts: [Part]

    /// A column and where its categories go.
    private struct Part {
        let column: Int
        let limit: Int
        /// The column of the category of code 1.
        let furtherStart: Int
    }

    package init(settings: Settings, layout: ColumnLayout) throws(SettingsError) {
        let columns = try StepColumns.resolve(settings, layout, categorical: true)
        guard let made = Self.made(columns, layout) else {
            throw SettingsError(
                key: "columns",
                problem: "one_hot would give more than \(Self.columnLimit) columns",
                remedy: "lower the limits of the categorical features, or name fewer columns")
        }
        input = layout
        self.columns = columns
        output = made.output
        parts = made.parts
    }

    /// What comes out, and the parts; `nil` if it would be too wide.
    private static func made(
        _ columns: [Int], _ layout: ColumnLayout
    ) -> (output: ColumnLayout, parts: [Part])? {
        var all = layout.columns
        var parts: [Part] = []
        for column in columns {
            guard case .categorical(let limit) = layout.columns[column].kind else { return nil }
            guard all.count + limit - 1 <= columnLimit else { return nil }
            parts.append(Part(column: column, limit: limit, furtherStart: all.count))
            let name = layout.columns[column].name
            all[column] = Column(name: "\(name)=0", kind: .numeric)
            for code in 1..<max(1, limit) {
                all.append(Column(name: "\(name)=\(code)", kind: .numeric))
            }
        }
        return (ColumnLayout(columns: all, sparseBits: layout.sparseBits), parts)
    }

    package func transform(_ rows: inout Rows, _ range: Range<Int>) {
        for row in range {
            for part in parts {
                let code = rows.value(row, part.column)
                rows.setValue(row, part.column, code == 0 ? 1 : 0)
                guard code >= 1, code < Double(part.limit) else { continue }
                rows.setValue(row, part.furtherStart + Int(code) - 1, 1)
            }
        }
    }

    package mutating func transformAndLearn(_ rows: inout Rows, _ range: Range<Int>) {
        transform(&rows, range)
    }

    package var stateBytes: Int { parts.count * MemoryLayout<Part>.stride }

    package func encode(to encoder: inout StateEncoder) {
        encoder.section(Self.declaration.name, version: 1)
        input.encode(to: &encoder)
        StepColumns.encode(columns, to: &encoder)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section(Self.declaration.name, through: 1)
        input = try ColumnLayout(from: &decoder)
        columns = try StepColumns.decode(from: &decoder, input)
        guard let made = Self.made(columns, input) else {
            throw .invalidValue("a column of one_hot is not categorical, or there are too many")
        }
        output = made.output
        parts = made.parts
    }
}
