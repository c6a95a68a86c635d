/* LMDB alone: one table that is appended to, opened as the store opens its own (fully synced, no
 * NOSYNC, no WRITEMAP), and nothing else.  What it takes is what the disk and LMDB ask of anybody.
 *
 * One thread at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <lmdb.h>

enum {
    BARE_RECORD_BYTES = 100, /* of about a record of the standard load, as the store encodes it */
};

struct bare {
    MDB_env *env;
    MDB_dbi table;
    uint64_t next; /* key of the next value */
};

/* Open one in DIRECTORY, which is there, with room for EXTRA tables more. */
void bare_open(struct bare *bare, const char *directory, unsigned extra);

/* Begin a transaction that writes. */
MDB_txn *bare_begin(struct bare *bare);

/* Append BYTES bytes at DATA under the next number. */
void bare_append(struct bare *bare, MDB_txn *txn, const void *data, size_t bytes);

/* Put TXN on disk. */
void bare_commit(MDB_txn *txn);

/* All of that for one value of BARE_RECORD_BYTES.  Returns how many nanoseconds it took. */
int64_t bare_commit_one(struct bare *bare);

/* Close it; the store stays in its directory. */
void bare_close(struct bare *bare);
