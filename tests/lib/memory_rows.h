/* What the files of memory_store.h share: its rows, and finding them.  A row never changes once it
 * is there, so it may be read unlocked; the list of them may not. */
#pragma once

#include <pthread.h>
#include <stdlib.h>

#include "billingd/store/engine.h"
#include "tests/lib/memory_store.h"

/* What a read returned, until its view lets go of it. */
struct loan {
    struct loan *next;
    char data[];
};

struct memory_view {
    struct store_view head;
    struct memory_store *memory;
    size_t n;         /* it sees this many records */
    uint64_t damaged; /* the last that was asked for */
    struct loan *loans;
};

struct memory_txn {
    struct store_txn head;
    struct memory_store *memory;
    struct memory_view view;
    int64_t now_us;
    bool broken; /* an append failed: it can only be aborted */
    const struct store_key *keys;
    size_t n_keys;
};

struct row {
    struct record record; /* its texts are owned */
    bool damaged;
};

struct fault {
    int status;
    unsigned after;
    unsigned times;
};

struct memory_store {
    struct store head;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t gate_changed;
    struct row **rows; /* by sequence number, from 1; those of the open transaction at the end */
    uint64_t *hashes;  /* of their request ids: spares looking at most rows */
    size_t n;
    size_t capacity;
    size_t committed;
    size_t of_kind[RECORD_KEY_USED + 1]; /* rows: mostly there are none to look for */
    struct memory_txn *txn;
    struct fault faults[MEMORY_CALLS];
    struct memory_counts counts;
    uint64_t billed_customer;
    int64_t billed_until_us;
    bool gate;       /* commits wait */
    bool held;       /* one does */
    unsigned passes; /* that may go through all the same */
    struct store_stats stats;
};

/* End the test, and say WHY. */
__attribute__((noreturn)) void memory_die(const char *why);

/* End it where what HOLDS says is not so. */
static inline void memory_check(bool holds, const char *why)
{
    if (!holds) {
        memory_die(why);
    }
}

/* BYTES of memory, all 0. */
void *memory_need(size_t bytes);

/* Count a call, and fail it if it is its turn. */
int memory_pass_alone(struct memory_store *m, enum memory_call call);

/* --- rows and their texts --------------------------------------------------------------------- */

/* Give RECORD texts of its own. */
void memory_own_texts(struct record *record);

/* Free ROW and its texts. */
void memory_free_row(struct row *row);

/* TEXT for as long as VIEW may be believed. */
struct slice memory_lend(struct memory_view *view, struct slice text);

/* The record of ROW, with texts for as long as VIEW may be believed. */
void memory_lend_record(struct memory_view *view, const struct row *row, struct record *ret);

/* VIEW is to be believed no more. */
void memory_end_loans(struct memory_view *view);

/* Of what a request id is looked up by. */
uint64_t memory_hash(struct store_key key);

/* --- looking: what a view sees ---------------------------------------------------------------- */

struct memory_view *memory_view_of(struct store_view *view);

/* The row SEQ as VIEW sees it, or NULL.  Rows never change, so it may be read unlocked. */
const struct row *memory_row(struct memory_view *view, uint64_t seq);

/* Whether the test damaged ROW. */
bool memory_is_damaged(struct memory_view *view, const struct row *row);

/* The row that has KEY, that holds EXTERNAL_ID, or NULL. */
const struct row *memory_find_request(struct memory_view *view, struct store_key key);
const struct row *memory_find_external_id(struct memory_view *view, struct slice external_id);

/* The row SEQ if it is of KIND, or NULL. */
const struct row *memory_find_kind(struct memory_view *view, uint64_t seq, enum record_kind kind);

typedef bool (*matches_fn)(const struct record *record, const void *wanted);

/* The last row of KIND that VIEW sees and that MATCHES takes for WANTED, or NULL. */
const struct row *memory_find_last(struct memory_view *view, enum record_kind kind,
                                   matches_fn matches, const void *wanted);

/* For memory_find_last(): by customer, and of invoices by number. */
bool memory_is_of_customer(const struct record *record, const void *wanted);
bool memory_is_numbered(const struct record *record, const void *wanted);

/* The void of the usage USAGE_SEQ, or NULL. */
const struct row *memory_find_void(struct memory_view *view, uint64_t usage_seq);

/* How many rows of KIND there are. */
uint64_t memory_count_kind(struct memory_view *view, enum record_kind kind);

/* The row that put NAME last, and in *RET_CREATED, where given, the one that put it where there was
 * none; NULL where VIEW sees it deleted, or never put. */
const struct row *memory_find_service(struct memory_view *view, struct slice name,
                                      const struct row **ret_created);

/* Whether record SEQ made an API key, and whether that is revoked. */
bool memory_is_key(struct memory_view *view, uint64_t seq, bool *ret_revoked);

/* The key called NAME that is not revoked, or 0. */
uint64_t memory_find_key(struct memory_view *view, struct slice name);

/* --- reading: as their namesakes in engine.h (memory_read.c) ---------------------------------- */

int memory_info(struct store_view *view, struct store_info *ret);
int memory_record(struct store_view *view, uint64_t seq, struct record *ret);
int memory_request(struct store_view *view, struct store_key key, struct record *ret);
int memory_customer(struct store_view *view, uint64_t seq, struct store_customer *ret);
int memory_external_id(struct store_view *view, struct slice external_id, uint64_t *ret_seq);
int memory_scan_customers(struct store_view *view, uint64_t after_seq, store_customer_fn row_cb,
                          void *arg);
int memory_scan(struct store_view *view, const struct store_range *range, store_record_fn row_cb,
                void *arg);
int memory_scan_positions(struct store_view *view, const struct store_range *range,
                          store_position_fn row_cb, void *arg);
int memory_scan_journal(struct store_view *view, uint64_t after_seq, store_record_fn row_cb,
                        void *arg);
int memory_scan_sums(struct store_view *view, const struct store_range *range, store_sum_fn row_cb,
                     void *arg);
uint64_t memory_damaged(struct store_view *view);
int memory_void(struct store_view *view, uint64_t usage_seq, struct record *ret);
int memory_invoice(struct store_view *view, uint64_t number, struct record *ret);
int memory_scan_invoices(struct store_view *view, uint64_t customer, uint64_t after_number,
                         store_record_fn row_cb, void *arg);
int memory_service(struct store_view *view, struct slice name, struct store_service *ret);
int memory_scan_services(struct store_view *view, struct slice after_name, store_service_fn row_cb,
                         void *arg);
int memory_api_key(struct store_view *view, uint64_t seq, struct store_api_key *ret);
int memory_api_key_named(struct store_view *view, struct slice name, uint64_t *ret_seq);
int memory_scan_api_keys(struct store_view *view, uint64_t after_seq, store_api_key_fn row_cb,
                         void *arg);
int memory_verify(struct store_view *view, const struct store_verify *how,
                  struct store_verified *ret);
int memory_backup_check(struct store *store, const char *directory, struct errinfo *reason);
int memory_backup(struct store *store, const struct store_backup *how, struct store_copied *ret,
                  struct errinfo *reason);
