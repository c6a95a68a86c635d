/* The journal in LMDB: blocks (block.h) under the sequence number of their first record.
 *
 * A writer collects what one transaction appends in a pending block, writes it when it is full or
 * the transaction commits, and so moves the journal's tail, which is the store's only once the
 * commit is done.  A reader finds records by sequence number, also those still pending.
 *
 * Each belongs to its transaction, and to one thread at a time. */
#pragma once

#include <stdint.h>

#include "billingd/store/block.h"
#include "billingd/store/lmdb/env.h"

/* Where the journal ends. */
struct journal_tail {
    uint64_t next_seq;              /* of the first record behind the last block */
    uint8_t hash[BLOCK_HASH_BYTES]; /* of the last block, or block_genesis() */
};

/* Find the tail: check the last block, and that it follows on the one before it.
 * Returns 0, or a status with REASON: STATUS_CORRUPT, or STATUS_NOT_IMPLEMENTED where the last
 * block's format is not known. */
MUSTCHECK int journal_start(const struct env *env, MDB_txn *txn, struct sha256 *sha,
                            uint64_t id_key, struct journal_tail *ret, struct errinfo *reason);

/* Nothing in it is owned. */
struct journal_writer {
    const struct env *env;
    MDB_txn *txn;
    struct sha256 *sha;
    struct block_writer *pending; /* records from tail.next_seq on */
    struct journal_tail tail;     /* of what is written in TXN */
    int64_t created_at_us;        /* of all that is appended */
};

/* Append RECORD; sets its seq and created_at_us.  Returns 0, or the status of a failed write. */
MUSTCHECK int journal_append(struct journal_writer *writer, struct record *record);

/* Write what is pending.  Returns as journal_append(). */
MUSTCHECK int journal_flush(struct journal_writer *writer);

/* Nothing in it is owned. */
struct journal_reader {
    const struct env *env;
    MDB_txn *txn;
    const struct journal_writer *writer; /* of the same transaction, or NULL */
    struct block block;                  /* the last one that was checked */
    uint64_t damaged;                    /* the last record that was; 0: none */
};

/* The block of READER may be gone: after a write to its transaction, or at its end. */
void journal_forget(struct journal_reader *reader);

/* The record SEQ; *RET points into the transaction's pages, or into the pending block.
 * Returns 0, STATUS_NOT_FOUND, or STATUS_CORRUPT where it or its block is damaged or missing. */
MUSTCHECK int journal_record(struct journal_reader *reader, uint64_t seq, struct record *ret);

/* Every record behind AFTER_SEQ, in order; each block is checked once, whatever ROW_CB reads.
 * Returns what ROW_CB ends it with, or as journal_record(). */
MUSTCHECK int journal_scan(struct journal_reader *reader, uint64_t after_seq,
                           store_record_fn row_cb, void *arg);

/* Sequence number of the newest record, 0 if there is none.  Returns as journal_record(). */
MUSTCHECK int journal_last_seq(struct journal_reader *reader, uint64_t *ret_seq);

/* Sequence number of the first record of the newest block, 0 if there is none; the block is not
 * looked at.  Returns 0, STATUS_CORRUPT, or the status of a failed read. */
MUSTCHECK int journal_last_block(const struct journal_reader *reader, uint64_t *ret_seq);

/* Move CURSOR, of the table of blocks, to the one under the last key that is not above SEQ; the
 * block is not looked at.  Returns 0, STATUS_NOT_FOUND, or the status of a failed read. */
MUSTCHECK int journal_find(MDB_cursor *cursor, uint64_t seq, MDB_val *ret_key, MDB_val *ret_value);
