// Method: allocations whose number is known are counted.
import Foundation
import TestSupport
import Testing

@Suite("Allocation counter")
struct AllocationCounterTests {
    @Test("each way to allocate counts once, and freeing does not")
    func counts() throws {
        let count = countAllocations {
            let first = malloc(10)
            let second = realloc(first, 100_000)
            free(second)
            free(calloc(10, 10))
            var third: UnsafeMutableRawPointer?
            posix_memalign(&third, 64, 1_000)
            free(third)
            free(aligned_alloc(64, 640))
        }
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
