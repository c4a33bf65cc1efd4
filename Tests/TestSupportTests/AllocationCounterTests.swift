// Method: allocations whose number is known are counted.
import Foundation
import TestSupport
import Testing

@Suite("Allocation counter")
struct AllocationCounterTests {
    @Test("each way to allocate counts once, and freeing does not")
    func counts() throws {
        // Held and compared afterwards, so that the optimiser cannot remove any of them.
        var held: [UnsafeMutableRawPointer?] = []
        held.reserveCapacity(4)
        let count = countAllocations {
            held.append(realloc(malloc(10), 100_000))
            held.append(calloc(10, 10))
            var aligned: UnsafeMutableRawPointer?
            posix_memalign(&aligned, 64, 1_000)
            held.append(aligned)
            held.append(aligned_alloc(64, 640))
        }
        #expect(Set(held.map { UInt(bitPattern: $0) }).count == 4)
        let freeing = countAllocations {
            for pointer in held { free(pointer) }
        }
        #expect(freeing == nil || freeing == 0 || !TestEnvironment.isRelease)
        #expect(count == nil || count == 5)
    }

    @Test("work on memory that exists counts nothing")
    func countsNothing() throws {
        var values = [Double](repeating: 1, count: 1_000)
        let count = countAllocations {
            for index in values.indices { values[index] += Double(index) }
        }
        #expect(count == nil || !TestEnvironment.isRelease || count == 0)
        #expect(values[999] == 1_000)
    }

    @Test("another thread's allocations are not ours")
    func countsItsThreadOnly() throws {
        let count = countAllocations {
            var thread = pthread_t()
            pthread_create(
                &thread, nil,
                { _ in
                    for _ in 0..<10_000 { free(malloc(10)) }
                    return nil
                }, nil)
            pthread_join(thread, nil)
        }
        #expect(count.map { $0 < 1_000 } ?? true)
    }
}
