import Core

/// Collects the hashed tokens of one row's texts, maps and sets, each token of a feature once.
///
/// A token's index is the Murmur3 hash (32 bits, seed 0) of the feature's name, a zero byte and the
/// token, cut to the schema's number of bits: part of the state's format. Different tokens may share
/// an index; they stay separate pairs. Pairs stand in the order in which their tokens first appear.
///
/// - Complexity: O(length of the tokens) time, expected; memory of the largest row seen.
struct TokenCollector: Sendable {
    private(set) var indices: [UInt32] = []
    private(set) var values: [Double] = []
    private let mask: UInt32
    /// The hashed bytes of the current feature's tokens, one after another.
    private var bytes: [UInt8] = []
    /// Where each token of the feature ends in `bytes`.
    private var ends: [Int] = []
    /// Open addressing: the feature's serial number and a token + 1. Never iterated.
    private var slots = [UInt64](repeating: 0, count: 64)
    private var serial: UInt64 = 0
    private var firstPair = 0

    init(bits: Int) {
        precondition((1...32).contains(bits), "sparse bits must be 1 to 32, got \(bits)")
        mask = bits == 32 ? .max : (1 << UInt32(bits)) - 1
    }

    /// Forgets the pairs.
    mutating func clear() {
        indices.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
    }

    /// Begins the next feature of the row.
    mutating func beginFeature() {
        serial += 1
        if serial >> 32 != 0 {
            serial = 1
            for slot in slots.indices { slots[slot] = 0 }
        }
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        firstPair = indices.count
    }

    /// Adds a token; a repeated one keeps its value unless `counting`, which adds to it.
    ///
    /// - Returns: whether the token is new in this feature.
    @discardableResult
    mutating func add(
        _ token: Span<UInt8>, after prefix: [UInt8], value: Double, counting: Bool = false,
        lowercasing: Bool = false
    ) -> Bool {
        let start = bytes.count
        bytes.append(contentsOf: prefix)
        for index in token.indices {
            let byte = token[index]
            let isUpper = lowercasing && byte &- UInt8(ascii: "A") < 26
            bytes.append(isUpper ? byte | 0x20 : byte)
        }
        let hash = Murmur3.hash32(bytes.span.extracting(start..<bytes.count))
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] >> 32 == serial {
            let found = Int(slots[slot] & 0xFFFF_FFFF) - 1
            if isEqual(found, from: start) {
                bytes.removeSubrange(start...)
                if counting { values[firstPair + found] += value }
                return false
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        ends.append(bytes.count)
        slots[slot] = serial << 32 | UInt64(ends.count)
        indices.append(hash & mask)
        values.append(value)
        if ends.count * 2 > slots.count { rebuild() }
        return true
    }

    /// Adds the words of a text: runs of ASCII letters, digits and bytes past ASCII.
    mutating func addWords(_ text: Span<UInt8>, after prefix: [UInt8]) {
        var start = 0
        for index in 0...text.count {
            if index < text.count && Self.isWordByte(text[index]) { continue }
            if index > start {
                add(
                    text.extracting(start..<index), after: prefix, value: 1, counting: true,
                    lowercasing: true)
            }
            start = index + 1
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 26
    }

    private func isEqual(_ token: Int, from start: Int) -> Bool {
        let other = token == 0 ? 0 : ends[token - 1]
        let count = bytes.count - start
        guard ends[token] - other == count else { return false }
        for index in 0..<count where bytes[other + index] != bytes[start + index] { return false }
        return true
    }

    private mutating func rebuild() {
        slots = [UInt64](repeating: 0, count: slots.count * 2)
        for token in 0..<ends.count {
            let range = (token == 0 ? 0 : ends[token - 1])..<ends[token]
            let hash = Murmur3.hash32(bytes.span.extracting(range))
            var slot = Int(hash) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = serial << 32 | UInt64(token + 1)
        }
    }
}
