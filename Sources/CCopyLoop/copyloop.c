#include "ccopyloop.h"

#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    batch_records = 2000,
    output_bytes = 80,
    partitions_max = 256,
    call_milliseconds = 30000,
};

static atomic_int stop_requested;

void tw_copy_loop_stop(void) { atomic_store(&stop_requested, 1); }

typedef struct {
    const tw_copy_options *options;
    rd_kafka_t *consumer, *producer;
    rd_kafka_topic_t *output;
    rd_kafka_queue_t *queue;
    int wake_descriptor;
    pthread_t waker;
    int waker_runs;
    atomic_int waker_stop;
    // The next offset of each input partition, or -1 where nothing was read yet.
    int64_t next_offsets[partitions_max];
    int in_transaction;
    char *reason;
    int reason_length;
    rd_kafka_message_t *inputs[batch_records];
    rd_kafka_message_t outputs[batch_records];
    char values[batch_records][output_bytes];
} copy_loop;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static int fail(copy_loop *loop, const char *where, const char *why) {
    snprintf(loop->reason, loop->reason_length, "%s: %s", where, why);
    return -1;
}

/// 0 for success; otherwise notes the reason and frees the error.
static int check(copy_loop *loop, const char *where, rd_kafka_error_t *error) {
    if (error == NULL) return 0;
    fail(loop, where, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return -1;
}

static rd_kafka_t *client(
    copy_loop *loop, rd_kafka_type_t type, const char *const *settings, const char *const *more
) {
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    char error[512];
    for (int list = 0; list < 2; list++) {
        for (const char *const *pair = list == 0 ? settings : more; pair && *pair; pair += 2) {
            if (rd_kafka_conf_set(configuration, pair[0], pair[1], error, sizeof error)
                == RD_KAFKA_CONF_OK)
                continue;
            fail(loop, pair[0], error);
            rd_kafka_conf_destroy(configuration);
            return NULL;
        }
    }
    rd_kafka_t *handle = rd_kafka_new(type, configuration, error, sizeof error);
    if (handle == NULL) {
        fail(loop, "client", error);
        rd_kafka_conf_destroy(configuration);
    }
    return handle;
}

/// Asks for one partition's watermarks again and again: any request to its leader ends the sleep
/// in which librdkafka's broker thread leaves a fetch that found its local queue full.
static void *wake_fetcher(void *argument) {
    copy_loop *loop = argument;
    while (!atomic_load(&loop->waker_stop)) {
        usleep(loop->options->wake_milliseconds * 1000);
        int64_t low, high;
        rd_kafka_query_watermark_offsets(
            loop->consumer, loop->options->input, 0, &low, &high, 50);
    }
    return NULL;
}

static int start(copy_loop *loop) {
    const tw_copy_options *options = loop->options;
    const char *const consumer_settings[] = {
        "bootstrap.servers", options->bootstrap, "group.id", options->group,
        "auto.offset.reset", "earliest", "enable.auto.commit", "false",
        "enable.auto.offset.store", "false", "isolation.level", "read_committed",
        "queued.min.messages", "20000", "fetch.wait.max.ms", "20", "check.crcs", "false",
        "socket.nagle.disable", "true", "fetch.error.backoff.ms", "50", NULL,
    };
    const char *const producer_settings[] = {
        "bootstrap.servers", options->bootstrap, "transactional.id", options->group,
        "enable.idempotence", "true", "linger.ms", "5", "batch.size", "1000000",
        "batch.num.messages", "10000", "queue.buffering.max.messages", "1000000",
        "retry.backoff.ms", "10", "socket.nagle.disable", "true", NULL,
    };
    for (int partition = 0; partition < partitions_max; partition++)
        loop->next_offsets[partition] = -1;

    loop->producer =
        client(loop, RD_KAFKA_PRODUCER, producer_settings, options->producer_settings);
    if (loop->producer == NULL) return -1;
    loop->output = rd_kafka_topic_new(loop->producer, options->output, NULL);
    if (loop->output == NULL) return fail(loop, "output", "cannot be opened");
    // Metadata before the first record: a cold topic costs a second.
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(loop->producer, 0, loop->output, &metadata, call_milliseconds)
        == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
    if (check(
            loop, "init_transactions",
            rd_kafka_init_transactions(loop->producer, call_milliseconds)))
        return -1;

    loop->consumer =
        client(loop, RD_KAFKA_CONSUMER, consumer_settings, options->consumer_settings);
    if (loop->consumer == NULL) return -1;
    rd_kafka_poll_set_consumer(loop->consumer);
    loop->queue = rd_kafka_queue_get_consumer(loop->consumer);
    loop->wake_descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(loop->queue, loop->wake_descriptor, &one, sizeof one);

    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, options->input, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(loop->consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(loop, "subscribe", rd_kafka_err2str(error));
    if (options->wake_milliseconds > 0)
        loop->waker_runs = pthread_create(&loop->waker, NULL, wake_fetcher, loop) == 0;
    return 0;
}

/// Writes an output of 80 bytes around the input's id, which stands after `{"id":`.
static void write_output(char *value, const rd_kafka_message_t *input) {
    static const char after[] =
        ",\"prediction\":\"1\",\"probabilities\":{\"0\":0.251235,\"1\":0.748765}}";
    const char *bytes = input->payload;
    size_t length = input->len > 6 ? input->len : 6, at = 6;
    while (at < length && at < 6 + 16 && bytes[at] >= '0' && bytes[at] <= '9') at++;
    memset(value, ' ', output_bytes);
    if (input->len > 6) memcpy(value, bytes, at);
    size_t rest = output_bytes - at < sizeof after - 1 ? output_bytes - at : sizeof after - 1;
    memcpy(value + at, after, rest);
}

/// Produces `count` outputs, waiting where the producer's queue is full.
static int produce(copy_loop *loop, int count) {
    while (rd_kafka_produce_batch(
               loop->output, RD_KAFKA_PARTITION_UA,
               RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_PARTITION, loop->outputs, count)
           < count) {
        // Those that were refused follow, in order, in the next attempt.
        int kept = 0;
        for (int index = 0; index < count; index++) {
            rd_kafka_resp_err_t error = loop->outputs[index].err;
            if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
            if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                return fail(loop, "produce", rd_kafka_err2str(error));
            rd_kafka_message_t message = loop->outputs[index];
            message.err = RD_KAFKA_RESP_ERR_NO_ERROR;
            loop->outputs[kept++] = message;
        }
        count = kept;
        rd_kafka_poll(loop->producer, 5);
    }
    rd_kafka_poll(loop->producer, 0);
    return 0;
}

static int commit(copy_loop *loop) {
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(8);
    for (int partition = 0; partition < partitions_max; partition++) {
        if (loop->next_offsets[partition] < 0) continue;
        rd_kafka_topic_partition_list_add(offsets, loop->options->input, partition)->offset =
            loop->next_offsets[partition];
    }
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(loop->consumer);
    int failed = check(
        loop, "send_offsets_to_transaction",
        rd_kafka_send_offsets_to_transaction(loop->producer, offsets, group, call_milliseconds));
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(offsets);
    if (failed) return -1;
    loop->in_transaction = 0;
    return check(
        loop, "commit_transaction",
        rd_kafka_commit_transaction(loop->producer, call_milliseconds));
}

/// Takes what the consumer's queue holds and produces its outputs: records handled, or -1.
static int64_t copy_batch(copy_loop *loop, int64_t limit) {
    size_t wanted = limit < batch_records ? (size_t)limit : batch_records;
    ssize_t count = rd_kafka_consume_batch_queue(loop->queue, 0, loop->inputs, wanted);
    if (count <= 0) return 0;
    int outputs = 0, failed = 0;
    for (ssize_t index = 0; index < count; index++) {
        const rd_kafka_message_t *input = loop->inputs[index];
        if (input->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) continue;
        if (input->err || input->partition >= partitions_max) {
            failed = fail(loop, "consume", rd_kafka_message_errstr(input));
            continue;
        }
        write_output(loop->values[outputs], input);
        loop->outputs[outputs] = (rd_kafka_message_t){
            .partition = input->partition,
            .payload = loop->values[outputs],
            .len = output_bytes,
            .key = input->key,
            .key_len = input->key_len,
        };
        loop->next_offsets[input->partition] = input->offset + 1;
        outputs++;
    }
    if (!failed && outputs > 0 && !loop->in_transaction) {
        failed = check(loop, "begin_transaction", rd_kafka_begin_transaction(loop->producer));
        loop->in_transaction = !failed;
    }
    if (!failed && outputs > 0) failed = produce(loop, outputs);
    for (ssize_t index = 0; index < count; index++) rd_kafka_message_destroy(loop->inputs[index]);
    return failed ? -1 : outputs;
}

/// Sleeps until the consumer's queue has something or `seconds` are over.
static void wait_for_records(copy_loop *loop, double seconds) {
    struct pollfd entry = {.fd = loop->wake_descriptor, .events = POLLIN};
    int milliseconds = seconds > 0 ? (int)(seconds * 1000) + 1 : 0;
    if (poll(&entry, 1, milliseconds) <= 0) return;
    uint64_t ignored;
    if (read(loop->wake_descriptor, &ignored, sizeof ignored) < 0) return;
}

static int copy(copy_loop *loop, tw_copy_result *result) {
    const int64_t limit = loop->options->record_limit;
    const double period = loop->options->commit_milliseconds * 1e-3;
    double first = 0, next_commit = 0;
    while (!atomic_load(&stop_requested) && (limit == 0 || result->records < limit)) {
        int64_t left = limit == 0 ? batch_records : limit - result->records;
        int was_open = loop->in_transaction;
        int64_t count = copy_batch(loop, left);
        if (count < 0) return -1;
        double time = now();
        if (count > 0 && first == 0) first = time;
        if (!was_open && loop->in_transaction) next_commit = time + period;
        result->records += count;
        if (loop->in_transaction && (time >= next_commit || result->records == limit)) {
            if (commit(loop)) return -1;
            result->commits++;
            result->seconds = now() - first;
        } else if (count == 0) {
            double wait = loop->in_transaction ? next_commit - time : 0.1;
            wait_for_records(loop, wait < 0.1 ? wait : 0.1);
        }
    }
    if (loop->in_transaction) {
        if (commit(loop)) return -1;
        result->commits++;
        result->seconds = now() - first;
    }
    return 0;
}

static void finish(copy_loop *loop) {
    if (loop->waker_runs) {
        atomic_store(&loop->waker_stop, 1);
        pthread_join(loop->waker, NULL);
    }
    if (loop->queue) rd_kafka_queue_destroy(loop->queue);
    if (loop->consumer) {
        rd_kafka_consumer_close(loop->consumer);
        rd_kafka_destroy(loop->consumer);
    }
    if (loop->output) rd_kafka_topic_destroy(loop->output);
    if (loop->producer) rd_kafka_destroy(loop->producer);
    if (loop->wake_descriptor > 0) close(loop->wake_descriptor);
}

int tw_copy_loop(
    const tw_copy_options *options, tw_copy_result *result, char *reason, int reason_length
) {
    *result = (tw_copy_result){0};
    copy_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        snprintf(reason, reason_length, "out of memory");
        return -1;
    }
    loop->options = options;
    loop->reason = reason;
    loop->reason_length = reason_length;
    int failed = start(loop) || copy(loop, result);
    finish(loop);
    free(loop);

    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    result->cpu_seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
    result->resident_bytes_max = (int64_t)usage.ru_maxrss * 1024;
    return failed ? -1 : 0;
}
