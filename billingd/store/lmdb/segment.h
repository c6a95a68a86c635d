/* Segments: sorted rows on disk, of so many records one behind the other in the journal.
 *
 * The rows of each table of a segment lie in chunks, under keys of the table `segments`:
 *   segment (8), table (1), the first row's two leading members (8 and 8), number of the chunk (4),
 *   all big-endian
 * and a chunk is: how many rows (4), their form (4), XXH3-64 of the key (8), the rows, zeros up to
 * a page where they are few, XXH3-64 of all before.  Rows are packed (row_pack.h), so many as a
 * page takes; in stores that are older than that they lie plain, as in memory, on up to four pages,
 * and are read all the same.  A filter's chunks hold plain blocks in place of rows, from byte 48
 * on, so that they begin at a line of the cache.  Chunks are numbered from 0 through all tables of
 * a segment, the filter's being the last, so that a scan sees where one is missing.
 *
 * A segment never changes once it is whole; writing and removing it takes many transactions, which
 * the manifest keeps track of (manifest.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "billingd/store/lmdb/env.h"
#include "billingd/store/lmdb/rows.h"

/* Stored: never renumber. */
enum segment_table {
    SEGMENT_REQUESTS = 1, /* struct request_row; leading members: high, 0 */
    SEGMENT_USAGE = 2,    /* struct place_row: customer, time */
    SEGMENT_LATE = 3,     /* likewise */
    SEGMENT_SUMS = 4,     /* struct sum_row: customer, hour */
    SEGMENT_FILTER = 5,   /* blocks of filter.h: 0, 0 */
};

enum {
    SEGMENT_CHUNK_BYTES = 4 * 4096 - 16, /* at most: whole pages of LMDB, less its header */
    SEGMENT_FILTER_ROWS = 254,           /* of a chunk of a filter */
    SEGMENT_ROWS_MAX = 640,              /* of a chunk whose rows are packed */
    SEGMENT_ROOM_BYTES = SEGMENT_ROWS_MAX * sizeof(struct sum_row), /* for unpacking any chunk */
    SEGMENT_KEY_BYTES = 29,                                         /* of a chunk's key */
};

/* How the rows of a chunk lie.  Stored: never renumber. */
enum segment_form {
    SEGMENT_PLAIN = 0,
    SEGMENT_PACKED = 1,
};

/* Bytes of one row of TABLE. */
size_t segment_row_bytes(enum segment_table table);

/* The two leading members of ROW, by which a scan is opened. */
void segment_row_leading(enum segment_table table, const void *row, uint64_t *ret_a,
                         uint64_t *ret_b);

/* How many of the N sorted rows of TABLE at ROWS have leading members below A and B. */
size_t segment_rows_before(enum segment_table table, const void *rows, size_t n, uint64_t a,
                           uint64_t b);

/* How many rows of TABLE one chunk takes at most. */
size_t segment_chunk_rows(enum segment_table table);

/* --- chunks ----------------------------------------------------------------------------------- */

/* Rows that lie in one chunk. */
struct segment_chunk {
    uint64_t segment;
    enum segment_table table;
    uint32_t number;
    const void *rows; /* n of them: 1 to segment_chunk_rows(), or of plain ones as many as fit */
    size_t n;
};

/* Where in a chunk of TABLE its rows begin, and before which byte they have to end. */
size_t segment_header_bytes(enum segment_table table);
size_t segment_body_end(enum segment_table table);

/* The key of CHUNK, whose first row has the leading members A and B. */
void segment_chunk_key(const struct segment_chunk *chunk, uint64_t a, uint64_t b,
                       uint8_t ret[SEGMENT_KEY_BYTES]);

/* Make LENGTH bytes at BYTES, which end with the rows of CHUNK, whole as what is to stand under
 * KEY.  Returns how many they are then: SEGMENT_CHUNK_BYTES at most. */
size_t segment_seal_chunk(const struct segment_chunk *chunk, const uint8_t key[SEGMENT_KEY_BYTES],
                          uint8_t *bytes, size_t length);

/* --- writing: as part of a write transaction -------------------------------------------------- */

/* Write the LENGTH bytes of a whole chunk under KEY.  Returns 0, or the status of a failed
 * write. */
MUSTCHECK int segment_put(const struct env *env, MDB_txn *txn, const uint8_t key[SEGMENT_KEY_BYTES],
                          const uint8_t *bytes, size_t length);

/* Remove up to CHUNKS_MAX chunks of SEGMENT; *RET_LEFT: there are more.  Returns as above. */
MUSTCHECK int segment_remove(const struct env *env, MDB_txn *txn, uint64_t segment,
                             unsigned chunks_max, bool *ret_left);

/* --- reading: as part of any transaction ------------------------------------------------------ */

/* The rows of one table of one segment, in order, from somewhere on. */
struct segment_scan {
    MDB_cursor *cursor; /* owned; NULL: closed */
    uint64_t segment;
    enum segment_table table;
    uint32_t number;     /* of the chunk at hand, or of the one behind the table's last */
    const uint8_t *rows; /* its rows, in the transaction's pages or the room; NULL: at the end */
    size_t n;
    size_t at;  /* the next of them */
    void *room; /* owned: where rows are unpacked */
};

/* The first row of TABLE whose two leading members are at least A and B. */
struct segment_start {
    uint64_t segment;
    enum segment_table table;
    uint64_t a;
    uint64_t b;
};

/* Begin at START.  Returns 0, STATUS_CORRUPT where a chunk is damaged, or the status of a failed
 * read; the scan is then closed. */
MUSTCHECK int segment_scan_open(const struct env *env, MDB_txn *txn, struct segment_start start,
                                struct segment_scan *ret);
void segment_scan_close(struct segment_scan *scan);

/* The next row, which stays next until segment_scan_step(): *RET_ROW, or NULL at the end.  Returns
 * as segment_scan_open(). */
MUSTCHECK int segment_scan_peek(struct segment_scan *scan, const void **ret_row);
void segment_scan_step(struct segment_scan *scan);

/* Where the N_BLOCKS blocks of SEGMENT's filter lie: in every chunk but the last
 * SEGMENT_FILTER_ROWS of them.  Fills RET_CHUNKS, room for as many as that takes; they stay where
 * they are until the segment is removed.  Returns 0, STATUS_CORRUPT where one is damaged or there
 * are not so many blocks, or the status of a failed read. */
MUSTCHECK int segment_filter(const struct env *env, MDB_txn *txn, uint64_t segment,
                             uint64_t n_blocks, const uint8_t **ret_chunks);

/* --- chunk by chunk, for whoever looks at all of them ----------------------------------------- */

/* Below the keys of all chunks of SEGMENT, in BYTES. */
MDB_val segment_first_key(uint8_t bytes[SEGMENT_KEY_BYTES], uint64_t segment);

/* Whose chunk KEY is the key of; it has no rows yet.  Returns 0, or STATUS_CORRUPT. */
MUSTCHECK int segment_parse_key(MDB_val key, struct segment_chunk *ret);

/* Check the chunk VALUE under KEY; its rows lie in the transaction's pages, or in ROOM, which has
 * SEGMENT_ROOM_BYTES.  Returns 0, or STATUS_CORRUPT and *RET_PROBLEM, a static text. */
MUSTCHECK int segment_open_chunk(MDB_val key, MDB_val value, void *room, struct segment_chunk *ret,
                                 const char **ret_problem);
