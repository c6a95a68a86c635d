#include "billingd/rpc/key_log.h"

#include "billingd/base/clock.h"
#include "billingd/ledger/api_key.h"

enum {
    WRITE_EVERY_S = 60,
};

static struct key_log *log_of_op(struct op *op)
{
    return (struct key_log *)(void *)((char *)op - offsetof(struct key_log, op));
}

/* --- committer thread ------------------------------------------------------------------------- */

static int announce_op(struct op *op, struct store_txn *txn)
{
    (void)op;
    (void)txn;
    return 0;
}

static int apply_op(struct op *op, struct store_txn *txn, const struct ledger_env *env)
{
    struct key_log *log = log_of_op(op);
    (void)env;
    int rc = api_key_note_uses(txn, log->uses, log->n, SLICE("billingd"));
    op->records = rc == 0;
    return rc;
}

/* --- loop thread ------------------------------------------------------------------------------ */

/* What could not be written is tried again when its time has come. */
static void done_op(struct op *op)
{
    struct key_log *log = log_of_op(op);
    log->writing = false;
    if (op->status == 0) {
        keyring_note_written(log->keyring, log->uses, log->n);
    }
}

void key_log_init(struct key_log *log, struct keyring *keyring, struct committer *committer)
{
    *log = (struct key_log){.keyring = keyring, .committer = committer};
}

static void submit(struct key_log *log)
{
    log->op = (struct op){
        .bytes = sizeof *log,
        .announce = announce_op,
        .apply = apply_op,
        .done = done_op,
    };
    log->writing = committer_submit(log->committer, &log->op) == 0; /* busy: the next time */
}

void key_log_write(struct key_log *log)
{
    if (log->writing || !keyring_is_due(log->keyring)) {
        return;
    }
    int64_t now_us = clock_monotonic_us();
    if (now_us < log->next_us) {
        return;
    }
    log->next_us = now_us + INT64_C(1000000) * WRITE_EVERY_S;
    log->n = keyring_take_due(log->keyring, false, log->uses);
    if (log->n > 0) {
        submit(log);
    }
}

void key_log_close(struct key_log *log)
{
    if (log->writing) {
        return;
    }
    log->n = keyring_take_due(log->keyring, true, log->uses);
    if (log->n > 0) {
        submit(log);
    }
}
