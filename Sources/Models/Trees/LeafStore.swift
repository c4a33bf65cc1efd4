import Core

/// The leaves of a tree: slots of heads and class records, and blocks of observations.
///
/// A slot belongs to a leaf. A block belongs to a leaf and a class that it has observed; it holds
/// six planes of lanes for the numeric columns and counts for the categorical ones. Everything
/// lies in flat arrays; slots and blocks are reused.
struct LeafStore: Sendable, Equatable {
    /// The planes of a block, one lane for each numeric column.
    enum Plane {
        static let mean = 0
        /// 1 / variance; 0 where the variance is 0.
        static let precision = 1
        static let weight = 2
        /// Σ w · (x − mean)².
        static let squares = 3
        static let minimum = 4
        static let maximum = 5
        static let count = 6
    }

    /// The number of numeric vectors of a row.
    let vectorCount: Int
    /// The classes for which each slot has a record.
    var classCapacity: Int
    var heads: [LeafHead] = []
    /// Slot *s*, class *c*: `s * classCapacity + c`.
    var classes: [ClassRecord] = []
    var freeSlots: [Int32] = []

    /// Block *b*, plane *p*, vector *v*: `(b * 6 + p) * vectorCount + v`.
    var numeric: [Lanes] = []
    /// Block *b* begins at `b * nominalStride`; a categorical column there at ``nominalOffsets``:
    /// the sum of its counts, the highest code seen + 1, the counts, and ln(count + 1).
    var nominal: [Double] = []
    var blockCount = 0
    var freeBlocks: [Int32] = []
    /// The codes that each categorical column has room for.
    var nominalWidths: [Int]
    var nominalOffsets: [Int] = []
    var nominalStride = 0

    init(columns: TreeColumns, classCapacity: Int) {
        vectorCount = columns.numericVectors.count
        self.classCapacity = classCapacity
        nominalWidths = columns.nominalLimits.map { min($0, 8) }
        layOutNominal()
    }

    var numericStride: Int { Plane.count * vectorCount }

    /// The memory of a block, in bytes.
    var blockBytes: Int { numericStride * MemoryLayout<Lanes>.stride + nominalStride * 8 }
    /// The memory of a slot, in bytes.
    var slotBytes: Int {
        MemoryLayout<LeafHead>.stride + classCapacity * MemoryLayout<ClassRecord>.stride
    }

    /// The memory of all slots and blocks, in bytes, free ones included.
    var byteCount: Int {
        heads.count * slotBytes + blockCount * blockBytes
            + (freeSlots.count + freeBlocks.count) * 4
    }

    // MARK: - Slots

    /// Makes a fresh, active leaf that begins with class counts.
    mutating func addLeaf(node: Int, weights: [Double]) -> Int {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = Int(free)
        } else {
            slot = heads.count
            heads.append(LeafHead(node: -1))
            classes.append(contentsOf: repeatElement(ClassRecord(), count: classCapacity))
        }
        var head = LeafHead(node: Int32(node))
        head.extent = Int32(weights.count)
        for code in 0..<classCapacity {
            var record = ClassRecord()
            if code < weights.count { record.weight = weights[code] }
            classes[slot * classCapacity + code] = record
        }
        head.weightAtAttempt = weights.reduce(0, +)
        heads[slot] = head
        return slot
    }

    /// Gives a slot and its blocks back.
    mutating func removeLeaf(_ slot: Int) {
        freeBlocks(of: slot)
        heads[slot] = LeafHead(node: -1)
        heads[slot].isActive = false
        freeSlots.append(Int32(slot))
    }

    /// The class counts of a leaf, as long as MOA's array of them.
    func weights(of slot: Int) -> [Double] {
        (0..<Int(heads[slot].extent)).map { classes[slot * classCapacity + $0].weight }
    }

    /// Puts the class counts of a leaf into an array that is reused.
    func copyWeights(of slot: Int, into weights: inout [Double]) {
        weights.removeAll(keepingCapacity: true)
        for code in 0..<Int(heads[slot].extent) {
            weights.append(classes[slot * classCapacity + code].weight)
        }
    }

    /// Makes a leaf forget its observations; its class counts stay.
    mutating func setActive(_ slot: Int, _ isActive: Bool) {
        let weights = weights(of: slot)
        let node = heads[slot].node
        freeBlocks(of: slot)
        for code in 0..<classCapacity {
            classes[slot * classCapacity + code] = ClassRecord()
            if code < weights.count {
                classes[slot * classCapacity + code].weight = weights[code]
            }
        }
        heads[slot] = LeafHead(node: node)
        heads[slot].extent = Int32(weights.count)
        heads[slot].weightAtAttempt = weights.reduce(0, +)
        heads[slot].isActive = isActive
    }

    /// Makes room for more classes.
    mutating func growClasses(to capacity: Int) {
        guard capacity > classCapacity else { return }
        var grown: [ClassRecord] = []
        grown.reserveCapacity(heads.count * capacity)
        for slot in heads.indices {
            grown.append(
                contentsOf: classes[(slot * classCapacity)..<((slot + 1) * classCapacity)])
            grown.append(
                contentsOf: repeatElement(ClassRecord(), count: capacity - classCapacity))
        }
        classes = grown
        classCapacity = capacity
    }

    // MARK: - Blocks

    /// The blocks that a leaf holds.
    func blockCount(of slot: Int) -> Int {
        var count = 0
        for index in (slot * classCapacity)..<((slot + 1) * classCapacity)
        where classes[index].block >= 0 { count += 1 }
        return count
    }

    /// Gives a class of a leaf a block without observations.
    mutating func addBlock(slot: Int, code: Int) {
        let block: Int
        if let free = freeBlocks.popLast() {
            block = Int(free)
        } else {
            block = blockCount
            blockCount += 1
            numeric.append(contentsOf: repeatElement(.zero, count: numericStride))
            nominal.append(contentsOf: repeatElement(0, count: nominalStride))
        }
        let first = block * numericStride
        for index in first..<(first + numericStride) { numeric[index] = .zero }
        for vector in 0..<vectorCount {
            numeric[first + Plane.minimum * vectorCount + vector] = Lanes(repeating: .infinity)
            numeric[first + Plane.maximum * vectorCount + vector] = Lanes(repeating: -.infinity)
        }
        for index in (block * nominalStride)..<((block + 1) * nominalStride) { nominal[index] = 0 }
        classes[slot * classCapacity + code].block = Int32(block)
        classes[slot * classCapacity + code].isRegular = false
    }

    private mutating func freeBlocks(of slot: Int) {
        for index in (slot * classCapacity)..<((slot + 1) * classCapacity) {
            let block = classes[index].block
            if block >= 0 { freeBlocks.append(block) }
            classes[index].block = -1
        }
    }

    /// Gives the memory of free blocks back; the order of the others follows their leaves.
    mutating func compact() {
        rebuild(widths: nominalWidths)
    }

    /// Makes room for more codes of a categorical column.
    mutating func widen(_ place: Int, to width: Int) {
        guard width > nominalWidths[place] else { return }
        var widths = nominalWidths
        widths[place] = width
        rebuild(widths: widths)
    }

    /// The memory of a block if a categorical column had this width, in bytes.
    func blockBytes(widening place: Int, to width: Int) -> Int {
        blockBytes + 16 * max(0, width - nominalWidths[place])
    }

    /// Copies the blocks in use, in the order of slots and classes, into new arrays.
    private mutating func rebuild(widths: [Int]) {
        let oldWidths = nominalWidths
        let oldOffsets = nominalOffsets
        let oldStride = nominalStride
        nominalWidths = widths
        layOutNominal()
        let used = blockCount - freeBlocks.count
        var newNumeric: [Lanes] = []
        newNumeric.reserveCapacity(used * numericStride)
        var newNominal: [Double] = []
        newNominal.reserveCapacity(used * nominalStride)
        var next = 0
        for index in classes.indices where classes[index].block >= 0 {
            let block = Int(classes[index].block)
            newNumeric.append(
                contentsOf: numeric[(block * numericStride)..<((block + 1) * numericStride)])
            for place in widths.indices {
                let from = block * oldStride + oldOffsets[place]
                let width = oldWidths[place]
                let more = repeatElement(0.0, count: widths[place] - width)
                newNominal.append(contentsOf: nominal[from..<(from + 2 + width)])
                newNominal.append(contentsOf: more)
                newNominal.append(contentsOf: nominal[(from + 2 + width)..<(from + 2 + 2 * width)])
                newNominal.append(contentsOf: more)
            }
            classes[index].block = Int32(next)
            next += 1
        }
        numeric = newNumeric
        nominal = newNominal
        blockCount = next
        freeBlocks = []
    }

    /// Sets the widths of categorical columns while there are no blocks.
    mutating func setWidths(_ widths: [Int]) {
        nominalWidths = widths
        layOutNominal()
    }

    private mutating func layOutNominal() {
        nominalOffsets = []
        nominalStride = 0
        for width in nominalWidths {
            nominalOffsets.append(nominalStride)
            nominalStride += 2 + 2 * width
        }
    }
}
