#pragma once
// What Swift's Glibc module leaves out or presents awkwardly, as static inline functions.
//
// Every function that can fail returns -1 and leaves the reason in errno; tw_errno() reads it.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// The reason of the last failure on this thread.
static inline int tw_errno(void) { return errno; }

// MARK: Event descriptors

/// A descriptor that becomes readable when something is added to it: non-blocking, closed on exec.
static inline int tw_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

/// Wakes whoever polls the event descriptor. Any thread, also a signal handler. 0 or -1.
static inline int tw_eventfd_signal(int descriptor) {
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(descriptor, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
    // EAGAIN: the counter is full, so the reader will wake anyway.
    return written == (ssize_t)sizeof one || errno == EAGAIN ? 0 : -1;
}

/// Takes what was signalled since the last call: the sum, or 0 when nothing was.
static inline uint64_t tw_eventfd_take(int descriptor) {
    uint64_t value = 0;
    ssize_t count;
    do {
        count = read(descriptor, &value, sizeof value);
    } while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof value ? value : 0;
}

// MARK: Signals

/// A descriptor that becomes readable when one of the (blocked) signals is pending: non-blocking,
/// closed on exec. Block the signals with tw_block_signals before any thread is started.
static inline int tw_signalfd(const sigset_t *set) {
    return signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/// The number of the next pending signal, or -1 when there is none.
static inline int tw_signalfd_next(int descriptor) {
    struct signalfd_siginfo info;
    ssize_t count;
    do {
        count = read(descriptor, &info, sizeof info);
    } while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof info ? (int)info.ssi_signo : -1;
}

/// Blocks SIGTERM and SIGINT for this thread and those that it starts, and ignores SIGPIPE;
/// `set` receives the two, for tw_signalfd. 0, or -1.
static inline int tw_block_termination_signals(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) return -1;
    int error = pthread_sigmask(SIG_BLOCK, set, 0);
    if (error == 0) return 0;
    errno = error;
    return -1;
}

// MARK: Waiting

/// Waits until the descriptor is readable: 1, or 0 after `milliseconds` (-1: without limit) or when
/// a signal came, or -1.
static inline int tw_wait_readable(int descriptor, int milliseconds) {
    struct pollfd entry = {.fd = descriptor, .events = POLLIN, .revents = 0};
    int count = poll(&entry, 1, milliseconds);
    if (count < 0 && errno == EINTR) return 0;
    return count;
}

/// Waits until one of two descriptors is readable (a negative one is left out): bit 0 for the
/// first, bit 1 for the second, 0 after `milliseconds` or when a signal came, or -1.
static inline int tw_wait_readable2(int first, int second, int milliseconds) {
    struct pollfd entries[2] = {
        {.fd = first, .events = POLLIN, .revents = 0},
        {.fd = second, .events = POLLIN, .revents = 0},
    };
    int count = poll(entries, 2, milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -1;
    return (entries[0].revents != 0) | (entries[1].revents != 0) << 1;
}

// MARK: Threads

/// Names the calling thread for ps, top and debuggers; the kernel keeps the first 15 bytes.
static inline void tw_set_thread_name(const char *name) {
    char shortened[16];
    size_t length = strnlen(name, sizeof shortened - 1);
    memcpy(shortened, name, length);
    shortened[length] = 0;
    pthread_setname_np(pthread_self(), shortened);
}

// MARK: Clocks and resources

/// Nanoseconds of the monotonic clock: for durations, never for dates.
static inline int64_t tw_monotonic_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/// Milliseconds since 1970 of the wall clock, as in Kafka's timestamps.
static inline int64_t tw_wall_milliseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/// Nanoseconds of processor time that this process has used, all threads, user and system.
static inline int64_t tw_process_cpu_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/// Nanoseconds of processor time that the calling thread has used.
static inline int64_t tw_thread_cpu_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/// The largest resident memory of this process so far, in bytes.
static inline int64_t tw_resident_bytes_max(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return -1;
    return (int64_t)usage.ru_maxrss * 1024;
}

/// How a child process ended and what it used.
typedef struct {
    /// The exit code, or 128 + the signal that ended it.
    int32_t exit_code;
    /// Processor time of all its threads, user and system.
    int64_t cpu_nanoseconds;
    /// Its largest resident memory.
    int64_t resident_bytes_max;
} tw_child_usage;

/// Collects a child: 1 and fills `usage` when it has ended, 0 when it still runs (only without
/// `block`), or -1.
static inline int tw_wait_child(pid_t child, int block, tw_child_usage *usage) {
    int status = 0;
    struct rusage resources;
    pid_t ended;
    do {
        ended = wait4(child, &status, block ? 0 : WNOHANG, &resources);
    } while (ended < 0 && errno == EINTR);
    if (ended <= 0) return (int)ended;
    usage->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    usage->cpu_nanoseconds =
        ((int64_t)resources.ru_utime.tv_sec + resources.ru_stime.tv_sec) * 1000000000
        + ((int64_t)resources.ru_utime.tv_usec + resources.ru_stime.tv_usec) * 1000;
    usage->resident_bytes_max = (int64_t)resources.ru_maxrss * 1024;
    return 1;
}
