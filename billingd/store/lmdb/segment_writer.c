#include "billingd/store/lmdb/segment_writer.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/failpoint.h"
#include "billingd/store/lmdb/filter.h"
#include "billingd/store/lmdb/slice.h"

enum {
    ROW_ALIGNMENT = 16, /* of the rows of a chunk in the slice: no type of theirs needs more */
};

/* --- what is written -------------------------------------------------------------------------- */

static int put_row(void *arg, MDB_txn *txn)
{
    const struct segment_writer *writer = arg;
    FAILPOINT("before_slice");
    return manifest_put(writer->env, txn, &writer->segment);
}

static int put_slice(void *arg, MDB_txn *txn)
{
    const struct segment_writer *writer = arg;
    int rc = 0;
    for (size_t i = 0; i < writer->n_chunks && rc == 0; i++) {
        const struct slice_chunk *chunk = &writer->chunks[i];
        struct segment_chunk rows = {
            .segment = writer->segment.id,
            .table = chunk->table,
            .number = chunk->number,
            .rows = writer->bytes + chunk->offset,
            .n = chunk->n,
        };
        rc = segment_put(writer->env, txn, &rows);
    }
    FAILPOINT("before_slice");
    return rc;
}

/* --- begin and end ---------------------------------------------------------------------------- */

int segment_writer_begin(struct segment_writer *writer, const struct env *env, struct turn *turn,
                         const struct segment *segment, uint64_t requests, size_t slice_bytes)
{
    REQUIRE(slice_bytes >= SEGMENT_CHUNK_BYTES);
    *writer = (struct segment_writer){
        .env = env, .turn = turn, .segment = *segment, .bytes_max = slice_bytes};
    writer->segment.state = SEGMENT_BUILDING;
    writer->segment.filter_blocks = filter_blocks(requests);
    /* A chunk is cut short only where a table or the slice ends. */
    writer->chunks_max = slice_bytes / (SEGMENT_CHUNK_BYTES / 2) + SEGMENT_FILTER + 1;
    writer->filter = calloc(writer->segment.filter_blocks, FILTER_BLOCK_BYTES);
    writer->bytes =
        malloc(slice_bytes + (size_t)2 * SEGMENT_CHUNK_BYTES); /* the last may reach over */
    writer->chunks = calloc(writer->chunks_max, sizeof *writer->chunks);
    if (writer->filter == NULL || writer->bytes == NULL || writer->chunks == NULL) {
        return STATUS_NO_MEMORY;
    }
    int rc = slice_write_now(env, turn, put_row, writer);
    FAILPOINT("after_slice");
    return rc;
}

void segment_writer_done(struct segment_writer *writer)
{
    free(writer->filter);
    free(writer->bytes);
    free(writer->chunks);
    *writer = (struct segment_writer){0};
}

/* --- rows ------------------------------------------------------------------------------------- */

static void count(struct segment *segment, enum segment_table table)
{
    segment->n_requests += table == SEGMENT_REQUESTS;
    segment->n_usage += table == SEGMENT_USAGE;
    segment->n_late += table == SEGMENT_LATE;
    segment->n_sums += table == SEGMENT_SUMS;
}

static struct slice_chunk *open_chunk(struct segment_writer *writer, enum segment_table table,
                                      size_t offset)
{
    REQUIRE(writer->n_chunks < writer->chunks_max);
    struct slice_chunk *chunk = &writer->chunks[writer->n_chunks];
    *chunk = (struct slice_chunk){
        .table = table,
        .number = writer->next_number,
        .offset = (offset + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT,
    };
    writer->n_chunks++;
    writer->next_number++;
    return chunk;
}

/* The chunk that the next row of TABLE goes to. */
static struct slice_chunk *chunk_for(struct segment_writer *writer, enum segment_table table)
{
    if (writer->n_chunks == 0) {
        return open_chunk(writer, table, 0);
    }
    struct slice_chunk *last = &writer->chunks[writer->n_chunks - 1];
    if (last->table == table && last->n < segment_chunk_rows(table)) {
        return last;
    }
    return open_chunk(writer, table, last->offset + last->n * segment_row_bytes(last->table));
}

static void add(struct segment_writer *writer, enum segment_table table, const void *row,
                bool *ret_full)
{
    size_t bytes = segment_row_bytes(table);
    struct slice_chunk *chunk = chunk_for(writer, table);
    size_t at = chunk->offset + chunk->n * bytes;
    memcpy(writer->bytes + at, row, bytes);
    chunk->n++;
    /* A filter's chunks are to be whole, all but the last. */
    bool may_end = table != SEGMENT_FILTER || chunk->n == segment_chunk_rows(table);
    *ret_full = at + bytes >= writer->bytes_max && may_end;
}

void segment_writer_add(struct segment_writer *writer, enum segment_table table, const void *row,
                        bool *ret_full)
{
    if (table == SEGMENT_REQUESTS) {
        const struct request_row *request = row;
        uint64_t block = filter_block_of(request->high, writer->segment.filter_blocks);
        filter_add(writer->filter + block * FILTER_BLOCK_BYTES, request->low);
    }
    count(&writer->segment, table);
    add(writer, table, row, ret_full);
}

int segment_writer_flush(struct segment_writer *writer)
{
    if (writer->n_chunks == 0) {
        return 0;
    }
    int rc = slice_write(writer->env, writer->turn, put_slice, writer);
    FAILPOINT("after_slice");
    writer->n_chunks = rc == 0 ? 0 : writer->n_chunks;
    return rc;
}

/* --- the end ---------------------------------------------------------------------------------- */

static int write_filter(struct segment_writer *writer)
{
    for (uint64_t i = 0; i < writer->segment.filter_blocks; i++) {
        bool full;
        add(writer, SEGMENT_FILTER, writer->filter + i * FILTER_BLOCK_BYTES, &full);
        if (full) {
            int rc = segment_writer_flush(writer);
            if (rc < 0) {
                return rc;
            }
        }
    }
    return segment_writer_flush(writer);
}

struct end {
    struct segment_writer *writer;
    const struct segment *replaced;
    size_t n;
};

static int put_end(void *arg, MDB_txn *txn)
{
    const struct end *end = arg;
    int rc = put_row(end->writer, txn);
    for (size_t i = 0; i < end->n && rc == 0; i++) {
        struct segment doomed = end->replaced[i];
        doomed.state = SEGMENT_DOOMED;
        rc = manifest_put(end->writer->env, txn, &doomed);
    }
    return rc;
}

int segment_writer_finish(struct segment_writer *writer, const struct segment *replaced, size_t n)
{
    struct end end = {writer, replaced, n};
    int rc = write_filter(writer);
    if (rc < 0) {
        return rc;
    }
    writer->segment.state = SEGMENT_LIVE;
    FAILPOINT("before_live"); /* all of it is written, and nobody reads it */
    rc = slice_write_now(writer->env, writer->turn, put_end, &end);
    FAILPOINT("after_slice");
    return rc;
}
