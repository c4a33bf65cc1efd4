package import Core

/// When a synthetic stream changes its concept, and how fast.
package struct DriftSchedule: Sendable, Equatable {
    /// The records around which the concept changes, counted from 0.
    package enum Positions: Sendable, Equatable {
        case never
        /// At every multiple, from the first on.
        case every(Int)
        /// At these records, in ascending order.
        case at([Int])
    }

    package let positions: Positions
    /// The records over which a change stretches; 0 makes it abrupt.
    package let width: Int

    /// - Precondition: a positive period, ascending positions, a width of at least 0.
    package init(_ positions: Positions, width: Int = 0) {
        precondition(width >= 0, "width must be at least 0, got \(width)")
        switch positions {
        case .never: break
        case .every(let period):
            precondition(period > 0, "the period must be positive, got \(period)")
        case .at(let list):
            precondition(list == list.sorted(), "positions must ascend")
        }
        self.positions = positions
        self.width = width
    }

    package static let never = DriftSchedule(.never)

    /// The planned changes before a record.
    package func changes(before record: Int) -> [Int] {
        switch positions {
        case .never: []
        case .every(let period): Array(stride(from: period, to: record, by: period))
        case .at(let list): list.filter { $0 < record }
        }
    }

    /// The concept that a record belongs to, counted from 0.
    ///
    /// Around a gradual change at *p* of width *w* record *i* belongs to the new concept with
    /// probability 1 / (1 + e^(−4 (i − p) / w)).
    ///
    /// - Complexity: O(1), for listed positions O(their number).
    /// - Note: The sigmoid of MOA's `ConceptDriftStream` (Bifet et al., 2010).
    package func concept(of record: Int, random: inout SplitMix64) -> Int {
        // One draw for every record, so that another width leaves the other numbers as they are.
        let draw = random.nextUnit()
        guard let (index, position) = nearestChange(to: record) else { return 0 }
        let isNew: Bool
        if width == 0 {
            isNew = record >= position
        } else {
            isNew = draw < (4 * Double(record - position) / Double(width)).logistic
        }
        return isNew ? index + 1 : index
    }

    /// The change nearest to a record, counted from 0.
    private func nearestChange(to record: Int) -> (index: Int, position: Int)? {
        switch positions {
        case .never: return nil
        case .every(let period):
            let number = max(1, (record + period / 2) / period)
            return (number - 1, number * period)
        case .at(let list):
            var best: (index: Int, position: Int)?
            for (index, position) in list.enumerated() {
                if let best, abs(position - record) > abs(best.position - record) { break }
                best = (index, position)
            }
            return best
        }
    }
}
