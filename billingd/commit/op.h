/* One piece of work on its way from the loop thread to a worker and back.
 *
 * Embedded in what asks for it, so that handing it over allocates nothing.  Ownership moves with
 * the pointer: between submit and done the loop thread does not look at it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "billingd/ledger/env.h"
#include "billingd/store/store.h"

enum {
    OP_ASKERS_MAX = 1024, /* that are told apart at a time */
};

struct op {
    struct op *next;     /* in whichever list holds it */
    size_t bytes;        /* memory that it keeps while it waits: counts against the queue's bound */
    int64_t deadline_us; /* monotonic; not begun after it; 0: none */
    bool heavy;          /* its query may take seconds: never all readers are at such */
    bool viewless;       /* its query looks at no record, and is given no view */
    bool in_order;       /* on its way back it overtakes nothing, and nothing overtakes it */
    unsigned asker;      /* who asks, below OP_ASKERS_MAX: queues are shared out by it */

    /* Committer thread: name the request ids that apply will look up.  May be called again for
     * another transaction.  Returns 0 or the store's error. */
    int (*announce)(struct op *op, struct store_txn *txn);

    /* Committer thread: check, then append to TXN.  Returns 0, also where the rules refused; or
     * the store's error, and then TXN is aborted and apply may be called again for another. */
    int (*apply)(struct op *op, struct store_txn *txn, const struct ledger_env *env);

    /* Reader thread: answer from VIEW, NULL where it is viewless.  Returns 0 or a STATUS_*. */
    int (*query)(struct op *op, struct store_view *view, const struct ledger_env *env);

    /* Loop thread: it is over, and belongs to the submitter again.  Always called, also at
     * shutdown. */
    void (*done)(struct op *op);

    int status;       /* for done: 0, or why it was not carried out */
    unsigned records; /* set by apply: how many it appended */
};

/* A list that is filled at its end and emptied as a whole. */
struct op_list {
    struct op *first;
    struct op *last;
    size_t count;
    size_t bytes;
};

/* Put OP at the end. */
void op_list_push(struct op_list *list, struct op *op);

/* Take the first, or NULL. */
struct op *op_list_pop(struct op_list *list);

/* Move all of FROM behind TO. */
void op_list_append(struct op_list *to, struct op_list *from);
