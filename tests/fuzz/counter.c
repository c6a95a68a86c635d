#include "tests/fuzz/counter.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "billingd/base/clock.h"
#include "billingd/base/random.h"
#include "tests/fuzz/fuzz.h"

/* --- in place of the workers ------------------------------------------------------------------ */

struct committer {
    struct counter *counter;
};

struct readers {
    struct counter *counter;
};

static struct committer committer;
static struct readers readers;

int committer_submit(struct committer *c, struct op *op)
{
    op_list_push(&c->counter->waiting, op);
    return 0;
}

void committer_flush(struct committer *c, enum committer_company company)
{
    (void)company;
    (void)c; /* counter_run() takes what was submitted */
}

bool committer_is_pressed(struct committer *c, unsigned asker)
{
    (void)c;
    (void)asker;
    return false;
}

struct committer_stats committer_stats(struct committer *c)
{
    (void)c;
    return (struct committer_stats){0};
}

int readers_submit(struct readers *r, struct op *op)
{
    op_list_push(&r->counter->waiting, op);
    return 0;
}

/* Jobs take their time, and no two runs have the same: here none begins. */
int jobs_start_backup(struct jobs *j, struct slice directory, uint64_t *ret_id,
                      struct errinfo *reason)
{
    (void)j;
    (void)directory;
    (void)ret_id;
    (void)reason;
    return STATUS_SHUTTING_DOWN;
}

int jobs_start_verification(struct jobs *j, uint64_t *ret_id)
{
    (void)j;
    (void)ret_id;
    return STATUS_SHUTTING_DOWN;
}

int jobs_get(struct jobs *j, uint64_t id, struct arena *arena, struct job *ret)
{
    (void)j;
    (void)id;
    (void)arena;
    (void)ret;
    return STATUS_JOB_NOT_FOUND;
}

int jobs_cancel(struct jobs *j, uint64_t id)
{
    (void)j;
    (void)id;
    return STATUS_JOB_NOT_FOUND;
}

/* --- in place of what no two runs have alike -------------------------------------------------- */

int64_t clock_wall_us(void)
{
    return committer.counter->now_us;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now = {0};
    FUZZ_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* For the ids that the daemon makes, which are never the same. */
void random_bytes(void *buffer, size_t bytes)
{
    uint64_t number = ++committer.counter->random;
    memset(buffer, 0, bytes);
    memcpy(buffer, &number, bytes < sizeof number ? bytes : sizeof number);
}

/* --- one op ----------------------------------------------------------------------------------- */

static struct ledger_env env_of(const struct counter *counter)
{
    return (struct ledger_env){
        .now_us = counter->now_us,
        .currency = "USD",
        .minor_digits = 2,
        .catalogue_listed = counter->catalogue_listed,
    };
}

static int apply(struct counter *counter, struct op *op)
{
    struct ledger_env env = env_of(counter);
    uint64_t sweep_left = counter->sweep_max;
    struct store_txn *txn;
    env.sweep_left = &sweep_left;
    int rc = store_begin(counter->store, counter->now_us, &txn);
    if (rc < 0) {
        return rc;
    }
    op->records = 0;
    rc = op->announce(op, txn);
    if (rc == 0) {
        rc = op->apply(op, txn, &env);
    }
    if (rc < 0 || op->records == 0) {
        store_abort(txn);
        return rc;
    }
    return store_commit(txn);
}

static int query(struct counter *counter, struct op *op)
{
    struct ledger_env env = env_of(counter);
    struct store_view *view;
    int rc = store_snapshot(counter->store, &view);
    if (rc == 0) {
        rc = op->query(op, view, &env);
        store_release(view);
    }
    return rc;
}

static struct request *request_of(struct op *op)
{
    return (struct request *)(void *)((char *)op - offsetof(struct request, op));
}

static bool is_write(const struct request *request)
{
    return request->method->lane == LANE_WRITE || request->next == REQUEST_APPLY;
}

void counter_run(struct counter *counter)
{
    struct op *op;
    while ((op = op_list_pop(&counter->waiting)) != NULL) {
        op->status = is_write(request_of(op)) ? apply(counter, op) : query(counter, op);
        op->done(op);
    }
    FUZZ_CHECK(counter->dispatch.stats.in_flight == 0);
}

/* --- the counter ------------------------------------------------------------------------------ */

void counter_open(struct counter *counter, struct store *store, int64_t now_us)
{
    *counter = (struct counter){.store = store, .now_us = now_us, .sweep_max = 1000};
    counter_take_workers(counter);
    counter->keyring = keyring_create(COUNTER_ID_KEY);
    FUZZ_CHECK(counter->keyring != NULL);
    struct dispatch_options options = {
        .committer = &committer,
        .keyring = counter->keyring,
        .readers = &readers,
        .version = "1.2.3",
        .started_at_us = 1000000,
        .currency = "USD",
    };
    dispatch_init(&counter->dispatch, &options, COUNTER_ID_KEY);
}

void counter_take_workers(struct counter *counter)
{
    committer.counter = counter;
    readers.counter = counter;
}

void counter_close(struct counter *counter)
{
    FUZZ_CHECK(counter->waiting.count == 0);
    dispatch_done(&counter->dispatch);
    keyring_destroy(counter->keyring);
    free(counter->packed);
}

static void reply_cb(struct request *request)
{
    struct counter *counter = request->door;
    free(counter->packed);
    counter->packed_bytes = billing__v1__response__get_packed_size(&request->response);
    counter->packed = malloc(counter->packed_bytes + 1);
    FUZZ_CHECK(counter->packed != NULL);
    FUZZ_CHECK(billing__v1__response__pack(&request->response, counter->packed) ==
               counter->packed_bytes);
    counter->answers++;
    request_free(request);
}

Billing__V1__Response *counter_call(struct counter *counter, const uint8_t *packed, size_t size)
{
    static const struct identity somebody = {.name = SLICE("fuzz"), .role = ROLE_ADMIN};
    uint64_t before = counter->answers;
    struct request *request =
        request_create(&counter->dispatch, &somebody, REQUEST_ARENA_BYTES_MAX, reply_cb, counter);
    FUZZ_CHECK(request != NULL);
    int rc = request_unpack(request, packed, size);
    if (rc == 0) {
        dispatch_submit(&counter->dispatch, request);
    } else {
        dispatch_refuse(request, rc, "not unpacked");
    }
    counter_run(counter);
    FUZZ_CHECK(counter->answers == before + 1);
    Billing__V1__Response *response =
        billing__v1__response__unpack(NULL, counter->packed_bytes, counter->packed);
    FUZZ_CHECK(response != NULL);
    return response;
}

struct store_info counter_info(struct counter *counter)
{
    struct store_info info;
    struct store_view *view;
    FUZZ_CHECK(store_snapshot(counter->store, &view) == 0);
    FUZZ_CHECK(store_info(view, &info) == 0);
    store_release(view);
    return info;
}
