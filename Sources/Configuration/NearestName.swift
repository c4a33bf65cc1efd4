/// Finds the valid name that a misspelt one was meant to be.
package enum NearestName {
    /// The nearest of some names, if it is near enough to be meant; ties go to the first.
    ///
    /// Near enough is a distance of at most a third of the longer name, but at least 1, with
    /// something in common; a valid name that only lacks or adds a word at its end is near, too.
    package static func find(_ name: String, among names: [String]) -> String? {
        guard name.count <= 100 else { return nil }
        let wanted = name.lowercased().replacing("-", with: "_")
        var best: (name: String, distance: Int)?
        for candidate in names {
            let distance = distance(wanted, candidate.lowercased())
            let longer = max(wanted.count, candidate.count)
            guard distance <= max(1, longer / 3), distance < longer else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
        }
        if let best { return best.name }
        return names.first { candidate in
            wanted.count >= 4 && candidate.hasPrefix(wanted + "_")
                || candidate.count >= 4 && wanted.hasPrefix(candidate + "_")
        }
    }

    /// The fewest insertions, deletions, replacements and swaps of neighbours that turn one text
    /// into the other.
    ///
    /// - Complexity: O(*n · m*) time and memory.
    /// - Note: The restricted edit distance of Damerau, *A Technique for Computer Detection and
    ///   Correction of Spelling Errors*, 1964.
    package static func distance(_ first: String, _ second: String) -> Int {
        let a = Array(first)
        let b = Array(second)
        let width = b.count + 1
        var table = [Int](repeating: 0, count: (a.count + 1) * width)
        for column in 0..<width { table[column] = column }
        for i in 0..<a.count {
            let row = (i + 1) * width
            table[row] = i + 1
            for j in 0..<b.count {
                let replaced = table[row - width + j] + (a[i] == b[j] ? 0 : 1)
                var least = min(replaced, table[row - width + j + 1] + 1, table[row + j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    least = min(least, table[row - 2 * width + j - 1] + 1)
                }
                table[row + j + 1] = least
            }
        }
        return table[(a.count + 1) * width - 1]
    }
}
