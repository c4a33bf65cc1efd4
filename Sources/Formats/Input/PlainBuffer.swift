/// Growable plain values at a stable address between growths.
@safe
struct PlainBuffer<Element: BitwiseCopyable>: ~Copyable {
    // Safety: the memory belongs to this value alone; being noncopyable, it has one owner.
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private(set) var capacity: Int

    init(capacity: Int) {
        self.capacity = max(1, capacity)
        unsafe base = .allocate(capacity: self.capacity)
    }

    deinit { unsafe base.deallocate() }

    mutating func removeAll() { count = 0 }

    mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "cannot truncate to \(count)")
        self.count = count
    }

    mutating func append(_ element: Element) {
        if count == capacity { grow() }
        // Safety: there is room for one element at `count`.
        unsafe base[count] = element
        count &+= 1
    }

    mutating func append(repeating element: Element, count more: Int) {
        for _ in 0..<more { append(element) }
    }

    subscript(_ index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "index \(index) is outside of \(count)")
            return unsafe base[index]
        }
        set {
            precondition(index >= 0 && index < count, "index \(index) is outside of \(count)")
            unsafe base[index] = newValue
        }
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        // Safety: both blocks hold at least `count` elements and do not overlap.
        unsafe larger.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = larger
        capacity *= 2
    }
}
