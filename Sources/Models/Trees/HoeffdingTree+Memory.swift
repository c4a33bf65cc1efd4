import Core

extension HoeffdingTree {
    /// Ranks the leaves by promise (the weight that their majority class gets wrong) and lets only
    /// as many of the best observe as fit; the others keep class counts alone.
    ///
    /// Leaves that stopped observing begin anew when they rank high enough, as in MOA. When
    /// memory is short an eighth of it is left free, so that not every split ranks again. With
    /// `stop_memory_management` the tree stops growing for good instead.
    ///
    /// - Parameter reserved: Bytes that are to be free afterwards.
    mutating func enforceMemory(reserving reserved: Int) {
        let isShort = stateBytes + reserved > settings.memory
        if settings.stopsAtMemory {
            isGrowing = false
            if !isShort { return }
        }
        let fixed = stateBytes - leaves.blockCount * leaves.blockBytes + reserved
        var ranked: [(promise: Double, node: Int, slot: Int, cost: Int)] = []
        for slot in leaves.heads.indices where leaves.heads[slot].node >= 0 {
            let weights = leaves.weights(of: slot)
            ranked.append(
                (
                    promise: Self.promise(weights), node: Int(leaves.heads[slot].node),
                    slot: slot,
                    cost: leaves.blockBytes
                        * (leaves.heads[slot].isActive
                            ? leaves.blockCount(of: slot) : weights.count(where: { $0 > 0 }))
                ))
        }
        // The most promising first; equal ones in the order in which their nodes were made.
        ranked.sort { a, b in
            a.promise != b.promise ? a.promise > b.promise : a.node > b.node
        }
        let needed = ranked.reduce(0) { $0 + $1.cost }
        var budget = settings.memory - fixed
        if needed > budget || isShort { budget -= settings.memory / 8 }
        var used = 0
        var isFull = false
        for leaf in ranked {
            used += leaf.cost
            isFull = isFull || used > budget
            let isActive = leaves.heads[leaf.slot].isActive
            if isFull && isActive {
                leaves.setActive(leaf.slot, false)
                inactiveLeafCount += 1
            } else if !isFull && !isActive {
                leaves.setActive(leaf.slot, true)
                inactiveLeafCount -= 1
            }
        }
        if !leaves.freeBlocks.isEmpty && stateBytes + reserved > settings.memory {
            leaves.compact()
        }
    }

    /// The weight of the records that the majority class has wrong.
    private static func promise(_ weights: [Double]) -> Double {
        let total = weights.reduce(0, +)
        return total > 0 ? total - (weights.max() ?? 0) : 0
    }
}
