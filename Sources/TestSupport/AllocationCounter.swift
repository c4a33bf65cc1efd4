import CAllocationCounter

/// Counts the allocations of the calling thread while `body` runs: malloc, calloc, realloc and
/// their aligned forms, whoever called them.
///
/// Returns `nil` where nothing is counted, under a sanitizer. In debug builds Swift allocates where
/// optimised code does not: expect 0 in release only (``TestEnvironment/isRelease``).
package func countAllocations<Failure: Error>(
    _ body: () throws(Failure) -> Void
) throws(Failure) -> Int? {
    let before = tw_allocation_count()
    try body()
    let after = tw_allocation_count()
    return tw_allocations_are_counted() == 1 ? Int(after - before) : nil
}

/// Gives what was freed back to the kernel: what is allocated next meets fresh pages, as in a process
/// that has just started.
package func releaseFreedMemory() { tw_release_freed_memory() }
