/* Writing a segment, slice by slice: each rides along with a commit, or is a write transaction of
 * its own in turn with the committer's, and small enough that nobody waits long for it (slice.h).
 *
 *   segment_writer_begin .. (segment_writer_add .. segment_writer_flush)
 *   .. segment_writer_complete .. segment_writer_finish
 *
 * Until it is finished, the segment is BUILDING in the manifest: nobody reads it, and a start
 * removes it.  Sealer thread. */
#pragma once

#include "billingd/store/lmdb/chunk_builder.h"
#include "billingd/store/lmdb/manifest.h"
#include "billingd/store/lmdb/turn.h"

/* A chunk that is whole. */
struct slice_chunk {
    uint8_t key[SEGMENT_KEY_BYTES];
    size_t offset; /* in the slice */
    size_t length;
};

struct segment_writer {
    const struct env *env;
    struct turn *turn;
    struct segment segment; /* what is written so far */
    uint8_t *filter;        /* owned: filter_blocks of them */

    /* --- the slice: whole chunks, and behind them the one that fills --- */
    uint8_t *bytes; /* owned */
    size_t bytes_max;
    size_t n_bytes;             /* of whole chunks */
    struct slice_chunk *chunks; /* owned */
    size_t n_chunks;
    size_t chunks_max;
    struct chunk_builder builder;
    bool is_filling;      /* it has a chunk */
    bool is_complete;     /* all rows and the filter are written */
    uint32_t next_number; /* of a chunk */
};

/* Begin SEGMENT, whose id, level, first_seq and last_seq are set, for about REQUESTS request ids,
 * in slices of SLICE_BYTES (at least a chunk).  Returns 0, STATUS_NO_MEMORY, or what the commit of
 * its row in the manifest returned.  However it ends, call segment_writer_done(). */
MUSTCHECK int segment_writer_begin(struct segment_writer *writer, const struct env *env,
                                   struct turn *turn, const struct segment *segment,
                                   uint64_t requests, size_t slice_bytes);
void segment_writer_done(struct segment_writer *writer);

/* Add ROW, in the order of its TABLE; tables in the order of their numbers.  *RET_FULL: the slice
 * is to be flushed before the next row. */
void segment_writer_add(struct segment_writer *writer, enum segment_table table, const void *row,
                        bool *ret_full);

/* Write the slice.  Returns 0, STATUS_STORAGE_FULL with nothing of it written, or
 * STATUS_STORAGE_FAILED. */
MUSTCHECK int segment_writer_flush(struct segment_writer *writer);

/* Write what is left and the filter: all is there, though nobody reads it yet.  Returns as
 * segment_writer_flush(). */
MUSTCHECK int segment_writer_complete(struct segment_writer *writer);

/* Complete it where it is not, then make the segment LIVE and the N segments of REPLACED, which it
 * takes the place of, DOOMED: in one commit.  Returns as segment_writer_flush(). */
MUSTCHECK int segment_writer_finish(struct segment_writer *writer, const struct segment *replaced,
                                    size_t n);
