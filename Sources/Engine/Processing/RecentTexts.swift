import Core

/// Texts with a place each, at most so many; one more takes the place of the text that was visited
/// longest ago.
///
/// A function of the visits alone: the order of the hash table never shows.
///
/// - Complexity: O(length of the text) time for a visit, expected; memory of `limit` texts. A visit
///   to a known text allocates nothing.
package struct RecentTexts: Sendable {
    /// What a visit found.
    package struct Visit {
        /// Where the text stands: from 0 on without gaps, below the limit.
        package let place: Int
        /// Whether the text was not there.
        package let isNew: Bool
        /// Whether another text lost this place.
        package let evicts: Bool
    }

    /// A text and its neighbours in the order of their last visits; −1 is none.
    private struct Entry: Sendable {
        var text: [UInt8]
        var hash: UInt64
        var older: Int32 = -1
        var newer: Int32 = -1
    }

    /// The most texts.
    package let limit: Int
    private var entries: [Entry] = []
    private var oldest: Int32 = -1
    private var newest: Int32 = -1
    /// Open addressing: a place + 1, or 0 for a free slot. Its order is never iterated.
    private var slots: [Int32]

    package init(limit: Int) {
        precondition((1..<Int(Int32.max)).contains(limit), "a limit of \(limit) is out of range")
        self.limit = limit
        slots = [Int32](repeating: 0, count: 16)
    }

    /// The number of texts.
    package var count: Int { entries.count }

    /// The text at a place.
    package func text(_ place: Int) -> [UInt8] { entries[place].text }

    /// The places from the text visited longest ago to the one visited last.
    package var placesByAge: [Int] {
        var places: [Int] = []
        places.reserveCapacity(count)
        var place = oldest
        while place >= 0 {
            places.append(Int(place))
            place = entries[Int(place)].newer
        }
        return places
    }

    /// Finds a text or takes it in, and notes that it was visited last.
    package mutating func visit(_ text: Span<UInt8>) -> Visit {
        if newest >= 0, matches(Int(newest), text) {
            return Visit(place: Int(newest), isNew: false, evicts: false)
        }
        var hasher = ContentHash()
        hasher.combine(text)
        let hash = hasher.value
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let place = Int(slots[slot]) - 1
            if entries[place].hash == hash, matches(place, text) {
                unlink(place)
                link(place)
                return Visit(place: place, isNew: false, evicts: false)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return insert(Entry(text: [UInt8](copying: text), hash: hash))
    }

    private mutating func insert(_ entry: Entry) -> Visit {
        let evicts = count == limit
        let place: Int
        if evicts {
            place = Int(oldest)
            vacate(place)
            unlink(place)
            entries[place] = entry
        } else {
            place = count
            entries.append(entry)
            if count * 2 > slots.count { grow() }
        }
        occupy(place)
        link(place)
        return Visit(place: place, isNew: true, evicts: evicts)
    }

    private func matches(_ place: Int, _ text: Span<UInt8>) -> Bool {
        guard entries[place].text.count == text.count else { return false }
        for index in text.indices where entries[place].text[index] != text[index] { return false }
        return true
    }

    // MARK: The order of visits

    private mutating func unlink(_ place: Int) {
        let older = entries[place].older
        let newer = entries[place].newer
        if older >= 0 { entries[Int(older)].newer = newer } else { oldest = newer }
        if newer >= 0 { entries[Int(newer)].older = older } else { newest = older }
    }

    private mutating func link(_ place: Int) {
        entries[place].older = newest
        entries[place].newer = -1
        if newest >= 0 { entries[Int(newest)].newer = Int32(place) } else { oldest = Int32(place) }
        newest = Int32(place)
    }

    // MARK: The table

    private func home(_ place: Int) -> Int {
        Int(truncatingIfNeeded: entries[place].hash) & (slots.count - 1)
    }

    private mutating func occupy(_ place: Int) {
        var slot = home(place)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(place + 1)
    }

    /// Frees the slot of a text and moves up those that would not be found any more.
    private mutating func vacate(_ place: Int) {
        let mask = slots.count - 1
        var hole = home(place)
        while slots[hole] != Int32(place + 1) { hole = (hole + 1) & mask }
        var next = (hole + 1) & mask
        while slots[next] != 0 {
            let distance = (next - home(Int(slots[next]) - 1)) & mask
            if distance >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = 0
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: slots.count * 2)
        // The last one is not in the table yet.
        for place in 0..<(count - 1) { occupy(place) }
    }
}
