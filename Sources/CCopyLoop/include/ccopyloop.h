#pragma once
// The ceiling that the pipeline is measured against: what librdkafka alone can copy.
#include <stdint.h>

/// What the copy loop does. Lists of settings alternate name and value and end with NULL.
typedef struct {
    const char *bootstrap;
    /// Topics of the same number of partitions; the output must exist.
    const char *input;
    const char *output;
    /// The consumer group and the transactional id.
    const char *group;
    /// Records to copy before it ends; 0: until tw_copy_loop_stop.
    int64_t record_limit;
    /// The length of a transaction.
    int32_t commit_milliseconds;
    /// How often the fetcher is woken by asking for watermarks; 0: never.
    int32_t wake_milliseconds;
    /// librdkafka settings in addition to, or instead of, the loop's own.
    const char *const *consumer_settings;
    const char *const *producer_settings;
} tw_copy_options;

/// What it did.
typedef struct {
    int64_t records;
    int64_t commits;
    /// From the first record received to the last commit.
    double seconds;
    /// Processor time of the whole process, all threads, from its start.
    double cpu_seconds;
    /// The process's largest resident memory.
    int64_t resident_bytes_max;
} tw_copy_result;

/// Consumes in batches and produces a small record for each, exactly once: one output of 80 bytes
/// with the input's key in the input's partition, no decoding beyond the id, no learning.
///
/// Returns 0, or -1 with the reason in `reason`. One at a time in a process.
int tw_copy_loop(
    const tw_copy_options *options, tw_copy_result *result, char *reason, int reason_length);

/// Ends a running copy loop after a last commit; may be called from a signal handler.
void tw_copy_loop_stop(void);
