/* Verifying segments by themselves: that there are those that the manifest has and no others, that
 * their chunks are whole, all there, and in order. */
#pragma once

#include "billingd/store/lmdb/verify_state.h"

/* A chunk that is whole; of a segment all in order, but for those that are not. */
typedef int (*verify_chunk_fn)(struct verify *verify, const struct segment_chunk *chunk, void *arg);

struct verify_chunks {
    const struct segment *segment;
    bool tell; /* of what is wrong, the first time */
    verify_chunk_fn chunk_cb;
    void *arg;
    bool lost[SEGMENT_FILTER + 1]; /* out: not all chunks of the table can be read */
};

/* Walk through a segment.  Returns 0, what a callback returns, or the status of a failed read. */
MUSTCHECK int verify_chunks(struct verify *verify, struct verify_chunks *chunks);

/* That the manifest has what it should, and that no chunk is of a segment that it has not.  Returns
 * likewise, or STATUS_NO_MEMORY. */
MUSTCHECK int verify_manifest(struct verify *verify);

/* What TABLE is called in findings. */
const char *verify_table_name(enum segment_table table);

/* Whether row B of TABLE may come right behind A: of sums, several may be equal. */
bool verify_in_order(enum segment_table table, const void *a, const void *b);
