/* Blocks: the journal on disk.  A block holds records one behind the other, in the order of their
 * sequence numbers, and the hash of the whole block before it, so that all blocks are one chain.
 *
 * Final format, version 1; all numbers little-endian:
 *
 *   offset   bytes
 *        0       4  magic "BLKJ"
 *        4       2  block format, 1
 *        6       2  record format, RECORD_FORMAT of its writer
 *        8       8  sequence number of the first record, from 1
 *       16       4  n: records, from 1
 *       20       4  b: bytes of all records
 *       24       8  created_at of all records: microseconds since 1970
 *       32      32  SHA-256 of all bytes of the block before; of the first: block_genesis()
 *       64       b  records, one directly behind the other
 *     64+b     4*n  offset of each record, from byte 64 on
 *   64+b+4n      8  XXH3-64 of all bytes before it
 *
 * Every later version keeps the first 8 bytes and the last 8 in place and in meaning, so that a
 * block that is too new can be told from a damaged one.
 *
 * Knows no engine.  Any thread, but one at a time for one writer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "billingd/base/sha256.h"
#include "billingd/store/record.h"
#include "proto/status.h"

enum {
    BLOCK_FORMAT = 1,
    BLOCK_BYTES_MAX = 128 * 1024,
    BLOCK_HASH_BYTES = SHA256_BYTES,
    BLOCK_HEADER_BYTES = 64,
    BLOCK_CHECKSUM_BYTES = 8,
    BLOCK_OFFSET_BYTES = 4,
    /* Records of one byte, which none is. */
    BLOCK_RECORDS_MAX =
        (BLOCK_BYTES_MAX - BLOCK_HEADER_BYTES - BLOCK_CHECKSUM_BYTES) / (1 + BLOCK_OFFSET_BYTES),
};

/* --- the chain -------------------------------------------------------------------------------- */

/* The hash of LENGTH bytes at BYTES: what the block behind this one carries. */
void block_hash(struct sha256 *sha, const uint8_t *bytes, size_t length,
                uint8_t ret_hash[BLOCK_HASH_BYTES]);

/* What the first block of the store with ID_KEY carries: the hash of a text that holds the key, so
 * that no block of one store fits into another. */
void block_genesis(struct sha256 *sha, uint64_t id_key, uint8_t ret_hash[BLOCK_HASH_BYTES]);

/* --- writing ---------------------------------------------------------------------------------- */

struct block_writer; /* collects the records of the next block */

/* A writer of blocks of at most BYTES_MAX bytes, but at least one record, which may be longer than
 * a small BYTES_MAX; at most BLOCK_BYTES_MAX.  Its memory is touched as it fills.
 * Returns 0, or STATUS_NO_MEMORY. */
MUSTCHECK int block_writer_create(size_t bytes_max, struct block_writer **ret);
/* Free WRITER and what it has collected. */
void block_writer_destroy(struct block_writer *writer);

/* Forget all records. */
void block_writer_reset(struct block_writer *writer);

/* Add RECORD, within its bounds as for record_encode().  Returns false where it does not fit: then
 * the block is to be sealed first. */
bool block_writer_add(struct block_writer *writer, const struct record *record);

/* How many records there are, and how many bytes their block will have. */
uint32_t block_writer_count(const struct block_writer *writer);
size_t block_writer_bytes(const struct block_writer *writer);

/* Record INDEX of those added; *RET points into the writer and lacks seq and created_at_us.
 * Returns 0, or STATUS_CORRUPT. */
MUSTCHECK int block_writer_record(const struct block_writer *writer, uint32_t index,
                                  struct record *ret);

struct block_heading {
    uint64_t first_seq;
    int64_t created_at_us;
    uint8_t previous_hash[BLOCK_HASH_BYTES];
};

/* Write the block of all records, at least one, to the block_writer_bytes() bytes at RET_BYTES.
 * The writer is empty afterwards. */
void block_writer_seal(struct block_writer *writer, const struct block_heading *heading,
                       uint8_t *ret_bytes);

/* --- reading ---------------------------------------------------------------------------------- */

struct block {
    const uint8_t *bytes; /* not owned; NULL: no block */
    size_t length;
    unsigned format;        /* of the block */
    unsigned record_format; /* of its records */
    struct block_heading heading;
    uint32_t count;      /* records */
    uint32_t body_bytes; /* of all records */
};

/* Check the LENGTH bytes at BYTES once, so that its records can be had.  *RET refers to BYTES.
 *
 * Returns 0; STATUS_CORRUPT, and *RET_PROBLEM is a static text; or STATUS_NOT_IMPLEMENTED where
 * the block is whole but of a format that is not known here, which then stands in RET->format and
 * RET->record_format. */
MUSTCHECK int block_open(const uint8_t *bytes, size_t length, struct block *ret,
                         const char **ret_problem);

/* Whether the record SEQ is in BLOCK. */
bool block_has(const struct block *block, uint64_t seq);

/* The record SEQ, which BLOCK has; *RET points into its bytes.  Returns 0, or STATUS_CORRUPT. */
MUSTCHECK int block_record(const struct block *block, uint64_t seq, struct record *ret);

/* The record SEQ out of the LENGTH bytes at BYTES, which block_open() took before: not checked
 * again but for what could lead out of them, so that one record of a large block costs little.
 * Returns 0, STATUS_NOT_FOUND where the block has no such record, or STATUS_CORRUPT. */
MUSTCHECK int block_record_again(const uint8_t *bytes, size_t length, uint64_t seq,
                                 struct record *ret);
