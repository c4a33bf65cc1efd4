#pragma once
// What Swift's Glibc module leaves out or presents awkwardly.
//
// Functions, not inlines, and few headers: a module that includes more than it shows, or asks for
// GNU extensions, clashes with the toolchain's own view of the same headers.
//
// Every function that can fail returns -1 and leaves the reason in errno; tw_errno() reads it.
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The reason of the last failure on this thread.
int tw_errno(void);

// MARK: Event descriptors

/// A descriptor that becomes readable when something is added to it: non-blocking, closed on exec.
int tw_eventfd(void);

/// Wakes whoever polls the event descriptor. Any thread, also a signal handler. 0 or -1.
int tw_eventfd_signal(int descriptor);

/// Takes what was signalled since the last call: the sum, or 0 when nothing was.
uint64_t tw_eventfd_take(int descriptor);

// MARK: Signals

/// A descriptor that becomes readable when one of the (blocked) signals is pending: non-blocking,
/// closed on exec. Block the signals with tw_block_termination_signals
/// before any thread is started.
int tw_signalfd(const sigset_t *set);

/// The number of the next pending signal, or -1 when there is none.
int tw_signalfd_next(int descriptor);

/// Blocks SIGTERM and SIGINT for this thread and those that it starts, and ignores SIGPIPE;
/// `set` receives the two, for tw_signalfd. 0, or -1.
int tw_block_termination_signals(sigset_t *set);

// MARK: Waiting

/// Waits until the descriptor is readable: 1, or 0 after `milliseconds` (-1: without limit) or when
/// a signal came, or -1.
int tw_wait_readable(int descriptor, int milliseconds);

/// When a wait ends on the monotonic clock that is meant to end at `until` on the wall clock; all in
/// nanoseconds.
///
/// Who waits again for the same moment, on the same thread, gets the same answer, whatever has been
/// done to the wall clock meanwhile. The C library's cnd_timedwait, with which librdkafka waits, is
/// replaced by one that goes by it.
int64_t tw_monotonic_deadline(int64_t until, int64_t wall, int64_t monotonic);

/// Waits until one of two descriptors is readable (a negative one is left out): bit 0 for the
/// first, bit 1 for the second, 0 after `milliseconds` or when a signal came, or -1.
int tw_wait_readable2(int first, int second, int milliseconds);

// MARK: Threads

/// Names the calling thread for ps, top and debuggers; the kernel keeps the first 15 bytes.
void tw_set_thread_name(const char *name);

/// Lets other threads go first: sets the calling thread's nice value. 0 or -1.
int tw_set_thread_nice(int nice);

/// Fits the allocator to many threads and to memory that comes and goes; before any thread starts.
///
/// All threads share one arena. librdkafka's threads allocate what others free: with glibc's default of
/// eight arenas a core the same load holds a fifth more memory. And in any arena but the first, what
/// is larger than 64 MiB comes fresh from the kernel each time. What was freed is kept, up to 512 MiB:
/// fresh pages cost some 0.4 ms per MB. For fetch buffers that was a tenth of all processor time, and
/// for a large table's copy, which a snapshot makes learning wait for, most of the pause.
void tw_configure_allocator(void);

/// Has the allocator hold what capturing a state of this size will need: a copy of it, and its
/// encoding. On another thread than the one that copies, so that it does not wait for fresh pages.
///
/// Bounded by what the allocator keeps when it is freed, less a part for others.
void tw_prepare_for_copy(size_t state_bytes);

// MARK: Clocks and resources

/// Nanoseconds of the monotonic clock: for durations, never for dates.
int64_t tw_monotonic_nanoseconds(void);

/// Milliseconds since 1970 of the wall clock, as in Kafka's timestamps.
int64_t tw_wall_milliseconds(void);

/// Nanoseconds of processor time that this process has used, all threads, user and system.
int64_t tw_process_cpu_nanoseconds(void);

/// Nanoseconds of processor time that the calling thread has used.
int64_t tw_thread_cpu_nanoseconds(void);

/// The largest resident memory of this process so far, in bytes.
int64_t tw_resident_bytes_max(void);

// MARK: Child processes

/// A pipe whose ends, reading first, no child inherits: 0 or -1.
int tw_pipe(int ends[2]);

/// Starts a program found on PATH: its pid, or -1. `arguments` and `environment` end with NULL.
///
/// The child gets the three descriptors as its standard ones and no other, an empty signal mask and
/// default signal handling; with `new_session` it survives the end of our process group.
pid_t tw_spawn(
    char *const arguments[], char *const environment[], int input, int output, int errors,
    int new_session
);

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
int tw_wait_child(pid_t child, int block, tw_child_usage *usage);
