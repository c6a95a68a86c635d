/* A committer over a store in memory, whose commits stand at a gate, and ops that do at their turn
 * what a test has told them. */
#pragma once

#include "billingd/commit/committer.h"
#include "tests/lib/bell.h"
#include "tests/lib/memory_store.h"
#include "tests/lib/testkit.h"

enum {
    WORK_MAX = 4096,
};

struct rig {
    struct memory_store *memory;
    struct bell bell;
    struct completions completions;
    struct committer *committer;
    int done_ids[WORK_MAX]; /* in the order in which they were done */
    size_t n_done;
};

/* What an op of a test does when it is its turn. */
struct work {
    struct op op;
    struct rig *rig;
    int id;
    unsigned records;    /* to append */
    int apply_status;    /* returned instead, behind the appends */
    int announce_status; /* likewise */
    /* --- seen --- */
    unsigned applied; /* how often */
    unsigned done;
    struct ledger_env env;
    uint64_t last_seq;
};

/* Bounds that no test meets by accident. */
struct committer_options roomy(void);

struct rig *rig_open(struct committer_options options);
void rig_close(struct rig *rig);

/* N ops of asker 0 that append one record each; the testkit frees them. */
struct work *make_works(struct rig *rig, size_t n);

/* Submit and flush WORKS. */
void submit_all(struct rig *rig, struct work *works, size_t n);

/* Flush, and wait until so many are done. */
void drain_until(struct rig *rig, size_t n_done);

/* Submit the first of N, and when its commit stands at the gate the others: they wait together. */
void submit_behind_first(struct rig *rig, struct work *works, size_t n);

/* N are done, in the order of their ids. */
void assert_in_order(const struct rig *rig, size_t n);

/* That the store was asked for. */
uint64_t commits(struct rig *rig);
