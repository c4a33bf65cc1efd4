package import Core

extension HoeffdingTree {
    package func encode(to encoder: inout StateEncoder) {
        encoder.section("hoeffding_tree", version: 1)
        settings.encode(to: &encoder)
        columns.layout.encode(to: &encoder)
        encoder.write(declaredClasses)
        encoder.write(nodes.count)
        for node in nodes {
            encoder.write(node.kind.rawValue)
            encoder.write(node.payload)
            guard node.kind != .leaf else { continue }
            encoder.write(node.threshold)
            encoder.write(node.column)
            encoder.write(node.child)
            encoder.write(node.width)
        }
        encoder.write(branches)
        encoder.write(splitCounts)
        encoder.write(disabled.map { $0 ? 1 as UInt8 : 0 })
        encoder.write(isGrowing)
        encoder.write(recordsUntilReview)
        leaves.encode(to: &encoder)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("hoeffding_tree", through: 1)
        let settings = try HoeffdingTreeSettings(from: &decoder)
        let layout = try ColumnLayout(from: &decoder)
        let declared = try decoder.readInt(in: 0...Int(Int32.max), "the declared classes")
        guard declared <= decoder.remaining / 8 else { throw .truncated }
        do {
            try self.init(settings, layout, declaredClasses: declared)
        } catch {
            throw .invalidValue(error.problem)
        }
        let count = try decoder.readInt(in: 1...max(1, decoder.remaining / 5), "the nodes")
        nodes = []
        nodes.reserveCapacity(count)
        for _ in 0..<count {
            guard let kind = TreeNode.Kind(rawValue: try decoder.readInteger(UInt8.self)) else {
                throw .invalidValue("unknown kind of node")
            }
            var node = TreeNode(payload: try decoder.readInteger(Int32.self))
            node.kind = kind
            if kind != .leaf {
                node.threshold = try decoder.readDouble()
                node.column = try decoder.readInteger(Int32.self)
                node.child = try decoder.readInteger(Int32.self)
                node.width = try decoder.readInteger(Int32.self)
            }
            nodes.append(node)
        }
        branches = try decoder.readIntegers(Int32.self)
        splitCounts = try decoder.readDoubles()
        disabled = try decoder.readIntegers(UInt8.self).map { $0 != 0 }
        isGrowing = try decoder.readBool()
        recordsUntilReview = try decoder.readInt(in: 1...settings.memoryPeriod, "the period")
        leaves = try LeafStore(from: &decoder, columns: columns)
        inactiveLeafCount = leaves.heads.count(where: { $0.node >= 0 && !$0.isActive })
        try checkShape()
    }

    /// Refuses nodes that point outside, backwards, or to each other's leaves.
    private func checkShape() throws(StateError) {
        let capacity = leaves.classCapacity
        guard splitCounts.count % capacity == 0, splitCounts.allSatisfy(\.isFinite),
            disabled.count
                == (settings.removesPoorAttributes ? leaves.heads.count * columns.count : 0)
        else { throw .invalidValue("class counts of splits do not fit") }
        var parents = [Int](repeating: 0, count: nodes.count)
        var leafCount = 0
        for (index, node) in nodes.enumerated() {
            if node.kind == .leaf {
                let slot = Int(node.payload)
                guard leaves.heads.indices.contains(slot), leaves.heads[slot].node == index else {
                    throw .invalidValue("node \(index) is not the node of its leaf")
                }
                leafCount += 1
                continue
            }
            guard (0..<columns.count).contains(Int(node.column)), node.payload >= 0,
                Int(node.payload) < splitCounts.count / capacity,
                columns.isNumeric(Int(node.column)) == (node.kind == .numeric),
                node.threshold.isFinite, node.child >= 0, node.width >= 0,
                node.kind == .numeric || (0...Double(Int32.max)).contains(node.threshold)
            else { throw .invalidValue("the test of node \(index)") }
            var children: [Int32] = []
            if node.kind == .multiway {
                guard Int(node.child) + Int(node.width) <= branches.count else {
                    throw .invalidValue("the branches of node \(index)")
                }
                children = branches[Int(node.child)..<(Int(node.child) + Int(node.width))]
                    .filter { $0 != -1 }
            } else {
                children = [node.child, node.child &+ 1]
            }
            for child in children {
                guard child > index, child < nodes.count else {
                    throw .invalidValue("a child of node \(index)")
                }
                parents[Int(child)] += 1
            }
        }
        guard parents.dropFirst().allSatisfy({ $0 == 1 }),
            leafCount == leaves.heads.count - leaves.freeSlots.count
        else { throw .invalidValue("the nodes are no tree") }
    }
}

extension HoeffdingTreeSettings {
    func encode(to encoder: inout StateEncoder) {
        for declared in HoeffdingTree.declaration.settings {
            switch declared.kind {
            case .integer: encoder.write(source.integer(declared.key))
            case .number: encoder.write(source.number(declared.key))
            case .boolean: encoder.write(source.boolean(declared.key))
            case .byteSize: encoder.write(source.bytes(declared.key))
            default: encoder.write(source.text(declared.key))
            }
        }
    }

    init(from decoder: inout StateDecoder) throws(StateError) {
        var values = Settings()
        for declared in HoeffdingTree.declaration.settings {
            let key = declared.key
            switch declared.kind {
            case .integer(let range): values[key] = .integer(try decoder.readInt(in: range, key))
            case .number(let range, _):
                let value = try decoder.readDouble()
                guard range.contains(value) else { throw .invalidValue("\(key) is \(value)") }
                values[key] = .number(value)
            case .boolean: values[key] = .boolean(try decoder.readBool())
            case .byteSize: values[key] = .bytes(try decoder.readInt(in: 0...(1 << 50), key))
            case .choice(let words):
                let word = try decoder.readString()
                guard words.contains(word) else { throw .invalidValue("\(key) is \(word)") }
                values[key] = .text(word)
            default: throw .invalidValue("\(key) cannot be read")
            }
        }
        do {
            try self.init(values)
        } catch {
            throw .invalidValue(error.problem)
        }
    }
}
