#include "billingd/store/lmdb/segment_writer.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/failpoint.h"
#include "billingd/store/lmdb/filter.h"
#include "billingd/store/lmdb/slice.h"

enum {
    CHUNK_BYTES_LEAST = 4096 - 16, /* a chunk fills a page */
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
        rc =
            segment_put(writer->env, txn, chunk->key, writer->bytes + chunk->offset, chunk->length);
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
    writer->chunks_max = slice_bytes / CHUNK_BYTES_LEAST + 2;
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

/* The chunk that fills is whole. */
static void end_chunk(struct segment_writer *writer)
{
    REQUIRE(writer->n_chunks < writer->chunks_max);
    struct slice_chunk *chunk = &writer->chunks[writer->n_chunks];
    chunk->offset = writer->n_bytes;
    chunk->length =
        chunk_builder_end(&writer->builder, writer->segment.id, writer->next_number, chunk->key);
    writer->n_bytes += chunk->length;
    writer->n_chunks++;
    writer->next_number++;
    writer->is_filling = false;
}

static void begin_chunk(struct segment_writer *writer, enum segment_table table)
{
    chunk_builder_begin(&writer->builder, table, writer->bytes + writer->n_bytes);
    writer->is_filling = true;
}

static void add(struct segment_writer *writer, enum segment_table table, const void *row,
                bool *ret_full)
{
    if (writer->is_filling && writer->builder.table != table) {
        end_chunk(writer);
    }
    if (!writer->is_filling) {
        begin_chunk(writer, table);
    }
    if (!chunk_builder_add(&writer->builder, row)) {
        end_chunk(writer);
        begin_chunk(writer, table);
        INVARIANT(chunk_builder_add(&writer->builder, row));
    }
    /* A filter's chunks are to be whole, all but the last. */
    bool may_end = table != SEGMENT_FILTER || writer->builder.n == SEGMENT_FILTER_ROWS;
    *ret_full = writer->n_bytes + writer->builder.length >= writer->bytes_max && may_end;
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
    if (writer->is_filling) {
        end_chunk(writer);
    }
    if (writer->n_chunks == 0) {
        return 0;
    }
    int rc = slice_write(writer->env, writer->turn, put_slice, writer);
    FAILPOINT("after_slice");
    if (rc == 0) {
        writer->n_chunks = 0;
        writer->n_bytes = 0;
    }
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

int segment_writer_complete(struct segment_writer *writer)
{
    int rc = write_filter(writer);
    writer->is_complete = rc == 0;
    return rc;
}

int segment_writer_finish(struct segment_writer *writer, const struct segment *replaced, size_t n)
{
    struct end end = {writer, replaced, n};
    int rc = writer->is_complete ? 0 : segment_writer_complete(writer);
    if (rc < 0) {
        return rc;
    }
    writer->segment.state = SEGMENT_LIVE;
    FAILPOINT("before_live"); /* all of it is written, and nobody reads it */
    rc = slice_write_now(writer->env, writer->turn, put_end, &end);
    FAILPOINT("after_slice");
    return rc;
}
