#include "billingd/store/lmdb/verify_segments.h"

#include <inttypes.h>
#include <stdlib.h>

#include "billingd/store/lmdb/row_merge.h"

const char *verify_table_name(enum segment_table table)
{
    static const char *const names[] = {
        [SEGMENT_REQUESTS] = "request ids", [SEGMENT_USAGE] = "usage",
        [SEGMENT_LATE] = "late usage",      [SEGMENT_SUMS] = "sums",
        [SEGMENT_FILTER] = "filter",
    };
    return names[table];
}

bool verify_in_order(enum segment_table table, const void *a, const void *b)
{
    int order = row_compare(table, a, b);
    return order < 0 || (order == 0 && table == SEGMENT_SUMS);
}

/* --- chunks ----------------------------------------------------------------------------------- */

/* Where a walk is. */
struct walk {
    struct verify *verify;
    struct verify_chunks *chunks;
    uint64_t next_number;
    enum segment_table table; /* of the last chunk that was whole; 0: none was */
    _Alignas(struct sum_row) uint8_t last[sizeof(struct sum_row)]; /* its last row, of any table */
    void *room; /* owned: where rows are unpacked */
    uint64_t counts[SEGMENT_FILTER + 1];
};

static struct verify_place place_of(const struct walk *walk, enum segment_table table,
                                    int64_t chunk)
{
    return (struct verify_place){
        .table = table == 0 ? "segments" : verify_table_name(table),
        .segment = walk->chunks->segment->id,
        .chunk = chunk,
    };
}

/* Chunks NUMBER and on are missing, up to that of TABLE with END; they may be of any table from
 * that of the last chunk on. */
static int lose_chunks(struct walk *walk, enum segment_table table, uint64_t end)
{
    struct verify_place place = place_of(walk, (enum segment_table)0, (int64_t)walk->next_number);
    uint64_t missing = end - walk->next_number;
    enum segment_table first = walk->table == 0 ? SEGMENT_REQUESTS : walk->table;
    for (enum segment_table i = first; i <= table; i++) {
        walk->chunks->lost[i] = true;
    }
    place.rows = missing;
    return walk->chunks->tell ? verify_found(walk->verify, STORE_MISSING, place,
                                             "segment %" PRIu64 " lacks %" PRIu64
                                             " chunks from number %" PRIu64 " on",
                                             walk->chunks->segment->id, missing, walk->next_number)
                              : 0;
}

/* That the rows of CHUNK go on behind LAST, unless that is NULL. */
static int check_order(struct walk *walk, const struct segment_chunk *chunk, const uint8_t *last)
{
    size_t bytes = segment_row_bytes(chunk->table);
    const uint8_t *rows = chunk->rows;
    if (chunk->table == SEGMENT_FILTER || !walk->chunks->tell) {
        return 0;
    }
    for (size_t i = 0; i < chunk->n; i++) {
        const uint8_t *row = rows + i * bytes;
        if (last != NULL && !verify_in_order(chunk->table, last, row)) {
            return verify_found(walk->verify, STORE_WRONG,
                                place_of(walk, chunk->table, chunk->number),
                                "row %zu of chunk %" PRIu32 " of segment %" PRIu64
                                " does not come behind the one before it",
                                i, chunk->number, chunk->segment);
        }
        last = row;
    }
    return 0;
}

/* That the rows of CHUNK go on where the last one ended. */
static int follow(struct walk *walk, const struct segment_chunk *chunk)
{
    size_t bytes = segment_row_bytes(chunk->table);
    int rc = check_order(walk, chunk, walk->table == chunk->table ? walk->last : NULL);
    walk->table = chunk->table;
    memcpy(walk->last, (const uint8_t *)chunk->rows + (chunk->n - 1) * bytes, bytes);
    return rc;
}

static int take_chunk(struct walk *walk, const struct segment_chunk *chunk)
{
    int rc = 0;
    if (chunk->number > walk->next_number) {
        rc = lose_chunks(walk, chunk->table, chunk->number);
    } else if (chunk->number < walk->next_number && walk->chunks->tell) {
        rc = verify_found(walk->verify, STORE_WRONG, place_of(walk, chunk->table, chunk->number),
                          "chunk %" PRIu32 " of segment %" PRIu64 " comes behind chunk %" PRIu64,
                          chunk->number, chunk->segment, walk->next_number - 1);
    }
    walk->next_number = (uint64_t)chunk->number + 1;
    walk->counts[chunk->table] += chunk->n;
    if (rc == 0) {
        rc = follow(walk, chunk);
    }
    return rc < 0 ? rc : walk->chunks->chunk_cb(walk->verify, chunk, walk->chunks->arg);
}

static int take_row(struct walk *walk, MDB_val key, MDB_val value)
{
    struct segment_chunk chunk = {0};
    const char *problem;
    if (segment_open_chunk(key, value, walk->room, &chunk, &problem) == 0) {
        return take_chunk(walk, &chunk);
    }
    if (segment_parse_key(key, &chunk) < 0) {
        return 0; /* check_strays() tells of it */
    }
    walk->chunks->lost[chunk.table] = true;
    walk->next_number++;
    return walk->chunks->tell ? verify_found(walk->verify, STORE_DAMAGED,
                                             place_of(walk, chunk.table, chunk.number),
                                             "chunk %" PRIu32 " of segment %" PRIu64 ": %s",
                                             chunk.number, walk->chunks->segment->id, problem)
                              : 0;
}

/* --- segments --------------------------------------------------------------------------------- */

/* That there is what the manifest says there is. */
static int check_counts(struct walk *walk)
{
    int rc = 0;
    const struct verify_chunks *chunks = walk->chunks;
    for (enum segment_table table = SEGMENT_REQUESTS; table <= SEGMENT_FILTER && rc == 0; table++) {
        uint64_t expected = segment_count(chunks->segment, table);
        if (walk->counts[table] != expected && !chunks->lost[table]) {
            rc = verify_found(walk->verify, STORE_WRONG, place_of(walk, table, -1),
                              "by the manifest segment %" PRIu64 " has %" PRIu64
                              " rows of this table, and it has %" PRIu64,
                              chunks->segment->id, expected, walk->counts[table]);
        }
    }
    return rc;
}

/* The last chunks are the filter's, so that one is always there. */
static int check_end(struct walk *walk)
{
    struct verify_chunks *chunks = walk->chunks;
    uint64_t blocks = segment_count(chunks->segment, SEGMENT_FILTER);
    uint64_t full = SEGMENT_FILTER_ROWS;
    uint64_t missing = 0;
    if (walk->counts[SEGMENT_FILTER] < blocks && !chunks->lost[SEGMENT_FILTER]) {
        missing = (blocks - walk->counts[SEGMENT_FILTER] + full - 1) / full;
    }
    if (missing > 0) {
        int rc = lose_chunks(walk, SEGMENT_FILTER, walk->next_number + missing);
        if (rc < 0) {
            return rc;
        }
    }
    return chunks->tell ? check_counts(walk) : 0;
}

static int walk_chunks(struct walk *walk, MDB_cursor *cursor)
{
    uint8_t bytes[SEGMENT_KEY_BYTES];
    uint8_t end_bytes[SEGMENT_KEY_BYTES];
    MDB_val value;
    uint64_t segment = walk->chunks->segment->id;
    MDB_val key = segment_first_key(bytes, segment);
    MDB_val end = segment_first_key(end_bytes, segment + 1);
    int rc = env_status(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
    while (rc == 0 && memcmp(key.mv_data, end.mv_data,
                             key.mv_size < sizeof segment ? key.mv_size : sizeof segment) < 0) {
        rc = take_row(walk, key, value);
        if (rc == 0) {
            rc = env_status(mdb_cursor_get(cursor, &key, &value, MDB_NEXT));
        }
    }
    return rc == STATUS_NOT_FOUND || rc == 0 ? check_end(walk) : rc;
}

int verify_chunks(struct verify *verify, struct verify_chunks *chunks)
{
    MDB_cursor *cursor;
    struct walk walk = {.verify = verify, .chunks = chunks, .room = malloc(SEGMENT_ROOM_BYTES)};
    const struct lmdb_view *view = verify->view;
    if (walk.room == NULL) {
        return STATUS_NO_MEMORY;
    }
    int rc = env_status(mdb_cursor_open(view->txn, view->env->tables[ENV_SEGMENTS], &cursor));
    if (rc == 0) {
        rc = walk_chunks(&walk, cursor);
        mdb_cursor_close(cursor);
    }
    free(walk.room);
    return rc;
}

/* --- the manifest ----------------------------------------------------------------------------- */

/* That the live ones cover the journal, and no more than that. */
static int check_coverage(struct verify *verify)
{
    struct verify_place place = {.table = "manifest", .chunk = -1};
    const struct view_rows *rows = &verify->view->rows;
    uint64_t next_seq = 1;
    for (size_t i = 0; i < rows->segments.n; i++) {
        const struct segment *segment = &rows->segments.segments[i];
        place.segment = segment->id;
        place.seq = next_seq;
        if (segment->first_seq != next_seq || segment->last_seq < segment->first_seq) {
            int rc = verify_found(verify, STORE_WRONG, place,
                                  "segment %" PRIu64 " is to begin with record %" PRIu64
                                  ", and has the records %" PRIu64 " to %" PRIu64,
                                  segment->id, next_seq, segment->first_seq, segment->last_seq);
            if (rc < 0) {
                return rc;
            }
        }
        next_seq = segment->last_seq + 1;
    }
    return 0;
}

static bool has_segment(const struct manifest *manifest, uint64_t id)
{
    bool found = false;
    for (size_t i = 0; i < manifest->n && !found; i++) {
        found = manifest->segments[i].id == id;
    }
    return found;
}

/* From segment to segment, of those that have chunks. */
static int check_strays(struct verify *verify, const struct manifest *manifest, MDB_cursor *cursor)
{
    uint8_t bytes[SEGMENT_KEY_BYTES];
    MDB_val key = segment_first_key(bytes, 0);
    MDB_val value;
    struct segment_chunk chunk;
    struct verify_place place = {.table = "segments", .chunk = -1};
    int rc = env_status(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
    while (rc == 0) {
        MDB_cursor_op next = MDB_NEXT;
        if (segment_parse_key(key, &chunk) < 0) {
            rc = verify_found(verify, STORE_DAMAGED, place,
                              "there is a row under a key of %zu bytes, which is none of a chunk",
                              key.mv_size);
        } else if (!has_segment(manifest, chunk.segment)) {
            place.segment = chunk.segment;
            rc = verify_found(verify, STORE_SURPLUS, place,
                              "there are chunks of segment %" PRIu64
                              ", which is not in the manifest",
                              chunk.segment);
            key = segment_first_key(bytes, chunk.segment + 1);
            next = chunk.segment == UINT64_MAX ? MDB_NEXT : MDB_SET_RANGE;
        } else {
            key = segment_first_key(bytes, chunk.segment + 1);
            next = chunk.segment == UINT64_MAX ? MDB_NEXT : MDB_SET_RANGE;
        }
        if (rc == 0) {
            rc = env_status(mdb_cursor_get(cursor, &key, &value, next));
        }
    }
    return rc == STATUS_NOT_FOUND ? 0 : rc;
}

int verify_manifest(struct verify *verify)
{
    MDB_cursor *cursor;
    struct manifest manifest = {0};
    const struct lmdb_view *view = verify->view;
    int rc = check_coverage(verify);
    if (rc == 0) {
        rc = manifest_read(view->env, view->txn, &manifest);
    }
    if (rc < 0) {
        return rc;
    }
    verify->result.rows += manifest.n;
    rc = env_status(mdb_cursor_open(view->txn, view->env->tables[ENV_SEGMENTS], &cursor));
    if (rc == 0) {
        rc = check_strays(verify, &manifest, cursor);
        mdb_cursor_close(cursor);
    }
    manifest_done(&manifest);
    return rc;
}
