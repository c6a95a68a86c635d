#include "billingd/store/lmdb/recovery.h"

#include <inttypes.h>

#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/journal.h"

enum {
    RUN_RECORDS_MAX = 32 * 1024, /* of the runs that are made here */
    /* What may wait in the head where there is no room for its segment: more than it had when the
     * store ran last. */
    UNSEALED_HEADS = 4,
    UNSEALED_RECORDS = 128 * 1024,
};

struct recovery {
    const struct recovery_options *options;
    struct head *head;
    struct run_builder builder;
    struct journal_reader voided; /* finds what a void voids, beside the scan */
    uint64_t last_block;          /* its first record: a view sees no run that begins behind it */
    uint64_t last_seq;            /* that is in the head */
    uint64_t seq;                 /* of the record that was read last */
};

/* Make a run of what was collected. */
static int end_run(struct recovery *recovery)
{
    struct run *run;
    if (run_builder_count(&recovery->builder) == 0) {
        return 0;
    }
    int rc = run_build(&recovery->builder, &run);
    if (rc < 0) {
        return rc;
    }
    uint64_t last_seq = run->last_seq;
    rc = head_publish(recovery->head, run);
    if (rc < 0) {
        run_release(run);
        return rc;
    }
    head_settle(recovery->head);
    head_tidy(recovery->head);
    recovery->last_seq = last_seq;
    run_builder_reset(&recovery->builder, last_seq + 1);
    if (recovery->options->progress != NULL) {
        recovery->options->progress(last_seq, recovery->options->progress_arg);
    }
    return 0;
}

/* Whether HEAD may grow though it cannot be sealed. */
static bool has_room(struct head *head)
{
    return head_active(head) <= UNSEALED_HEADS * head->records_max + UNSEALED_RECORDS;
}

/* Whether what was collected is to become a run. */
static bool is_enough(const struct recovery *recovery)
{
    return run_builder_count(&recovery->builder) >= RUN_RECORDS_MAX &&
           recovery->seq < recovery->last_block;
}

static int add_rows(struct recovery *recovery, const struct record *record,
                    const struct record *voided)
{
    struct request_row request;
    bool has_request = run_builder_request(&recovery->builder, record, &request);
    int rc = run_builder_add(&recovery->builder, record, has_request ? &request : NULL, voided);
    return rc == 0 && has_request ? head_note(recovery->head, request) : rc;
}

static int add_record(const struct record *record, void *arg)
{
    struct recovery *recovery = arg;
    struct record voided;
    bool is_void = record->kind == RECORD_USAGE_VOIDED;
    int rc = 0;
    recovery->seq = record->seq;
    if (is_void) {
        rc = journal_record(&recovery->voided, record->usage_voided.usage, &voided);
    }
    if (rc == 0) {
        rc = add_rows(recovery, record, is_void ? &voided : NULL);
    }
    if (rc < 0 || !is_enough(recovery)) {
        return rc == STATUS_NOT_FOUND ? STATUS_CORRUPT : rc;
    }
    rc = end_run(recovery);
    return rc == 0 && (head_freeze(recovery->head) || !has_room(recovery->head)) ? STORE_SCAN_STOP
                                                                                 : rc;
}

/* Read on until the head is full.  *RET_END: there is nothing more. */
static int fill_head(const struct env *env, struct recovery *recovery, bool *ret_end)
{
    MDB_txn *txn;
    int rc = env_status(mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn));
    if (rc < 0) {
        return rc;
    }
    struct journal_reader reader = {.env = env, .txn = txn};
    recovery->voided = reader;
    rc = journal_last_block(&reader, &recovery->last_block);
    if (rc == 0) {
        rc = journal_scan(&reader, recovery->last_seq, add_record, recovery);
    }
    if (rc == STATUS_CORRUPT && reader.damaged != 0) {
        recovery->seq = reader.damaged;
    }
    mdb_txn_abort(txn);
    if (rc < 0) {
        return rc;
    }
    *ret_end = rc == 0;
    rc = end_run(recovery);
    if (rc == 0) {
        IGNORE(head_freeze(recovery->head)); /* what is full is sealed, here or by the thread */
    }
    return rc;
}

static int fill_and_seal(const struct env *env, struct recovery *recovery, struct sealer *sealer)
{
    bool end = false;
    int rc = 0;
    while (!end && rc == 0) {
        rc = fill_head(env, recovery, &end);
        if (rc == 0) {
            rc = sealer_seal(sealer);
        }
        if (rc == STATUS_STORAGE_FULL && has_room(recovery->head)) {
            rc = 0; /* a full disk keeps nobody from reading; the thread will try again */
        }
    }
    return rc;
}

int recovery_run(const struct recovery_options *options, struct head *head, struct sealer *sealer,
                 struct errinfo *reason)
{
    const struct env *env = options->env;
    struct recovery recovery = {.options = options, .head = head, .last_seq = head->sealed_seq};
    run_builder_init(&recovery.builder, options->id_key);
    run_builder_reset(&recovery.builder, recovery.last_seq + 1);
    int rc = fill_and_seal(env, &recovery, sealer);
    run_builder_done(&recovery.builder);
    if (rc == STATUS_CORRUPT) {
        return errinfo_set(reason, rc,
                           "'%.120s/data.mdb' is damaged: record %" PRIu64
                           " of the journal, or what it refers to; restore a backup",
                           env->directory, recovery.seq);
    }
    return rc < 0 ? errinfo_set(reason, rc, "cannot read the journal of '%.120s/data.mdb': %s",
                                env->directory, status_info(rc)->title)
                  : 0;
}
