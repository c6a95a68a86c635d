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

    /* While store_open() has much to do: called with the record that it has come to, many times a
     * second.  NULL: nobody wants to know. */
    void (*progress)(uint64_t seq, void *arg);
    void *progress_arg;
};

/* Whether URI is one that store_open() takes.  Looks at nothing else.
 * Returns 0, or STATUS_OUT_OF_BOUNDS with REASON saying what is wrong with it.  Any thread. */
MUSTCHECK int store_check(const char *uri, struct errinfo *reason);

/* Open the store at URI ("lmdb:"), creating it at need, and bring it up to its last commit.
 * Before other threads.  On failure REASON says why, in words for the operator. */
MUSTCHECK int store_open(const char *uri, const struct store_options *options,
                         struct store **ret_store, struct errinfo *reason);

/* What a start would find. */
struct store_found {
    bool there;          /* else the first start makes it */
    bool to_be_upgraded; /* it is of an older format, and the start changes it */
    bool cut_short;      /* its file is shorter than it is to be: only a start looks further */
    uint64_t last_seq;   /* of the newest record; not where it is cut short */
};

/* Look whether store_open() would work, as far as can be told while nothing on disk is made or
 * changed: place, lock, format, currency, and the end of the journal.  Returns as store_open(). */
MUSTCHECK int store_look(const char *uri, const struct store_options *options,
                         struct store_found *ret, struct errinfo *reason);

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
    uint64_t api_keys;     /* how many there are that are not revoked */
    uint64_t bytes;        /* on disk */
    int64_t created_at_us; /* its birth */
};

/* The state as of VIEW. */
MUSTCHECK int store_info(struct store_view *view, struct store_info *ret);

/* What an operator watches.  What an engine has not is 0. */
struct store_stats {
    uint64_t file_bytes;        /* of the data file */
    uint64_t used_bytes;        /* of it, up to the last page that was ever used */
    uint64_t map_bytes;         /* which it can grow to */
    uint64_t disk_free_bytes;   /* where it is, for who is not root */
    uint64_t segments;          /* that are read */
    uint64_t segments_replaced; /* that are not read any more and wait to be removed */
    uint64_t head_records;      /* not in segments yet */
    uint64_t head_bytes;        /* of memory that they take */
    uint64_t views;             /* open */
    int64_t oldest_view_us;     /* monotonic: when the oldest of them was opened; 0: none is */
    int sealer_status;          /* how the last sealing, merging or removal went */
    bool segments_damaged;      /* some are not merged, or none removed any more */
    uint64_t segment_damaged;   /* one that cannot be read and is not merged; 0: none is */
};

/* The state of now, of no transaction: from memory and two questions to the kernel.  Any thread. */
void store_stats(struct store *store, struct store_stats *ret);

/* --- writing: committer thread ---------------------------------------------------------------- */

/* Begin the transaction.  NOW_US becomes created_at of all that it appends.  There is at most
 * one. */
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
 * number is the next one (info.invoices + 1), that the service that is deleted is there, that the
 * name of a key is free, and that the key that is revoked is there, and is not revoked yet.  Fails
 * with STATUS_STORAGE_FULL, STATUS_CORRUPT, or STATUS_INTERNAL where one of these is not so after
 * all; the transaction can then only be aborted. */
MUSTCHECK int store_append(struct store_txn *txn, struct record *record);

/* Put all of TXN on disk and end it.  Returns 0: it is there for good.  STATUS_STORAGE_FAILED: what
 * is on disk is unknown, and the store must not be used again.  Any other: nothing of it is there,
 * as with STATUS_STORAGE_FULL, STATUS_NO_MEMORY, or STATUS_BUSY, where work of the engine's own
 * that went along has failed, and the same again goes without it. */
MUSTCHECK int store_commit(struct store_txn *txn);

/* End TXN with nothing recorded. */
void store_abort(struct store_txn *txn);

/* --- views: any thread ------------------------------------------------------------------------ */

/* The state of the last commit.  Release it soon: a view keeps the space of all that is replaced
 * meanwhile.  Fails with STATUS_BUSY when readers_max views are open. */
MUSTCHECK int store_snapshot(struct store *store, struct store_view **ret_view);
/* End VIEW; what its reads returned is no longer valid. */
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

/* --- API keys --------------------------------------------------------------------------------- */

struct store_api_key {
    uint64_t seq; /* of its creation */
    struct key_created created;
    struct slice created_by;
    int64_t created_at_us;
    int64_t last_used_us;  /* as far as it is recorded; 0: never */
    int64_t revoked_at_us; /* 0: it is not */
    struct slice revoked_by;
};

/* The key as it is now.  STATUS_NOT_FOUND if SEQ created no key. */
MUSTCHECK int store_api_key(struct store_view *view, uint64_t seq, struct store_api_key *ret);

/* The key that is called NAME and is not revoked.  STATUS_NOT_FOUND if none is. */
MUSTCHECK int store_api_key_named(struct store_view *view, struct slice name, uint64_t *ret_seq);

typedef int (*store_api_key_fn)(const struct store_api_key *key, void *arg);

/* Keys by sequence number, revoked ones too, those after AFTER_SEQ. */
MUSTCHECK int store_scan_api_keys(struct store_view *view, uint64_t after_seq,
                                  store_api_key_fn row_cb, void *arg);

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

/* --- backing up ------------------------------------------------------------------------------- */

struct store_backup {
    const char *directory; /* to be made: absolute, not there yet, in a directory that is */
    /* As in struct store_verify; of bytes.  What it returns is no longer asked for once the backup
     * has its name. */
    int (*progress_cb)(uint64_t done, uint64_t all, void *arg);
    void *arg;
};

/* What was made. */
struct store_copied {
    uint64_t last_seq; /* of the newest record in it */
    uint64_t bytes;    /* of it on disk */
    uint64_t grown;    /* bytes by which the store grew while it was copied */
    int64_t held_us;   /* for how long it kept the space of what was replaced meanwhile */
};

/* Whether a backup could be made at DIRECTORY now.  Returns 0, and then REASON, which was empty,
 * may have a warning: its file system is in memory; STATUS_OUT_OF_BOUNDS where it is not absolute,
 * is there already, is in the store's own directory, or its parent is not there, cannot be written,
 * or is on a file system that a store cannot be on; or STATUS_STORAGE_FAILED: with REASON, which
 * tells what is wrong with it.  Any thread; looks at disks. */
MUSTCHECK int store_backup_check(struct store *store, const char *directory,
                                 struct errinfo *reason);

/* Copy the store as of the last commit, while others read and write, to a directory that a store
 * can be opened in.  What is there in the end is whole: it is on disk, it was opened, and has the
 * same records; short of that, DIRECTORY is not there.  Takes a view while it copies, so
 * STATUS_BUSY where there is none.  Any thread, one backup at a time.
 *
 * Returns 0; what progress_cb returned; as store_backup_check(); STATUS_STORAGE_FULL where
 * DIRECTORY has no room; STATUS_CORRUPT where the journal is damaged; or another status: with
 * REASON.  A process that dies in it leaves a directory beside DIRECTORY, with another name, that
 * the next backup there removes. */
MUSTCHECK int store_backup(struct store *store, const struct store_backup *how,
                           struct store_copied *ret, struct errinfo *reason);
