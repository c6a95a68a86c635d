#include "billingd/store/lmdb/manifest.h"

#include <inttypes.h>
#include <stdlib.h>

#include <xxhash.h>

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"
#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/keys_lmdb.h"

enum { /* offsets in a row */
       AT_STATE = 0,
       AT_LEVEL = 4,
       AT_FIRST_SEQ = 8,
       AT_LAST_SEQ = 16,
       AT_REQUESTS = 24,
       AT_USAGE = 32,
       AT_LATE = 40,
       AT_SUMS = 48,
       AT_FILTER_BLOCKS = 56,
       AT_CHECKSUM = 64,
       ROW_BYTES = 72,
};

uint64_t segment_count(const struct segment *segment, enum segment_table table)
{
    switch (table) {
    case SEGMENT_REQUESTS:
        return segment->n_requests;
    case SEGMENT_USAGE:
        return segment->n_usage;
    case SEGMENT_LATE:
        return segment->n_late;
    case SEGMENT_SUMS:
        return segment->n_sums;
    case SEGMENT_FILTER:
        break;
    }
    return segment->filter_blocks;
}

int manifest_put(const struct env *env, MDB_txn *txn, const struct segment *segment)
{
    struct key key;
    uint8_t row[ROW_BYTES];
    bytes_put_le32(row + AT_STATE, (uint32_t)segment->state);
    bytes_put_le32(row + AT_LEVEL, segment->level);
    bytes_put_le64(row + AT_FIRST_SEQ, segment->first_seq);
    bytes_put_le64(row + AT_LAST_SEQ, segment->last_seq);
    bytes_put_le64(row + AT_REQUESTS, segment->n_requests);
    bytes_put_le64(row + AT_USAGE, segment->n_usage);
    bytes_put_le64(row + AT_LATE, segment->n_late);
    bytes_put_le64(row + AT_SUMS, segment->n_sums);
    bytes_put_le64(row + AT_FILTER_BLOCKS, segment->filter_blocks);
    bytes_put_le64(row + AT_CHECKSUM, XXH3_64bits_withSeed(row, AT_CHECKSUM, segment->id));
    return env_put(env, txn, ENV_MANIFEST, key_seq(&key, segment->id), row, sizeof row);
}

int manifest_remove(const struct env *env, MDB_txn *txn, uint64_t id)
{
    struct key key;
    return env_delete(env, txn, ENV_MANIFEST, key_seq(&key, id));
}

static int parse(MDB_val key, MDB_val value, struct segment *ret)
{
    const uint8_t *row = value.mv_data;
    uint64_t id;
    int rc = key_parse_seq(key, &id);
    if (rc < 0 || value.mv_size != ROW_BYTES ||
        bytes_get_le64(row + AT_CHECKSUM) != XXH3_64bits_withSeed(row, AT_CHECKSUM, id)) {
        return STATUS_CORRUPT;
    }
    uint32_t state = bytes_get_le32(row + AT_STATE);
    *ret = (struct segment){
        .id = id,
        .state = (enum segment_state)state,
        .level = bytes_get_le32(row + AT_LEVEL),
        .first_seq = bytes_get_le64(row + AT_FIRST_SEQ),
        .last_seq = bytes_get_le64(row + AT_LAST_SEQ),
        .n_requests = bytes_get_le64(row + AT_REQUESTS),
        .n_usage = bytes_get_le64(row + AT_USAGE),
        .n_late = bytes_get_le64(row + AT_LATE),
        .n_sums = bytes_get_le64(row + AT_SUMS),
        .filter_blocks = bytes_get_le64(row + AT_FILTER_BLOCKS),
    };
    return state >= SEGMENT_BUILDING && state <= SEGMENT_DOOMED ? 0 : STATUS_CORRUPT;
}

static int read_rows(MDB_cursor *cursor, struct segment *segments, size_t n)
{
    MDB_val key;
    MDB_val value;
    for (size_t i = 0; i < n; i++) {
        int rc = env_status(mdb_cursor_get(cursor, &key, &value, i == 0 ? MDB_FIRST : MDB_NEXT));
        if (rc == 0) {
            rc = parse(key, value, &segments[i]);
        }
        if (rc < 0) {
            return rc == STATUS_NOT_FOUND ? STATUS_CORRUPT : rc;
        }
    }
    return 0;
}

/* Live ones follow on each other in the journal.  By id they need not: a merged one has a newer id
 * than those sealed behind it. */
static int compare_live(const void *a, const void *b)
{
    const struct segment *segment_a = a;
    const struct segment *segment_b = b;
    return (segment_a->first_seq > segment_b->first_seq) -
           (segment_a->first_seq < segment_b->first_seq);
}

int manifest_read(const struct env *env, MDB_txn *txn, struct manifest *ret)
{
    MDB_cursor *cursor;
    uint64_t n;
    int rc = env_count(env, txn, ENV_MANIFEST, &n);
    if (rc < 0) {
        return rc;
    }
    struct manifest manifest = {.n = n, .segments = calloc(n + 1, sizeof *manifest.segments)};
    if (manifest.segments == NULL) {
        return STATUS_NO_MEMORY;
    }
    rc = env_status(mdb_cursor_open(txn, env->tables[ENV_MANIFEST], &cursor));
    if (rc == 0) {
        rc = read_rows(cursor, manifest.segments, n);
        mdb_cursor_close(cursor);
    }
    if (rc < 0) {
        free(manifest.segments);
        return rc;
    }
    qsort(manifest.segments, n, sizeof *manifest.segments, compare_live);
    *ret = manifest;
    return 0;
}

void manifest_done(struct manifest *manifest)
{
    free(manifest->segments);
    *manifest = (struct manifest){0};
}

void manifest_keep_live(struct manifest *manifest)
{
    size_t n = 0;
    for (size_t i = 0; i < manifest->n; i++) {
        if (manifest->segments[i].state == SEGMENT_LIVE) {
            manifest->segments[n++] = manifest->segments[i];
        }
    }
    manifest->n = n;
}

bool manifest_is_whole(const struct manifest *manifest)
{
    uint64_t next_seq = 1;
    for (size_t i = 0; i < manifest->n; i++) {
        const struct segment *segment = &manifest->segments[i];
        if (segment->state != SEGMENT_LIVE) {
            continue;
        }
        if (segment->first_seq != next_seq || segment->last_seq < segment->first_seq) {
            return false;
        }
        next_seq = segment->last_seq + 1;
    }
    return true;
}

uint64_t manifest_sealed_seq(const struct manifest *manifest)
{
    uint64_t sealed_seq = 0;
    for (size_t i = 0; i < manifest->n; i++) {
        const struct segment *segment = &manifest->segments[i];
        if (segment->state == SEGMENT_LIVE && segment->last_seq > sealed_seq) {
            sealed_seq = segment->last_seq;
        }
    }
    return sealed_seq;
}

uint64_t manifest_next_id(const struct manifest *manifest)
{
    uint64_t id = 0;
    for (size_t i = 0; i < manifest->n; i++) {
        id = manifest->segments[i].id > id ? manifest->segments[i].id : id;
    }
    return id + 1;
}

/* --- what is wrong with it -------------------------------------------------------------------- */

static int explain_gap(const struct env *env, const struct manifest *manifest,
                       struct errinfo *reason)
{
    uint64_t next_seq = 1;
    for (size_t i = 0; i < manifest->n; i++) {
        const struct segment *segment = &manifest->segments[i];
        if (segment->state != SEGMENT_LIVE) {
            continue;
        }
        if (segment->first_seq != next_seq || segment->last_seq < segment->first_seq) {
            return errinfo_set(reason, STATUS_CORRUPT,
                               "'%.80s/data.mdb' is damaged: segment %" PRIu64
                               " of the manifest has the records %" PRIu64 " to %" PRIu64
                               ", where those from %" PRIu64 " on are to follow; restore a backup",
                               env->directory, segment->id, segment->first_seq, segment->last_seq,
                               next_seq);
        }
        next_seq = segment->last_seq + 1;
    }
    return errinfo_set(reason, STATUS_CORRUPT, "'%.120s/data.mdb' is damaged; restore a backup",
                       env->directory);
}

static int explain_row(const struct env *env, MDB_cursor *cursor, struct errinfo *reason)
{
    MDB_val key;
    MDB_val value;
    struct segment segment;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (uint64_t row = 1; rc == 0; row++) {
        uint64_t id = 0;
        if (parse(key, value, &segment) < 0) {
            /* where the key is damaged, its place is all that is known */
            return key_parse_seq(key, &id) < 0
                       ? errinfo_set(reason, STATUS_CORRUPT,
                                     "'%.120s/data.mdb' is damaged: row %" PRIu64
                                     " of the manifest has no segment's key; restore a backup",
                                     env->directory, row)
                       : errinfo_set(reason, STATUS_CORRUPT,
                                     "'%.120s/data.mdb' is damaged: the manifest's row of segment "
                                     "%" PRIu64 " fails its check; restore a backup",
                                     env->directory, id);
        }
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return env_status(rc);
}

int manifest_explain(const struct env *env, MDB_txn *txn, struct errinfo *reason)
{
    MDB_cursor *cursor;
    struct manifest manifest;
    int rc = env_status(mdb_cursor_open(txn, env->tables[ENV_MANIFEST], &cursor));
    if (rc == 0) {
        rc = explain_row(env, cursor, reason);
        mdb_cursor_close(cursor);
    }
    if (rc != STATUS_NOT_FOUND) { /* which is that each row is in order */
        return rc;
    }
    rc = manifest_read(env, txn, &manifest);
    if (rc == 0) {
        rc = explain_gap(env, &manifest, reason);
        manifest_done(&manifest);
    }
    return rc;
}
