#include "callocationcounter.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

void tw_release_freed_memory(void) { (void)malloc_trim(0); }

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) \
    || __has_feature(memory_sanitizer)
#define COUNTS_NOTHING 1
#endif
#endif

#ifdef COUNTS_NOTHING

int tw_allocations_are_counted(void) { return 0; }
uint64_t tw_allocation_count(void) { return 0; }

#else

// glibc's own entry points, which it exports for exactly this use.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// In an executable a thread-local of this kind needs no allocation itself.
static _Thread_local uint64_t count;

int tw_allocations_are_counted(void) { return 1; }
uint64_t tw_allocation_count(void) { return count; }

void *malloc(size_t size) {
    count++;
    return __libc_malloc(size);
}

void *calloc(size_t elements, size_t size) {
    count++;
    return __libc_calloc(elements, size);
}

void *realloc(void *pointer, size_t size) {
    count++;
    return __libc_realloc(pointer, size);
}

void *memalign(size_t alignment, size_t size) {
    count++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count++;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0)
        return EINVAL;
    count++;
    void *pointer = __libc_memalign(alignment, size);
    if (pointer == 0) return ENOMEM;
    *result = pointer;
    return 0;
}

#endif
