#include "tests/lib/committer_rig.h"

#include <stdio.h>

static struct work *work_of(struct op *op)
{
    return (struct work *)(void *)op;
}

static int announce_cb(struct op *op, struct store_txn *txn)
{
    (void)txn;
    return work_of(op)->announce_status;
}

static int apply_cb(struct op *op, struct store_txn *txn, const struct ledger_env *env)
{
    struct work *work = work_of(op);
    char id[32];
    work->applied++;
    work->env = *env;
    for (unsigned i = 0; i < work->records; i++) {
        int length = snprintf(id, sizeof id, "%d/%u", work->id, i);
        struct record record = {
            .kind = RECORD_CUSTOMER_CREATED,
            .request_id = {id, (size_t)length},
            .customer_created = {.name = SLICE("A")},
        };
        int rc = store_append(txn, &record);
        if (rc < 0) {
            return rc;
        }
        work->last_seq = record.seq;
        op->records++;
    }
    return work->apply_status;
}

static void done_cb(struct op *op)
{
    struct work *work = work_of(op);
    work->done++;
    work->rig->done_ids[work->rig->n_done++] = work->id;
}

static void never_failed_cb(int status, void *arg)
{
    (void)status;
    (void)arg; /* the committer aborts behind it */
}

struct committer_options roomy(void)
{
    return (struct committer_options){
        .env = {.currency = "USD", .minor_digits = 2},
        .queue_ops_max = 100000,
        .queue_bytes_max = 1000000,
        .group_ops_max = 100000,
        .group_bytes_max = 1000000,
        .failed = never_failed_cb,
    };
}

struct rig *rig_open(struct committer_options options)
{
    struct rig *rig = testkit_alloc(sizeof *rig);
    rig->memory = memory_store_create();
    bell_init(&rig->bell);
    completions_init(&rig->completions, bell_ring, &rig->bell);
    options.store = memory_store_handle(rig->memory);
    options.completions = &rig->completions;
    assert_ok(committer_create(&options, &rig->committer));
    return rig;
}

void rig_close(struct rig *rig)
{
    committer_destroy(rig->committer);
    completions_drain(&rig->completions);
    completions_done(&rig->completions);
    bell_done(&rig->bell);
    memory_store_destroy(rig->memory);
}

struct work *make_works(struct rig *rig, size_t n)
{
    struct work *works = testkit_alloc(n * sizeof *works);
    for (size_t i = 0; i < n; i++) {
        works[i] = (struct work){
            .op = {.bytes = 10, .announce = announce_cb, .apply = apply_cb, .done = done_cb},
            .rig = rig,
            .id = (int)i,
            .records = 1,
        };
    }
    return works;
}

void submit_all(struct rig *rig, struct work *works, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_ok(committer_submit(rig->committer, &works[i].op));
    }
    committer_flush(rig->committer, COMMITTER_ALONE);
}

void drain_until(struct rig *rig, size_t n_done)
{
    committer_flush(rig->committer, COMMITTER_ALONE);
    while (rig->n_done < n_done) {
        bell_wait(&rig->bell);
        completions_drain(&rig->completions);
    }
}

void submit_behind_first(struct rig *rig, struct work *works, size_t n)
{
    memory_store_hold_commits(rig->memory);
    submit_all(rig, works, 1);
    memory_store_wait_held(rig->memory);
    submit_all(rig, works + 1, n - 1);
}

void assert_in_order(const struct rig *rig, size_t n)
{
    assert_u64(rig->n_done, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(rig->done_ids[i], i);
    }
}

uint64_t commits(struct rig *rig)
{
    return memory_store_counts(rig->memory).calls[MEMORY_COMMIT];
}
