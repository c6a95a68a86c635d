/* Records: everything that ever happened, one struct each, and their bytes in the journal.
 *
 * A record is written once and never changes.  Its sequence number is its identity.  The bytes
 * are the project's longest-lived format: RECORD_FORMAT goes into every block, and a reader
 * refuses what it does not know by name.  docs/engine.md has the layout.
 *
 * Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "billingd/base/slice.h"
#include "proto/decimal.h"
#include "proto/limits.h"

enum {
    RECORD_FORMAT = 1,
    RECORD_RECORDED_BY_BYTES = 256, /* of recorded_by */
    /* The longest record: a usage with every text at its bound, and room to spare. */
    RECORD_BYTES_MAX = 24 * 1024,
};

/* Stored: never renumber. */
enum record_kind {
    RECORD_CUSTOMER_CREATED = 1,
    RECORD_CUSTOMER_RENAMED = 2,
    RECORD_USAGE = 3,
};

struct label {
    struct slice name;
    struct slice value;
};

struct customer_created {
    struct slice name;
    struct slice external_id; /* empty: none */
};

struct customer_renamed {
    uint64_t customer; /* sequence number of its creation */
    struct slice name;
};

struct usage {
    uint64_t customer; /* sequence number of its creation */
    struct slice service;
    struct decimal units;
    struct decimal price;
    int64_t occurred_at_us;
    int64_t bills_at_us;    /* later than occurred_at_us where the usage came late */
    bool occurred_at_given; /* by the caller, rather than left to the clock */
    struct slice labels;    /* as labels_encode() makes them; empty: none */
};

struct record {
    uint64_t seq;          /* from 1; 0 until appended */
    int64_t created_at_us; /* the daemon's clock at the commit that holds it */
    enum record_kind kind;
    struct slice request_id;  /* empty where the call takes none */
    struct slice recorded_by; /* identity of the caller */
    union {
        struct customer_created customer_created;
        struct customer_renamed customer_renamed;
        struct usage usage;
    };
};

enum {
    /* Of labels_encode(): every label at its bound, and its two lengths. */
    LABELS_BYTES_MAX = LIMIT_LABELS * (LIMIT_LABEL_NAME_BYTES + LIMIT_LABEL_VALUE_BYTES + 4),
};

/* Encode N labels (at most LIMIT_LABELS, within their limits, sorted by name, no name twice) into
 * BUFFER of at least LABELS_BYTES_MAX bytes.  Equal labels give equal bytes, so that comparing two
 * lists is comparing two slices, and a record carries its labels without decoding them.  Returns
 * the number of bytes; 0 for no labels. */
size_t labels_encode(const struct label *labels, unsigned n, uint8_t *buffer);

/* Take the next label off the front of *REST, which begins as a whole encoding that
 * labels_encode() made or record_decode() has checked.  Returns whether there was one. */
bool labels_next(struct slice *rest, struct label *ret);

/* The name space of RECORD's request id: its customer, or 0, the daemon's, for what creates
 * customers. */
uint64_t record_scope(const struct record *record);

/* Encode RECORD, without seq and created_at_us, which the block knows, into BUFFER of at least
 * RECORD_BYTES_MAX bytes.  The caller has checked what it holds (texts within their limits, labels
 * sorted, times from 1970 to 9999, units, price and amount within their bounds, bills_at not before
 * occurred_at): the process aborts otherwise.  Returns the number of bytes. */
size_t record_encode(const struct record *record, uint8_t *buffer);

/* Decode LENGTH bytes at BYTES; slices in *RET point into BYTES; seq and created_at_us are left
 * alone.  Returns 0, or STATUS_CORRUPT for anything that record_encode() does not make. */
MUSTCHECK int record_decode(const uint8_t *bytes, size_t length, struct record *ret);
