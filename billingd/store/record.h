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
    RECORD_FORMAT = 3,              /* what is written */
    RECORD_FORMAT_MIN = 1,          /* what is read, too; record_last_kind() has what it knows */
    RECORD_RECORDED_BY_BYTES = 256, /* of recorded_by */
    /* The longest record: a usage with every text at its bound, and room to spare. */
    RECORD_BYTES_MAX = 24 * 1024,
};

/* Stored: never renumber. */
enum record_kind {
    RECORD_CUSTOMER_CREATED = 1,
    RECORD_CUSTOMER_RENAMED = 2,
    RECORD_USAGE = 3,
    RECORD_USAGE_VOIDED = 4,
    RECORD_ADJUSTMENT = 5,
    RECORD_INVOICE = 6,
    RECORD_INVOICE_ENTRIES = 7,
    RECORD_SERVICE_PUT = 8,
    RECORD_SERVICE_DELETED = 9,
    RECORD_KEY_CREATED = 10,
    RECORD_KEY_REVOKED = 11,
    RECORD_KEY_USED = 12,
};

/* The last kind that FORMAT knows; of one that is not known here, as of RECORD_FORMAT. */
enum record_kind record_last_kind(unsigned format);

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

/* The reversal of one usage record: it adds the negative of it to the bill. */
struct usage_voided {
    uint64_t customer;
    uint64_t usage;         /* sequence number of what it voids */
    int64_t occurred_at_us; /* of the usage: where it stands in the order of that clock */
    int64_t bills_at_us;    /* its own: not before the usage's */
    struct slice reason;
};

/* A credit or a charge of an exact amount. */
struct adjustment {
    uint64_t customer;
    struct slice service; /* empty: none */
    struct slice reason;
    struct decimal amount; /* of either sign */
    int64_t occurred_at_us;
    int64_t bills_at_us;
    bool occurred_at_given; /* as in a usage */
};

enum {
    INVOICE_DIGEST_BYTES = 32,
};

/* A finalised bill.  What it consists of lies in the records right behind it, of the kind
 * RECORD_INVOICE_ENTRIES: N_LINES lines, then N_ADJUSTMENTS adjustments. */
struct invoice {
    uint64_t customer;
    uint64_t number; /* from 1, without gaps, over all customers */
    int64_t start_us;
    int64_t end_us;
    bool start_given;  /* by the caller */
    uint64_t position; /* sequence number of the last record that could be part of it */
    int minor_digits;  /* to which it is rounded */
    uint64_t n_lines;
    uint64_t n_adjustments;
    struct amount exact; /* of the whole bill */
    struct amount total; /* sum of what is rounded */
    uint8_t digest[INVOICE_DIGEST_BYTES];
};

struct invoice_entries {
    uint64_t invoice;     /* sequence number of the invoice's record */
    struct slice entries; /* as invoice_entry_encode() makes them, at least one */
};

struct service_put {
    struct slice name; /* not empty */
    struct slice unit; /* empty: none */
};

struct service_deleted {
    struct slice name;
};

/* What an API key allows.  Stored: never renumber. */
enum key_role {
    KEY_READER = 1,
    KEY_WRITER = 2,
    KEY_ADMIN = 3,
};

enum {
    KEY_HASH_BYTES = 32,
};

struct key_created {
    struct slice name; /* not empty */
    enum key_role role;
    struct slice services; /* of a writer: those it may bill, as services_encode() makes them;
                              empty: any */
    int64_t expires_at_us; /* 0: never */
    uint8_t hash[KEY_HASH_BYTES]; /* SHA-256 of the secret part of its text */
};

struct key_revoked {
    uint64_t key;      /* sequence number of its creation */
    struct slice name; /* which is free again */
};

/* When some keys were used last.  Written now and then: what is missing is not later by much. */
struct key_used {
    struct slice uses; /* as key_uses_encode() makes them, at least one */
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
        struct usage_voided usage_voided;
        struct adjustment adjustment;
        struct invoice invoice;
        struct invoice_entries invoice_entries;
        struct service_put service_put;
        struct service_deleted service_deleted;
        struct key_created key_created;
        struct key_revoked key_revoked;
        struct key_used key_used;
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

/* A line of a bill, and of the invoice that it becomes: all that was used of one service at one
 * price. */
struct bill_line {
    struct slice service;
    struct decimal price;
    struct amount units;
    struct amount exact; /* of money */
    uint64_t records;
    uint64_t voided;
    uint64_t late;
};

/* What one invoice consists of, one by one. */
struct invoice_entry {
    uint64_t adjustment;   /* its sequence number; 0: it is a line */
    struct bill_line line; /* where it is one */
};

enum {
    INVOICE_ENTRY_BYTES_MAX = 640,         /* of one entry */
    INVOICE_ENTRIES_BYTES_MAX = 16 * 1024, /* of all in one record */
};

/* Encode ENTRY, its service within its limit and its price not negative, into BUFFER of at least
 * INVOICE_ENTRY_BYTES_MAX bytes.  Returns the number of bytes. */
size_t invoice_entry_encode(const struct invoice_entry *entry, uint8_t *buffer);

/* Take the next entry off the front of *REST, as labels_next() does with labels. */
bool invoice_entries_next(struct slice *rest, struct invoice_entry *ret);

enum {
    /* Of services_encode(): every service at its bound, and its length. */
    SERVICES_BYTES_MAX = LIMIT_KEY_SERVICES * (LIMIT_SERVICE_BYTES + 2),
};

/* Encode the names of N services (1 to LIMIT_KEY_SERVICES, none empty or above
 * LIMIT_SERVICE_BYTES, sorted by slice_compare(), none twice) into BUFFER of at least
 * SERVICES_BYTES_MAX bytes.  Returns the number of bytes. */
size_t services_encode(const struct slice *names, size_t n, uint8_t *buffer);

/* Take the next name off the front of *REST, as labels_next() does with labels. */
bool services_next(struct slice *rest, struct slice *ret);

/* Whether NAME is among SERVICES, as services_encode() makes them, or SERVICES is empty: any. */
bool services_allow(struct slice services, struct slice name);

struct key_use {
    uint64_t key; /* sequence number of its creation */
    int64_t used_at_us;
};

enum {
    KEY_USES_MAX = 1000, /* in one record */
    KEY_USES_BYTES_MAX = KEY_USES_MAX * 18,
};

/* Encode N uses (1 to KEY_USES_MAX, sorted by key, none twice, times within TIMESTAMP_MAX) into
 * BUFFER of at least KEY_USES_BYTES_MAX bytes.  Returns the number of bytes. */
size_t key_uses_encode(const struct key_use *uses, size_t n, uint8_t *buffer);

/* Take the next use off the front of *REST, as labels_next() does with labels. */
bool key_uses_next(struct slice *rest, struct key_use *ret);

/* Whose RECORD is: the sequence number of its customer's creation; 0 for what is nobody's (the
 * catalogue, API keys, an invoice's entries). */
uint64_t record_customer(const struct record *record);

/* The name space of RECORD's request id: its customer, or 0, the daemon's, for what creates
 * customers. */
uint64_t record_scope(const struct record *record);

/* Where RECORD stands in time by each clock: *RET_OCCURRED_US and *RET_BILLS_AT_US.  Returns false
 * for kinds that stand on no bill: all but usage, voids and adjustments. */
bool record_times(const struct record *record, int64_t *ret_occurred_us, int64_t *ret_bills_at_us);

enum {
    RECORD_TEXTS_MAX = 4,
};

/* Where the texts of RECORD are, by its kind, for whoever is to copy them.  Returns how many. */
unsigned record_texts(struct record *record, struct slice *ret_texts[RECORD_TEXTS_MAX]);

/* Encode RECORD, without seq and created_at_us, which the block knows, into BUFFER of at least
 * RECORD_BYTES_MAX bytes.  The caller has checked what it holds (texts within their limits, labels
 * sorted, times from 1970 to 9999, units, price and amount within their bounds, bills_at not before
 * occurred_at, an invoice's start before its end, a name for what is in the catalogue and for a
 * key, services for none but a writer): the process aborts otherwise.  Returns the number of
 * bytes. */
size_t record_encode(const struct record *record, uint8_t *buffer);

/* Decode LENGTH bytes at BYTES; slices in *RET point into BYTES; seq and created_at_us are left
 * alone.  Returns 0, or STATUS_CORRUPT for anything that record_encode() does not make. */
MUSTCHECK int record_decode(const uint8_t *bytes, size_t length, struct record *ret);
