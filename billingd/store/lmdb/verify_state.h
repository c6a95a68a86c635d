/* What the parts of a verification share: what they look at, whom they tell, and what of the
 * journal cannot be read.  One thread. */
#pragma once

#include "billingd/store/lmdb/lookup.h"

/* Records that cannot be read, from FIRST_SEQ to LAST_SEQ. */
struct verify_hole {
    uint64_t first_seq;
    uint64_t last_seq;
};

struct verify_customers; /* verify_customers.h */
struct verify_services;  /* verify_services.h */
struct verify_api_keys;  /* verify_api_keys.h */

struct verify {
    struct lmdb_view *view;
    const struct store_verify *how;
    struct store_verified result;
    uint64_t last_seq; /* of the journal, or what segments and head say it is */
    uint64_t seed;     /* of all hashes of this verification: random */

    uint64_t done; /* steps */
    uint64_t all;
    uint64_t since; /* the last call of progress_cb */

    struct verify_hole *holes; /* owned; the last first, as the journal is read */
    size_t n_holes;
    size_t holes_max;

    MDB_cursor *journal; /* owned; of the table of blocks */

    uint64_t expected[ENV__TABLES]; /* how many rows the records call for, so far */
    bool suspect[ENV__TABLES];      /* not all of those are there: there may be others */
    struct verify_customers *customers;
    struct verify_services *services;
    struct verify_api_keys *api_keys;
};

/* --- telling ---------------------------------------------------------------------------------- */

/* Where something was found; what is not of interest is left 0, but chunk, which is then -1. */
struct verify_place {
    const char *table;
    uint64_t seq;
    uint64_t segment;
    int64_t chunk;
    uint64_t rows; /* 0 counts as 1 */
};

/* Tell of a fault at PLACE, in words.  Returns what the callback returns. */
__attribute__((format(printf, 4, 5))) MUSTCHECK int verify_found(struct verify *verify,
                                                                 enum store_fault fault,
                                                                 struct verify_place place,
                                                                 const char *format, ...);

/* Tell of a fault of the row about the record SEQ in TABLE; one that is missing may be
 * elsewhere. */
__attribute__((format(printf, 5, 6))) MUSTCHECK int
verify_found_row(struct verify *verify, enum store_fault fault, enum env_table table, uint64_t seq,
                 const char *format, ...);

/* STEPS more are done; or none, in work that is not counted.  Returns what the callback does. */
MUSTCHECK int verify_step(struct verify *verify, uint64_t steps);

/* --- what cannot be read ---------------------------------------------------------------------- */

/* The records from FIRST_SEQ to LAST_SEQ cannot; below all that were told of before.  Returns 0 or
 * STATUS_NO_MEMORY. */
MUSTCHECK int verify_add_hole(struct verify *verify, uint64_t first_seq, uint64_t last_seq);

/* Whether record SEQ cannot be read, or any from FIRST_SEQ to LAST_SEQ. */
bool verify_is_hole(const struct verify *verify, uint64_t seq);
bool verify_has_hole(const struct verify *verify, uint64_t first_seq, uint64_t last_seq);
