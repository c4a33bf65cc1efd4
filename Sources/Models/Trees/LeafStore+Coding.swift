import Core

extension LeafStore {
    func encode(to encoder: inout StateEncoder) {
        encoder.section("leaves", version: 1)
        encoder.write(classCapacity)
        encoder.write(heads.count)
        for head in heads {
            encoder.write(head.weightAtAttempt)
            encoder.write(head.majorityCorrect)
            encoder.write(head.bayesCorrect)
            encoder.write(head.node)
            encoder.write(head.extent)
            encoder.write(head.isActive)
            encoder.write(head.isFresh)
        }
        for record in classes {
            encoder.write(record.weight)
            encoder.write(record.norm)
            encoder.write(record.slack)
            encoder.write(record.block)
            encoder.write(record.isRegular)
            encoder.write(record.hasConstant)
        }
        encoder.write(freeSlots)
        encoder.write(nominalWidths)
        encoder.write(blockCount)
        encoder.write(freeBlocks)
        encoder.write(numeric)
        encoder.write(nominal)
    }

    init(from decoder: inout StateDecoder, columns: TreeColumns) throws(StateError) {
        _ = try decoder.section("leaves", through: 1)
        let capacity = try decoder.readInt(in: 2...max(2, decoder.remaining), "the classes")
        self.init(columns: columns, classCapacity: capacity)
        let count = try decoder.readInt(in: 1...max(1, decoder.remaining / 34), "the leaves")
        guard count <= decoder.remaining / 30 / capacity else { throw .truncated }
        for _ in 0..<count {
            var head = LeafHead(node: -1)
            head.weightAtAttempt = try decoder.readDouble()
            head.majorityCorrect = try decoder.readDouble()
            head.bayesCorrect = try decoder.readDouble()
            head.node = try decoder.readInteger(Int32.self)
            head.extent = try decoder.readInteger(Int32.self)
            head.isActive = try decoder.readBool()
            head.isFresh = try decoder.readBool()
            heads.append(head)
        }
        for _ in 0..<(count * capacity) {
            var record = ClassRecord()
            record.weight = try decoder.readDouble()
            record.norm = try decoder.readDouble()
            record.slack = try decoder.readDouble()
            record.block = try decoder.readInteger(Int32.self)
            record.isRegular = try decoder.readBool()
            record.hasConstant = try decoder.readBool()
            classes.append(record)
        }
        freeSlots = try decoder.readIntegers(Int32.self)
        let widths = try decoder.readIntegers(Int.self)
        guard widths.count == columns.nominalColumns.count,
            zip(widths, columns.nominalLimits).allSatisfy({ $0 >= 1 && $0 <= $1 })
        else { throw .invalidValue("the widths of categorical columns") }
        setWidths(widths)
        blockCount = try decoder.readInt(in: 0...(count * capacity + count), "the blocks")
        freeBlocks = try decoder.readIntegers(Int32.self)
        numeric = try decoder.readLanes()
        nominal = try decoder.readDoubles()
        try checkShape()
    }

    /// Refuses slots and blocks that are owned twice, or by nobody, and counts that are none.
    private func checkShape() throws(StateError) {
        guard numeric.count == blockCount * numericStride,
            // By division: widths that make no sense must not overflow.
            blockCount == 0
                ? nominal.isEmpty
                : nominal.count % blockCount == 0 && nominal.count / blockCount == nominalStride
        else { throw .invalidValue("the size of the observations") }
        var slotOwners = [Int](repeating: 0, count: heads.count)
        for slot in freeSlots {
            guard heads.indices.contains(Int(slot)), heads[Int(slot)].node == -1 else {
                throw .invalidValue("a free leaf")
            }
            slotOwners[Int(slot)] += 1
        }
        var blockOwners = [Int](repeating: 0, count: blockCount)
        for block in freeBlocks {
            guard blockOwners.indices.contains(Int(block)) else {
                throw .invalidValue("a free block")
            }
            blockOwners[Int(block)] += 1
        }
        for (slot, head) in heads.enumerated() {
            if head.node >= 0 { slotOwners[slot] += 1 }
            guard (0...classCapacity).contains(Int(head.extent)), head.weightAtAttempt.isFinite,
                head.majorityCorrect.isFinite, head.bayesCorrect.isFinite
            else { throw .invalidValue("leaf \(slot)") }
            for record in classes[(slot * classCapacity)..<((slot + 1) * classCapacity)] {
                guard record.weight.isFinite, record.norm.isFinite, record.slack.isFinite,
                    record.block >= 0 || (record.block == -1 && !record.isRegular)
                else { throw .invalidValue("a class of leaf \(slot)") }
                if record.block < 0 { continue }
                guard blockOwners.indices.contains(Int(record.block)), head.isActive,
                    head.node >= 0
                else { throw .invalidValue("a block of leaf \(slot)") }
                blockOwners[Int(record.block)] += 1
            }
        }
        guard slotOwners.allSatisfy({ $0 == 1 }), blockOwners.allSatisfy({ $0 == 1 }) else {
            throw .invalidValue("a leaf or block that is owned twice, or by nobody")
        }
        for block in 0..<blockCount {
            for place in nominalWidths.indices {
                let at = block * nominalStride + nominalOffsets[place]
                let codes = nominal[at + 1]
                guard codes >= 0, codes <= Double(nominalWidths[place]) else {
                    throw .invalidValue("the codes of a categorical column")
                }
            }
        }
        guard nominal.allSatisfy(\.isFinite) else { throw .invalidValue("a categorical count") }
    }
}
