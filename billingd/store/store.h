/* The store: keeps records and finds them again.  It decides nothing.
 *
 * One interface in the words of the field; engines stand behind it and are chosen by URI.  What
 * is written goes through one transaction at a time; what is read goes through a view, and a
 * transaction has a view of its own that sees what it has appended.
 *
 *   committer thread:  store_begin .. store_announce .. (reads, store_append) .. store_commit
 *   reader threads:    store_snapshot .. reads .. store_release
 *
 * Slices in what a read returns point into the store and die with the view, and with the next
 * store_append() to the view's transaction: copy what is to outlive them.
 *
 * Any read may return STATUS_CORRUPT: stored bytes that fail their check are an error, never a
 * wrong figure.  Business rules live in ledger/. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "billingd/base/slice.h"
#include "billingd/store/record.h"
#include "proto/decimal.h"

struct store;      /* an open store; shared by all threads */
struct store_txn;  /* the one open transaction */
struct store_view; /* a consistent state to read; one thread at a time */

struct errinfo {
    char message[256]; /* for the operator: what failed, where, and the way out */
};

struct store_options {
    const char *data_dir; /* created at need */
    uint64_t map_bytes;   /* address space to reserve: the bound of the store's size */
    unsigned readers_max; /* views that may be open at once */
    const char *currency; /* ISO 4217 code: fixed at the first start, checked at each */
    int64_t now_us;       /* wall clock, kept as the store's birth at the first start */
};

/* Open the store at URI ("lmdb:"), creating it at need, and bring it up to its last commit.
 * Before other threads.  On failure REASON says why, in words for the operator. */
MUSTCHECK int store_open(const char *uri, const struct store_options *options,
                         struct store **ret_store, struct errinfo *reason);

/* Close it.  No transaction or view may be open. */
void store_close(struct store *store);

/* --- what is known about it ------------------------------------------------------------------- */

struct store_info {
    const char *engine;    /* "lmdb" */
    uint64_t id_key;       /* random, of this store alone: keys the check digits of ids */
    uint64_t last_seq;     /* of the newest record; 0: none */
    uint64_t customers;    /* how many there are */
    uint64_t usage;        /* how many usage records there are */
    uint64_t invoices;     /* how many there are: also the number of the newest */
    uint64_t bytes;        /* on disk */
    int64_t created_at_us; /* its birth */
};

/* The state as of VIEW. */
MUSTCHECK int store_info(struct store_view *view, struct store_info *ret);

/* --- writing: committer thread ---------------------------------------------------------------- */

/* Begin the transaction.  NOW_US becomes created_at of all that it appends.  There is at most one.
 */
MUSTCHECK int store_begin(struct store *store, int64_t now_us, struct store_txn **ret_txn);

/* The view of TXN: the last commit and what TXN has appended.  It ends with TXN. */
struct store_view *store_txn_view(struct store_txn *txn);

struct store_key {
    uint64_t scope; /* customer, or 0: see record_scope() */
    struct slice request_id;
};

/* Say which request ids the rules are about to look up, so that an engine can fetch them at once.
 * KEYS must stay valid until the transaction ends. */
MUSTCHECK int store_announce(struct store_txn *txn, const struct store_key *keys, size_t n);

/* Append RECORD to the journal and to every index that is derived from it; sets its seq and
 * created_at_us.  Texts are copied.  The caller has checked what record_encode() asks for, and that
 * the request id and the external id are free, that the usage is not voided yet, that the invoice's
 * number is the next one (info.invoices + 1) and that the service that is deleted is there.  Fails
 * with STATUS_STORAGE_FULL, STATUS_CORRUPT, or STATUS_INTERNAL where one of these is not so after
 * all; the transaction can then only be aborted. */
MUSTCHECK int store_append(struct store_txn *txn, struct record *record);

/* Put all of TXN on disk and end it.  Returns 0: it is there for good.  STATUS_STORAGE_FULL:
 * nothing of it is.  STATUS_STORAGE_FAILED: what is on disk is unknown, and the store must not be
 * used again. */
MUSTCHECK int store_commit(struct store_txn *txn);

/* End TXN with nothing recorded. */
void store_abort(struct store_txn *txn);

/* --- views: any thread ------------------------------------------------------------------------ */

/* The state of the last commit.  Release it soon: a view keeps the space of all that is replaced
 * meanwhile.  Fails with STATUS_BUSY when readers_max views are open. */
MUSTCHECK int store_snapshot(struct store *store, struct store_view **ret_view);
void store_release(struct store_view *view);

/* From when *STOPPING is true on, store_record() of VIEW and the next row of every scan of it fail
 * with STATUS_SHUTTING_DOWN: so what reads a million of them ends soon, wherever it is.  STOPPING
 * is kept by reference and must outlive VIEW. */
void store_view_stop_on(struct store_view *view, const atomic_bool *stopping);

/* --- reading ---------------------------------------------------------------------------------- */

struct store_customer {
    uint64_t seq; /* of its creation */
    struct slice name;
    struct slice external_id;
    int64_t created_at_us;
    int64_t updated_at_us;   /* of the last rename, else of the creation */
    int64_t billed_until_us; /* end of the last invoice; 0: none */
};

/* The record SEQ.  STATUS_NOT_FOUND if there is none. */
MUSTCHECK int store_record(struct store_view *view, uint64_t seq, struct record *ret);

/* Which record it was that last gave a read of VIEW, of whatever kind, STATUS_CORRUPT because its
 * bytes in the journal are damaged; 0: none yet.  Damage in a table that leads to records does not
 * show here.  The records around it can still be read one by one. */
uint64_t store_view_damaged(struct store_view *view);

/* The record that was made under KEY.  STATUS_NOT_FOUND if there is none. */
MUSTCHECK int store_request(struct store_view *view, struct store_key key, struct record *ret);

/* The customer as it is now.  STATUS_NOT_FOUND if SEQ created no customer. */
MUSTCHECK int store_customer(struct store_view *view, uint64_t seq, struct store_customer *ret);

/* The customer that holds EXTERNAL_ID.  STATUS_NOT_FOUND if none does. */
MUSTCHECK int store_external_id(struct store_view *view, struct slice external_id,
                                uint64_t *ret_seq);

/* Scans call back for one row after the other; 0 goes on, STORE_SCAN_STOP ends the scan with 0,
 * a negative status ends it with that.  A callback may read more, but not append. */
enum {
    STORE_SCAN_STOP = 1,
};

typedef int (*store_customer_fn)(const struct store_customer *customer, void *arg);

/* Customers by sequence number, those after AFTER_SEQ. */
MUSTCHECK int store_scan_customers(struct store_view *view, uint64_t after_seq,
                                   store_customer_fn row_cb, void *arg);

enum store_clock {
    STORE_BY_OCCURRED, /* occurred_at; of a void, that of what it voids */
    STORE_BY_BILLED,   /* bills_at */
};

/* What stands on bills, as bits. */
enum store_rows {
    STORE_USAGE = 1 << 0,
    STORE_VOIDS = 1 << 1,
    STORE_ADJUSTMENTS = 1 << 2,
    STORE_BILLABLE = STORE_USAGE | STORE_VOIDS | STORE_ADJUSTMENTS,
};

struct store_position {
    int64_t time_us;
    uint64_t seq;
};

struct store_range {
    uint64_t customer;
    unsigned rows; /* enum store_rows: which kinds of records */
    enum store_clock by;
    int64_t start_us;            /* from here */
    int64_t end_us;              /* up to before here */
    struct store_position after; /* and only behind this; {0, 0}: all */
};

typedef int (*store_record_fn)(const struct record *record, void *arg);

/* One customer's records by time, then sequence number. */
MUSTCHECK int store_scan(struct store_view *view, const struct store_range *range,
                         store_record_fn row_cb, void *arg);

typedef int (*store_position_fn)(struct store_position position, void *arg);

/* Where the same records stand, without reading them: what takes long where there are many and
 * their times say nothing of their order in the journal. */
MUSTCHECK int store_scan_positions(struct store_view *view, const struct store_range *range,
                                   store_position_fn row_cb, void *arg);

/* Every record of the journal behind AFTER_SEQ, in its order. */
MUSTCHECK int store_scan_journal(struct store_view *view, uint64_t after_seq,
                                 store_record_fn row_cb, void *arg);

struct store_sum {
    struct slice service;
    struct decimal price;
    int64_t hour_us; /* start of the hour of the clock asked for; every record is within it */
    uint64_t records;
    uint64_t voided; /* voids: they take units and amount away again */
    uint64_t late;
    struct amount units;
    struct amount amount;
};

typedef int (*store_sum_fn)(const struct store_sum *sum, void *arg);

/* What one customer used in RANGE, less what was voided, added up as far as the engine has it: its
 * `rows` and `after` are ignored; several sums may bear the same service, price and hour, in any
 * order; together they are exact. */
MUSTCHECK int store_scan_sums(struct store_view *view, const struct store_range *range,
                              store_sum_fn row_cb, void *arg);

/* The void of the usage record USAGE_SEQ.  STATUS_NOT_FOUND if it is not voided. */
MUSTCHECK int store_void(struct store_view *view, uint64_t usage_seq, struct record *ret);

/* --- invoices --------------------------------------------------------------------------------- */

/* The invoice with NUMBER.  STATUS_NOT_FOUND if there is none. */
MUSTCHECK int store_invoice(struct store_view *view, uint64_t number, struct record *ret);

/* Invoices by number, those after AFTER_NUMBER: one customer's, or with CUSTOMER 0 everyone's. */
MUSTCHECK int store_scan_invoices(struct store_view *view, uint64_t customer, uint64_t after_number,
                                  store_record_fn row_cb, void *arg);

/* --- the catalogue ---------------------------------------------------------------------------- */

struct store_service {
    struct slice name;
    struct slice unit;     /* empty: none */
    int64_t created_at_us; /* when it was put where there was none */
    int64_t updated_at_us; /* when it was put last */
};

/* The service NAME as it is now.  STATUS_NOT_FOUND if the catalogue has none. */
MUSTCHECK int store_service(struct store_view *view, struct slice name, struct store_service *ret);

typedef int (*store_service_fn)(const struct store_service *service, void *arg);

/* Services by the bytes of their names, those after AFTER_NAME (empty: all). */
MUSTCHECK int store_scan_services(struct store_view *view, struct slice after_name,
                                  store_service_fn row_cb, void *arg);

/* --- verifying -------------------------------------------------------------------------------- */

/* What a finding is about. */
enum store_fault {
    STORE_DAMAGED,   /* stored bytes fail their own check */
    STORE_UNKNOWN,   /* they are whole, and of a format that is not known here */
    STORE_MISSING,   /* what the journal calls for is not there */
    STORE_SURPLUS,   /* it is there, and the journal does not call for it, or it is there twice */
    STORE_WRONG,     /* it is there, and says something else than the journal */
    STORE_UNCHECKED, /* it cannot be compared, since what it is made of is damaged */
};

/* In a word, for people: "damaged". */
const char *store_fault_name(enum store_fault fault);

struct store_finding {
    enum store_fault fault;
    const char *table; /* in which: a static text of the engine's */
    uint64_t seq;      /* of the record that it is about, or of the first; 0: of none */
    uint64_t segment;  /* of the engine's, where it is in one; else 0 */
    int64_t chunk;     /* of the segment, or -1 */
    uint64_t rows;     /* how many rows, blocks or chunks it is about */
    const char *text;  /* for people: what was expected, and what is there; the call's own */
};

/* Both callbacks: 0 goes on, a negative status ends the verification with that. */
struct store_verify {
    int (*finding_cb)(const struct store_finding *finding, void *arg);
    /* DONE of ALL steps, from time to time, some thousands of steps apart; NULL: nobody wants to
     * know.  Also called while nothing gets on, so that a caller can end it. */
    int (*progress_cb)(uint64_t done, uint64_t all, void *arg);
    void *arg; /* of both */
};

/* What was checked. */
struct store_verified {
    uint64_t blocks;   /* of the journal */
    uint64_t records;  /* in them */
    uint64_t rows;     /* derived from them: what is in tables, in segments and in memory */
    uint64_t findings; /* 0: all of it is as it should be */
};

/* Read all that VIEW sees, which is of store_snapshot(): that the journal is whole and one chain
 * from its first record on, and that all that is derived from it is there, once, and as the records
 * have it.  What is damaged is told and passed over.  Takes long, beside whatever else the store
 * does; the memory that it takes is bounded but for some bits a record.  Obeys
 * store_view_stop_on().
 *
 * Returns 0 where it came to its end, whatever it found; what a callback returned;
 * STATUS_SHUTTING_DOWN, STATUS_NO_MEMORY, or the status of a read that failed. */
MUSTCHECK int store_verify(struct store_view *view, const struct store_verify *how,
                           struct store_verified *ret);
