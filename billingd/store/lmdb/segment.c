#include "billingd/store/lmdb/segment.h"

#include <stdlib.h>

#include <xxhash.h>

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"
#include "billingd/store/lmdb/filter.h"
#include "billingd/store/lmdb/row_pack.h"

enum { /* offsets in a key */
       AT_TABLE = 8,
       AT_A = 9,
       AT_B = 17,
       AT_NUMBER = 25,
       KEY_BYTES = SEGMENT_KEY_BYTES,
       /* and in a chunk */
       AT_FORM = 4,
       AT_KEY_HASH = 8,
       HEADER_BYTES = 16,        /* behind LMDB's 16 of a page: so rows are aligned */
       FILTER_HEADER_BYTES = 48, /* likewise: so blocks begin at a line of the cache */
       CHECKSUM_BYTES = 8,
       /* A value that is too large to stand among others gets pages of its own, aligned, and
        * nobody moves it: a filter is read in place long after its transaction. */
       CHUNK_BYTES_MIN = 4096 - 16,
};

static const size_t row_bytes[] = {
    [SEGMENT_REQUESTS] = sizeof(struct request_row), [SEGMENT_USAGE] = sizeof(struct place_row),
    [SEGMENT_LATE] = sizeof(struct place_row),       [SEGMENT_SUMS] = sizeof(struct sum_row),
    [SEGMENT_FILTER] = FILTER_BLOCK_BYTES,
};

static const size_t chunk_rows[] = {
    [SEGMENT_REQUESTS] = SEGMENT_ROWS_MAX,  [SEGMENT_USAGE] = SEGMENT_ROWS_MAX,
    [SEGMENT_LATE] = SEGMENT_ROWS_MAX,      [SEGMENT_SUMS] = SEGMENT_ROWS_MAX,
    [SEGMENT_FILTER] = SEGMENT_FILTER_ROWS,
};

static_assert((SEGMENT_CHUNK_BYTES - FILTER_HEADER_BYTES - CHECKSUM_BYTES) / FILTER_BLOCK_BYTES ==
                  SEGMENT_FILTER_ROWS,
              "as many as fit");

size_t segment_header_bytes(enum segment_table table)
{
    return table == SEGMENT_FILTER ? FILTER_HEADER_BYTES : HEADER_BYTES;
}

size_t segment_body_end(enum segment_table table)
{
    return (table == SEGMENT_FILTER ? SEGMENT_CHUNK_BYTES : CHUNK_BYTES_MIN) - CHECKSUM_BYTES;
}

size_t segment_row_bytes(enum segment_table table)
{
    return row_bytes[table];
}

size_t segment_chunk_rows(enum segment_table table)
{
    return chunk_rows[table];
}

void segment_row_leading(enum segment_table table, const void *row, uint64_t *ret_a,
                         uint64_t *ret_b)
{
    *ret_a = 0;
    *ret_b = 0;
    switch (table) {
    case SEGMENT_REQUESTS:
        *ret_a = ((const struct request_row *)row)->high;
        break;
    case SEGMENT_USAGE:
    case SEGMENT_LATE:
        *ret_a = ((const struct place_row *)row)->customer;
        *ret_b = (uint64_t)((const struct place_row *)row)->time_us;
        break;
    case SEGMENT_SUMS:
        *ret_a = ((const struct sum_row *)row)->customer;
        *ret_b = ((const struct sum_row *)row)->hour;
        break;
    case SEGMENT_FILTER:
        break;
    }
}

static bool is_before(enum segment_table table, const void *row, uint64_t a, uint64_t b)
{
    uint64_t row_a;
    uint64_t row_b;
    segment_row_leading(table, row, &row_a, &row_b);
    return row_a != a ? row_a < a : row_b < b;
}

size_t segment_rows_before(enum segment_table table, const void *rows, size_t n, uint64_t a,
                           uint64_t b)
{
    const uint8_t *bytes = rows;
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before(table, bytes + middle * row_bytes[table], a, b)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* --- keys ------------------------------------------------------------------------------------- */

static void put_be32(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
}

static MDB_val make_key(uint8_t bytes[KEY_BYTES], uint64_t segment, enum segment_table table,
                        uint64_t a, uint64_t b, uint32_t number)
{
    bytes_put_be64(bytes, segment);
    bytes[AT_TABLE] = (uint8_t)table;
    bytes_put_be64(bytes + AT_A, a);
    bytes_put_be64(bytes + AT_B, b);
    put_be32(bytes + AT_NUMBER, number);
    return (MDB_val){.mv_size = KEY_BYTES, .mv_data = bytes};
}

static bool is_of_segment(MDB_val key, uint64_t segment)
{
    return key.mv_size == KEY_BYTES && bytes_get_be64(key.mv_data) == segment;
}

static bool is_of(MDB_val key, uint64_t segment, enum segment_table table)
{
    return is_of_segment(key, segment) && ((const uint8_t *)key.mv_data)[AT_TABLE] == table;
}

static uint32_t number_of(MDB_val key)
{
    uint32_t number;
    memcpy(&number, (const uint8_t *)key.mv_data + AT_NUMBER, sizeof number);
    return be32toh(number);
}

/* --- chunks ----------------------------------------------------------------------------------- */

void segment_chunk_key(const struct segment_chunk *chunk, uint64_t a, uint64_t b,
                       uint8_t ret[SEGMENT_KEY_BYTES])
{
    make_key(ret, chunk->segment, chunk->table, a, b, chunk->number);
}

size_t segment_seal_chunk(const struct segment_chunk *chunk, const uint8_t key[SEGMENT_KEY_BYTES],
                          uint8_t *bytes, size_t length)
{
    enum segment_form form = chunk->table == SEGMENT_FILTER ? SEGMENT_PLAIN : SEGMENT_PACKED;
    size_t least = CHUNK_BYTES_MIN - CHECKSUM_BYTES;
    memset(bytes, 0, segment_header_bytes(chunk->table));
    if (length < least) {
        memset(bytes + length, 0, least - length);
        length = least;
    }
    bytes_put_le32(bytes, (uint32_t)chunk->n);
    bytes_put_le32(bytes + AT_FORM, (uint32_t)form);
    bytes_put_le64(bytes + AT_KEY_HASH, XXH3_64bits(key, SEGMENT_KEY_BYTES));
    bytes_put_le64(bytes + length, XXH3_64bits(bytes, length));
    return length + CHECKSUM_BYTES;
}

/* That CHUNK was put under KEY. */
static int check_place(MDB_val key, MDB_val chunk)
{
    const uint8_t *bytes = chunk.mv_data;
    return chunk.mv_size >= CHUNK_BYTES_MIN &&
                   bytes_get_le64(bytes + AT_KEY_HASH) == XXH3_64bits(key.mv_data, key.mv_size)
               ? 0
               : STATUS_CORRUPT;
}

/* N rows of TABLE, LENGTH bytes at BODY, in FORM: in place, or unpacked into ROOM. */
static int open_rows(enum segment_table table, uint32_t form, struct slice body, size_t n,
                     void *room, const uint8_t **ret_rows)
{
    const uint8_t *bytes = (const uint8_t *)body.data;
    if (form == SEGMENT_PLAIN) {
        *ret_rows = bytes;
        return n <= body.length / row_bytes[table] ? 0 : STATUS_CORRUPT;
    }
    if (form != SEGMENT_PACKED || table == SEGMENT_FILTER || n > SEGMENT_ROWS_MAX || room == NULL) {
        return STATUS_CORRUPT;
    }
    *ret_rows = room;
    return row_unpack(table, bytes, body.length, n, room);
}

/* The rows in CHUNK of TABLE, under KEY, checked; ROOM is for unpacking them, and may be NULL for a
 * filter. */
static int open_chunk(enum segment_table table, MDB_val key, MDB_val chunk, void *room,
                      const uint8_t **ret_rows, size_t *ret_n)
{
    const uint8_t *bytes = chunk.mv_data;
    size_t header = segment_header_bytes(table);
    if (check_place(key, chunk) < 0 || chunk.mv_size > SEGMENT_CHUNK_BYTES) {
        return STATUS_CORRUPT;
    }
    size_t length = chunk.mv_size - CHECKSUM_BYTES;
    *ret_n = bytes_get_le32(bytes);
    if (bytes_get_le64(bytes + length) != XXH3_64bits(bytes, length) || *ret_n == 0) {
        return STATUS_CORRUPT;
    }
    struct slice body = {(const char *)bytes + header, length - header};
    return open_rows(table, bytes_get_le32(bytes + AT_FORM), body, *ret_n, room, ret_rows);
}

int segment_put(const struct env *env, MDB_txn *txn, const uint8_t key[SEGMENT_KEY_BYTES],
                const uint8_t *bytes, size_t length)
{
    uint8_t copy[SEGMENT_KEY_BYTES]; /* LMDB's keys are not const */
    memcpy(copy, key, sizeof copy);
    MDB_val value = {.mv_size = sizeof copy, .mv_data = copy};
    return env_put_new(env, txn, ENV_SEGMENTS, value, bytes, length);
}

/* --- removing --------------------------------------------------------------------------------- */

static int remove_from(const struct env *env, MDB_txn *txn, MDB_cursor *cursor, uint64_t segment,
                       unsigned chunks_max, bool *ret_left)
{
    uint8_t bytes[KEY_BYTES] = {0};
    MDB_val value;
    bytes_put_be64(bytes, segment);
    for (unsigned i = 0; i <= chunks_max; i++) {
        MDB_val key = {.mv_size = KEY_BYTES, .mv_data = bytes};
        int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        *ret_left = rc == 0 && key.mv_size == KEY_BYTES && bytes_get_be64(key.mv_data) == segment;
        if (rc != 0 && rc != MDB_NOTFOUND) {
            return env_status(rc);
        }
        if (!*ret_left || i == chunks_max) {
            return 0;
        }
        rc = env_delete(env, txn, ENV_SEGMENTS, key);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int segment_remove(const struct env *env, MDB_txn *txn, uint64_t segment, unsigned chunks_max,
                   bool *ret_left)
{
    MDB_cursor *cursor;
    int rc = env_status(mdb_cursor_open(txn, env->tables[ENV_SEGMENTS], &cursor));
    if (rc < 0) {
        return rc;
    }
    rc = remove_from(env, txn, cursor, segment, chunks_max, ret_left);
    mdb_cursor_close(cursor);
    return rc;
}

/* --- reading ---------------------------------------------------------------------------------- */

void segment_scan_close(struct segment_scan *scan)
{
    if (scan->cursor != NULL) {
        mdb_cursor_close(scan->cursor);
        scan->cursor = NULL;
    }
    free(scan->room);
    scan->room = NULL;
}

/* Take up the chunk at KEY, which was found with RC and is to have NUMBER; another table's ends the
 * scan.  Numbers go on from table to table, and the filter's chunks are always there: so a chunk
 * that is missing is no end of a table. */
static int take_chunk(struct segment_scan *scan, int rc, MDB_val key, MDB_val chunk,
                      uint32_t number)
{
    scan->n = 0;
    scan->at = 0;
    scan->rows = NULL;
    if (rc != 0 && rc != MDB_NOTFOUND) {
        return env_status(rc);
    }
    if (rc == MDB_NOTFOUND || !is_of_segment(key, scan->segment) || number_of(key) != number) {
        return STATUS_CORRUPT;
    }
    scan->number = number;
    if (!is_of(key, scan->segment, scan->table)) {
        return check_place(key, chunk);
    }
    rc = open_chunk(scan->table, key, chunk, scan->room, &scan->rows, &scan->n);
    if (rc < 0) {
        scan->rows = NULL;
        scan->n = 0;
    }
    return rc;
}

/* Go to the last chunk that begins before A and B, since the first row that is wanted may be in
 * it; if there is none, to the first that does not.  LMDB does not look whether the keys of a page
 * are in order: where they are not, rows would be missing. */
static int find_chunk(struct segment_scan *scan, uint64_t a, uint64_t b)
{
    uint8_t bytes[KEY_BYTES];
    uint8_t asked[KEY_BYTES];
    MDB_val key = make_key(bytes, scan->segment, scan->table, a, b, 0);
    MDB_val chunk;
    uint32_t number = 0; /* of the segment's first */
    memcpy(asked, bytes, sizeof asked);
    int rc = mdb_cursor_get(scan->cursor, &key, &chunk, MDB_SET_RANGE);
    if (rc == 0 || rc == MDB_NOTFOUND) {
        rc = mdb_cursor_get(scan->cursor, &key, &chunk, rc == 0 ? MDB_PREV : MDB_LAST);
    }
    if (rc != 0 && rc != MDB_NOTFOUND) {
        return env_status(rc);
    }
    if (rc == 0 && key.mv_size == KEY_BYTES && memcmp(key.mv_data, asked, KEY_BYTES) >= 0) {
        return STATUS_CORRUPT;
    }
    if (rc == 0 && is_of(key, scan->segment, scan->table)) {
        return take_chunk(scan, rc, key, chunk, number_of(key));
    }
    if (rc == 0 && is_of_segment(key, scan->segment)) {
        number = number_of(key) + 1;
        rc = check_place(key, chunk);
        if (rc < 0) {
            return rc;
        }
    }
    key = make_key(bytes, scan->segment, scan->table, a, b, 0);
    rc = mdb_cursor_get(scan->cursor, &key, &chunk, MDB_SET_RANGE);
    return take_chunk(scan, rc, key, chunk, number);
}

int segment_scan_open(const struct env *env, MDB_txn *txn, struct segment_start start,
                      struct segment_scan *ret)
{
    *ret = (struct segment_scan){.segment = start.segment, .table = start.table};
    ret->room = malloc(SEGMENT_ROWS_MAX * row_bytes[start.table]);
    if (ret->room == NULL) {
        return STATUS_NO_MEMORY;
    }
    int rc = env_status(mdb_cursor_open(txn, env->tables[ENV_SEGMENTS], &ret->cursor));
    if (rc < 0) {
        ret->cursor = NULL;
    } else {
        rc = find_chunk(ret, start.a, start.b);
    }
    if (rc < 0) {
        segment_scan_close(ret);
        return rc;
    }
    ret->at = segment_rows_before(start.table, ret->rows, ret->n, start.a, start.b);
    return 0;
}

int segment_scan_peek(struct segment_scan *scan, const void **ret_row)
{
    while (scan->at == scan->n && scan->rows != NULL) {
        MDB_val key;
        MDB_val chunk;
        int rc = mdb_cursor_get(scan->cursor, &key, &chunk, MDB_NEXT);
        rc = take_chunk(scan, rc, key, chunk, scan->number + 1);
        if (rc < 0) {
            return rc;
        }
    }
    *ret_row = scan->rows == NULL ? NULL : scan->rows + scan->at * row_bytes[scan->table];
    return 0;
}

void segment_scan_step(struct segment_scan *scan)
{
    scan->at++;
}

/* --- filters ---------------------------------------------------------------------------------- */

static int filter_chunks(MDB_cursor *cursor, uint64_t segment, uint64_t n_blocks,
                         const uint8_t **ret_chunks)
{
    uint8_t bytes[KEY_BYTES];
    MDB_val key = make_key(bytes, segment, SEGMENT_FILTER, 0, 0, 0);
    MDB_val chunk;
    size_t n = 0;
    size_t full = SEGMENT_FILTER_ROWS;
    int rc = mdb_cursor_get(cursor, &key, &chunk, MDB_SET_RANGE);
    for (uint64_t left = n_blocks; left > 0; left -= n) {
        if (rc == MDB_NOTFOUND || (rc == 0 && !is_of(key, segment, SEGMENT_FILTER))) {
            return STATUS_CORRUPT;
        }
        rc = rc != 0 ? env_status(rc)
                     : open_chunk(SEGMENT_FILTER, key, chunk, NULL, ret_chunks++, &n);
        if (rc < 0) {
            return rc;
        }
        if (n != (left < full ? left : full)) {
            return STATUS_CORRUPT;
        }
        rc = mdb_cursor_get(cursor, &key, &chunk, MDB_NEXT);
    }
    return n_blocks > 0 ? 0 : STATUS_CORRUPT;
}

int segment_filter(const struct env *env, MDB_txn *txn, uint64_t segment, uint64_t n_blocks,
                   const uint8_t **ret_chunks)
{
    MDB_cursor *cursor;
    int rc = env_status(mdb_cursor_open(txn, env->tables[ENV_SEGMENTS], &cursor));
    if (rc < 0) {
        return rc;
    }
    rc = filter_chunks(cursor, segment, n_blocks, ret_chunks);
    mdb_cursor_close(cursor);
    return rc;
}

/* --- chunk by chunk --------------------------------------------------------------------------- */

MDB_val segment_first_key(uint8_t bytes[SEGMENT_KEY_BYTES], uint64_t segment)
{
    return make_key(bytes, segment, (enum segment_table)0, 0, 0, 0);
}

int segment_parse_key(MDB_val key, struct segment_chunk *ret)
{
    const uint8_t *bytes = key.mv_data;
    if (key.mv_size != KEY_BYTES || bytes[AT_TABLE] < SEGMENT_REQUESTS ||
        bytes[AT_TABLE] > SEGMENT_FILTER) {
        return STATUS_CORRUPT;
    }
    *ret = (struct segment_chunk){
        .segment = bytes_get_be64(bytes),
        .table = (enum segment_table)bytes[AT_TABLE],
        .number = number_of(key),
    };
    return 0;
}

int segment_open_chunk(MDB_val key, MDB_val value, void *room, struct segment_chunk *ret,
                       const char **ret_problem)
{
    struct segment_chunk chunk;
    const uint8_t *rows = NULL;
    const uint8_t *key_bytes = key.mv_data;
    uint64_t a;
    uint64_t b;
    *ret_problem = "its key is none of a chunk";
    int rc = segment_parse_key(key, &chunk);
    if (rc == 0) {
        *ret_problem = "its bytes are not those that were written there";
        rc = open_chunk(chunk.table, key, value, room, &rows, &chunk.n);
    }
    if (rc == 0) {
        *ret_problem = "its key is not of its first row";
        segment_row_leading(chunk.table, rows, &a, &b);
        rc = a == bytes_get_be64(key_bytes + AT_A) && b == bytes_get_be64(key_bytes + AT_B)
                 ? 0
                 : STATUS_CORRUPT;
    }
    if (rc == 0) {
        chunk.rows = rows;
        *ret = chunk;
    }
    return rc;
}
