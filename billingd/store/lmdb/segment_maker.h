/* Making one segment out of sorted rows: of runs, or of segments that it takes the place of.  Slice
 * by slice; between two of them somebody else has his turn.  Sealer thread. */
#pragma once

#include "billingd/store/lmdb/head.h"
#include "billingd/store/lmdb/open_filter.h"
#include "billingd/store/lmdb/segment_writer.h"

struct segment_job {
    /* --- not owned --- */
    const struct env *env;
    struct turn *turn;
    struct filter_shelf *shelf; /* where its filter is laid before it counts */
    size_t slice_bytes;
    /* After each slice, with ARG.  Returns 0 to go on, or a status with which to end. */
    int (*between)(void *arg);
    void *arg;
    /* Either runs, */
    const struct head_list *runs;
    /* or segments, which are read in a transaction that is taken up anew after each slice, lest
     * the pages that are freed meanwhile wait for it. */
    const struct segment *segments;
    size_t n_segments;

    /* --- while it is made --- */
    struct segment_writer writer;
    MDB_txn *txn; /* owned; NULL: there is none */
};

/* Make SEGMENT, whose id, level, first_seq and last_seq are set, for about REQUESTS request ids,
 * out of what JOB has.  Where it fails, what is written is BUILDING.  Returns 0, STATUS_CORRUPT,
 * STATUS_NO_MEMORY, as segment_writer_flush(), or what between() ended it with. */
MUSTCHECK int segment_make(struct segment_job *job, const struct segment *segment,
                           uint64_t requests);
