#pragma once
// Counts allocations on the calling thread, by taking the place of malloc and its relatives.
//
// Linked into benchmarks and tests only. Under a sanitizer, which takes that place itself, nothing
// is counted.
#include <stdint.h>

/// Whether allocations are counted in this build.
int tw_allocations_are_counted(void);

/// The number of allocations and reallocations that the calling thread has made so far.
uint64_t tw_allocation_count(void);

/// Gives what was freed back to the kernel, so that the next allocations meet fresh pages.
void tw_release_freed_memory(void);
