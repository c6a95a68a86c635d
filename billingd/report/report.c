#include "billingd/report/report.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/base/random.h"
#include "billingd/base/thread.h"
#include "billingd/report/queue.h"
#include "billingd/report/sender.h"

struct report {
    struct report_origin origin;
    pthread_t thread;

    /* --- report thread --- */
    struct sender *sender;
    struct report_limits limits;

    /* --- any thread --- */
    struct report_queue queue;
    int wake_fd; /* something was put, or it is to end */
    atomic_uint_fast64_t fates[REPORT__FATES];
    atomic_bool closing;
    atomic_int_fast64_t cut_us; /* monotonic: nothing is sent from then on */

    /* --- guarded by lock --- */
    pthread_mutex_t lock;
    pthread_cond_t dealt_with;
    size_t handled; /* of those that were put, in that order */
};

static void count(struct report *report, enum report_fate fate)
{
    atomic_fetch_add_explicit(&report->fates[fate], 1, memory_order_relaxed);
}

static void wake(struct report *report)
{
    uint64_t one = 1;
    IGNORE(write(report->wake_fd, &one, sizeof one) < 0); /* full: it is awake */
}

/* --- any thread ------------------------------------------------------------------------------- */

/* The log's hook: no lock, no memory, no waiting. */
static void put_error(enum log_area area, const char *message, const struct log_field *fields,
                      void *arg)
{
    struct report *report = arg;
    struct report_event event;
    report_event_make(&event, area, message, fields, clock_wall_us());
    if (!report_queue_put(&report->queue, &event)) {
        count(report, REPORT_DROPPED);
        return;
    }
    wake(report);
}

/* --- report thread ---------------------------------------------------------------------------- */

static enum report_fate send_event(struct report *report, const struct report_event *event)
{
    char envelope[REPORT_ENVELOPE_BYTES];
    uint8_t random[16];
    unsigned repeated = 0;
    int64_t now_us = clock_monotonic_us();
    if (now_us >= atomic_load(&report->cut_us)) {
        return REPORT_DROPPED;
    }
    if (!report_limits_admit(&report->limits, report_event_fingerprint(event), now_us, &repeated)) {
        return REPORT_LIMITED;
    }
    random_bytes(random, sizeof random);
    size_t length = report_event_envelope(event, &report->origin, repeated, random, envelope);
    int rc = sender_post(report->sender, envelope, length, &report->limits);
    return rc == 0 ? REPORT_SENT : rc == STATUS_RATE_LIMITED ? REPORT_LIMITED : REPORT_FAILED;
}

static void send_all(struct report *report)
{
    struct report_event event;
    while (report_queue_take(&report->queue, &event)) {
        count(report, send_event(report, &event));
        pthread_mutex_lock(&report->lock);
        report->handled++;
        pthread_cond_broadcast(&report->dealt_with);
        pthread_mutex_unlock(&report->lock);
    }
}

static void *report_main(void *arg)
{
    struct report *report = arg;
    struct pollfd fd = {.fd = report->wake_fd, .events = POLLIN};
    uint64_t n;
    thread_begin("report");
    while (!atomic_load(&report->closing)) {
        IGNORE(poll(&fd, 1, -1) < 0); /* then it goes round */
        IGNORE(read(report->wake_fd, &n, sizeof n) < 0);
        send_all(report);
    }
    send_all(report);
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------- */

static int start(struct report *report, const struct report_options *options,
                 const struct report_dsn *dsn)
{
    struct sender_options sender = {
        .dsn = *dsn,
        .version = options->version,
        .wake_fd = report->wake_fd,
        .cut_us = &report->cut_us,
    };
    if (report->wake_fd < 0) {
        return STATUS_NO_MEMORY;
    }
    int rc = sender_create(&sender, &report->sender);
    if (rc == 0 && pthread_create(&report->thread, NULL, report_main, report) != 0) {
        sender_destroy(report->sender);
        rc = STATUS_NO_MEMORY;
    }
    return rc;
}

static void init_lock(struct report *report)
{
    pthread_condattr_t attributes;
    INVARIANT(pthread_mutex_init(&report->lock, NULL) == 0);
    INVARIANT(pthread_condattr_init(&attributes) == 0);
    INVARIANT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    INVARIANT(pthread_cond_init(&report->dealt_with, &attributes) == 0);
    INVARIANT(pthread_condattr_destroy(&attributes) == 0);
}

static void free_report(struct report *report)
{
    if (report->wake_fd >= 0) {
        close(report->wake_fd);
    }
    INVARIANT(pthread_cond_destroy(&report->dealt_with) == 0);
    INVARIANT(pthread_mutex_destroy(&report->lock) == 0);
    free(report);
}

int report_create(const struct report_options *options, struct report **ret_report)
{
    struct report_dsn dsn;
    const char *what;
    int rc = report_dsn_parse(options->dsn, &dsn, &what);
    if (rc < 0) {
        return rc;
    }
    struct report *report = calloc(1, sizeof *report);
    if (report == NULL) {
        return STATUS_NO_MEMORY;
    }
    report->origin = (struct report_origin){options->version, options->environment};
    report->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&report->cut_us, INT64_MAX);
    init_lock(report);
    rc = start(report, options, &dsn);
    if (rc < 0) {
        free_report(report);
        return rc;
    }
    log_set_error_hook(put_error, report);
    *ret_report = report;
    return 0;
}

void report_flush(struct report *report, unsigned timeout_ms)
{
    struct timespec until;
    size_t wanted = report_queue_count(&report->queue);
    int rc = 0;
    INVARIANT(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&report->lock);
    while (report->handled < wanted && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&report->dealt_with, &report->lock, &until);
    }
    pthread_mutex_unlock(&report->lock);
}

void report_destroy(struct report *report, unsigned timeout_ms)
{
    if (report == NULL) {
        return;
    }
    log_set_error_hook(NULL, NULL);
    atomic_store(&report->cut_us, clock_monotonic_us() + (int64_t)timeout_ms * 1000);
    atomic_store(&report->closing, true);
    wake(report);
    INVARIANT(pthread_join(report->thread, NULL) == 0);
    sender_destroy(report->sender);
    free_report(report);
}

uint64_t report_count(const struct report *report, enum report_fate fate)
{
    return atomic_load_explicit(&report->fates[fate], memory_order_relaxed);
}

const char *report_fate_name(enum report_fate fate)
{
    static const char *const names[REPORT__FATES] = {
        [REPORT_SENT] = "sent",
        [REPORT_DROPPED] = "dropped",
        [REPORT_LIMITED] = "limited",
        [REPORT_FAILED] = "failed",
    };
    return names[fate];
}
