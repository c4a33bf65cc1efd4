// The timed wait of C11's threads on the monotonic clock.
//
// librdkafka takes the wall clock's time, adds its time-out, and waits for that: a wall clock that is
// set back by an hour makes each of its threads, and each caller, wait an hour longer. This definition
// comes before the C library's, for it stands in the program itself, and waits as long as was meant.
#define _GNU_SOURCE 1
#include "cplatform.h"

#include <errno.h>
#include <pthread.h>
#include <threads.h>
#include <time.h>

static const int64_t second = 1000000000;

int64_t tw_monotonic_deadline(int64_t until, int64_t wall, int64_t monotonic) {
    static _Thread_local int64_t lastUntil = INT64_MIN;
    static _Thread_local int64_t lastDeadline;
    if (until != lastUntil) {
        lastUntil = until;
        lastDeadline = monotonic + (until - wall);
    }
    return lastDeadline;
}

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * second + time.tv_nsec;
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
    // Beyond that (the year 2200) nothing is to be waited for; a sum would overflow.
    int64_t limit = INT64_C(7258118400);
    int64_t seconds = until->tv_sec < limit ? until->tv_sec : limit;
    int64_t deadline = tw_monotonic_deadline(
        seconds * second + until->tv_nsec, now(CLOCK_REALTIME), now(CLOCK_MONOTONIC));
    if (deadline < 0) deadline = 0;
    struct timespec end = {.tv_sec = deadline / second, .tv_nsec = deadline % second};
    // glibc's cnd_t and mtx_t are its pthread types under other names.
    int error = pthread_cond_clockwait(
        (pthread_cond_t *)condition, (pthread_mutex_t *)mutex, CLOCK_MONOTONIC, &end);
    return error == 0 ? thrd_success : error == ETIMEDOUT ? thrd_timedout : thrd_error;
}
