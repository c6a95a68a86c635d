#include "tests/lib/memory_store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "billingd/store/engine.h"

static const struct store_ops ops;

/* What a read returned, until its view lets go of it. */
struct loan {
    struct loan *next;
    char data[];
};

struct memory_view {
    struct store_view head;
    struct memory_store *memory;
    size_t n; /* it sees this many records */
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
    size_t renames; /* how many of the rows are: mostly there are none to look for */
    struct memory_txn *txn;
    struct fault faults[MEMORY_CALLS];
    struct memory_counts counts;
    uint64_t billed_customer;
    int64_t billed_until_us;
    bool gate;       /* commits wait */
    bool held;       /* one does */
    unsigned passes; /* that may go through all the same */
};

__attribute__((noreturn)) static void die(const char *why)
{
    IGNORE(fprintf(stderr, "memory_store: %s\n", why) < 0); /* nowhere else to say it */
    abort();
}

static void check(bool holds, const char *why)
{
    if (!holds) {
        die(why);
    }
}

static void *need(size_t bytes)
{
    void *memory = calloc(1, bytes == 0 ? 1 : bytes);
    check(memory != NULL, "out of memory");
    return memory;
}

/* Count a call, and fail it if it is its turn.  Locked. */
static int pass(struct memory_store *m, enum memory_call call)
{
    struct fault *fault = &m->faults[call];
    m->counts.calls[call]++;
    if (fault->times == 0) {
        return 0;
    }
    if (fault->after > 0) {
        fault->after--;
        return 0;
    }
    fault->times--;
    return fault->status;
}

static int pass_alone(struct memory_store *m, enum memory_call call)
{
    pthread_mutex_lock(&m->lock);
    int rc = pass(m, call);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

/* --- texts ------------------------------------------------------------------------------------ */

enum {
    TEXTS_MAX = 4,
};

/* The texts of RECORD, by its kind.  Returns how many. */
static size_t texts_of(struct record *record, struct slice *texts[TEXTS_MAX])
{
    texts[0] = &record->request_id;
    texts[1] = &record->recorded_by;
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        texts[2] = &record->customer_created.name;
        texts[3] = &record->customer_created.external_id;
        return 4;
    case RECORD_CUSTOMER_RENAMED:
        texts[2] = &record->customer_renamed.name;
        return 3;
    case RECORD_USAGE:
        texts[2] = &record->usage.service;
        texts[3] = &record->usage.labels;
        return 4;
    }
    die("a record of no kind");
}

static void own_texts(struct record *record)
{
    struct slice *texts[TEXTS_MAX];
    size_t n = texts_of(record, texts);
    for (size_t i = 0; i < n; i++) {
        char *copy = need(texts[i]->length);
        if (texts[i]->length > 0) {
            memcpy(copy, texts[i]->data, texts[i]->length);
        }
        texts[i]->data = copy;
    }
}

static void free_row(struct row *row)
{
    struct slice *texts[TEXTS_MAX];
    size_t n = texts_of(&row->record, texts);
    for (size_t i = 0; i < n; i++) {
        free((char *)(uintptr_t)texts[i]->data);
    }
    free(row);
}

/* TEXT for as long as VIEW may be believed. */
static struct slice lend(struct memory_view *view, struct slice text)
{
    struct loan *loan = need(sizeof *loan + text.length);
    loan->next = view->loans;
    view->loans = loan;
    if (text.length == 0) {
        return (struct slice){0};
    }
    return (struct slice){memcpy(loan->data, text.data, text.length), text.length};
}

static void end_loans(struct memory_view *view)
{
    while (view->loans != NULL) {
        struct loan *next = view->loans->next;
        free(view->loans);
        view->loans = next;
    }
}

static void lend_record(struct memory_view *view, const struct row *row, struct record *ret)
{
    struct slice *texts[TEXTS_MAX];
    *ret = row->record;
    size_t n = texts_of(ret, texts);
    for (size_t i = 0; i < n; i++) {
        *texts[i] = lend(view, *texts[i]);
    }
}

static uint64_t hash_of(struct store_key key)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ key.scope;
    for (size_t i = 0; i < key.request_id.length; i++) {
        hash = (hash ^ (unsigned char)key.request_id.data[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

/* --- looking ---------------------------------------------------------------------------------- */

/* The row SEQ as VIEW sees it, or NULL.  Rows never change, so it may be read unlocked. */
static const struct row *row_at(struct memory_view *view, uint64_t seq)
{
    struct memory_store *m = view->memory;
    const struct row *row = NULL;
    pthread_mutex_lock(&m->lock);
    if (seq >= 1 && seq <= view->n) {
        row = m->rows[seq - 1];
    }
    pthread_mutex_unlock(&m->lock);
    return row;
}

static bool is_damaged(struct memory_view *view, const struct row *row)
{
    pthread_mutex_lock(&view->memory->lock);
    bool damaged = row->damaged;
    pthread_mutex_unlock(&view->memory->lock);
    return damaged;
}

static bool is_under(const struct row *row, struct store_key key)
{
    return record_scope(&row->record) == key.scope && row->record.request_id.length > 0 &&
           slice_equal(row->record.request_id, key.request_id);
}

static const struct row *find_request(struct memory_view *view, struct store_key key)
{
    struct memory_store *m = view->memory;
    uint64_t hash = hash_of(key);
    const struct row *found = NULL;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < view->n && found == NULL; i++) {
        if (m->hashes[i] == hash && is_under(m->rows[i], key)) {
            found = m->rows[i];
        }
    }
    pthread_mutex_unlock(&m->lock);
    return found;
}

static const struct row *find_external_id(struct memory_view *view, struct slice external_id)
{
    for (uint64_t seq = 1; seq <= view->n && external_id.length > 0; seq++) {
        const struct row *row = row_at(view, seq);
        if (row->record.kind == RECORD_CUSTOMER_CREATED &&
            slice_equal(row->record.customer_created.external_id, external_id)) {
            return row;
        }
    }
    return NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int memory_open(const char *uri, const struct store_options *options,
                       struct store **ret_store, struct errinfo *reason)
{
    (void)uri;
    (void)options;
    (void)ret_store;
    (void)reason;
    die("it is made by memory_store_create()");
}

static void memory_close(struct store *store)
{
    (void)store;
}

static struct memory_store *memory_of(struct store *store)
{
    return (struct memory_store *)(void *)store;
}

static struct memory_txn *txn_of(struct store_txn *txn)
{
    return (struct memory_txn *)(void *)txn;
}

static struct memory_view *view_of(struct store_view *view)
{
    return (struct memory_view *)(void *)view;
}

static int memory_begin(struct store *store, int64_t now_us, struct store_txn **ret_txn)
{
    struct memory_store *m = memory_of(store);
    pthread_mutex_lock(&m->lock);
    int rc = pass(m, MEMORY_BEGIN);
    if (rc == 0) {
        check(m->txn == NULL, "a second transaction");
        struct memory_txn *txn = need(sizeof *txn);
        txn->head.ops = &ops;
        txn->memory = m;
        txn->now_us = now_us;
        txn->view = (struct memory_view){.head = {.ops = &ops}, .memory = m, .n = m->committed};
        m->txn = txn;
        *ret_txn = &txn->head;
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static struct store_view *memory_txn_view(struct store_txn *txn)
{
    return &txn_of(txn)->view.head;
}

static int memory_announce(struct store_txn *txn, const struct store_key *keys, size_t n)
{
    struct memory_txn *t = txn_of(txn);
    for (size_t i = 0; i < n; i++) {
        check(keys[i].request_id.length > 0, "an empty request id was announced");
    }
    pthread_mutex_lock(&t->memory->lock);
    t->memory->counts.keys_announced += n;
    int rc = pass(t->memory, MEMORY_ANNOUNCE);
    pthread_mutex_unlock(&t->memory->lock);
    t->keys = keys;
    t->n_keys = n;
    return rc;
}

/* What a caller must have seen to. */
static void check_append(struct memory_txn *txn, const struct record *record)
{
    uint8_t *bytes = need(RECORD_BYTES_MAX);
    struct record decoded = {0};
    size_t length = record_encode(record, bytes);
    check(record_decode(bytes, length, &decoded) == 0, "a record that cannot be read back");
    free(bytes);
    check(!txn->broken, "an append after one that failed");
    struct store_key key = {record_scope(record), record->request_id};
    check(record->request_id.length == 0 || find_request(&txn->view, key) == NULL,
          "the request id is taken");
    check(record->kind == RECORD_CUSTOMER_RENAMED || record->request_id.length > 0,
          "a record without its request id");
    check(record->kind != RECORD_CUSTOMER_CREATED ||
              find_external_id(&txn->view, record->customer_created.external_id) == NULL,
          "the external id is taken");
}

static void push_row(struct memory_store *m, struct row *row)
{
    if (m->n == m->capacity) {
        m->capacity = m->capacity == 0 ? 64 : m->capacity * 2;
        m->rows = realloc(m->rows, m->capacity * sizeof *m->rows);
        m->hashes = realloc(m->hashes, m->capacity * sizeof *m->hashes);
        check(m->rows != NULL && m->hashes != NULL, "out of memory");
    }
    m->hashes[m->n] =
        hash_of((struct store_key){record_scope(&row->record), row->record.request_id});
    m->rows[m->n++] = row;
    m->renames += row->record.kind == RECORD_CUSTOMER_RENAMED;
}

static int memory_append(struct store_txn *txn, struct record *record)
{
    struct memory_txn *t = txn_of(txn);
    struct memory_store *m = t->memory;
    check_append(t, record);
    int rc = pass_alone(m, MEMORY_APPEND);
    if (rc < 0) {
        t->broken = true;
        return rc;
    }
    struct row *row = need(sizeof *row);
    record->seq = m->n + 1; /* only this thread appends */
    record->created_at_us = t->now_us;
    row->record = *record;
    own_texts(&row->record);
    pthread_mutex_lock(&m->lock);
    push_row(m, row);
    t->view.n = m->n;
    pthread_mutex_unlock(&m->lock);
    end_loans(&t->view);
    return 0;
}

/* Locked; the transaction is gone afterwards. */
static void end_txn(struct memory_txn *txn, bool keep)
{
    struct memory_store *m = txn->memory;
    for (size_t i = 0; i < txn->n_keys; i++) {
        check(txn->keys[i].request_id.length > 0, "announced keys died before the transaction");
    }
    while (!keep && m->n > m->committed) {
        struct row *row = m->rows[--m->n];
        m->renames -= row->record.kind == RECORD_CUSTOMER_RENAMED;
        free_row(row);
    }
    m->committed = m->n;
    m->txn = NULL;
    end_loans(&txn->view);
    free(txn);
}

static int memory_commit(struct store_txn *txn)
{
    struct memory_txn *t = txn_of(txn);
    struct memory_store *m = t->memory;
    check(!t->broken, "a commit after an append that failed");
    pthread_mutex_lock(&m->lock);
    while (m->gate && m->passes == 0) {
        m->held = true;
        pthread_cond_broadcast(&m->gate_changed);
        pthread_cond_wait(&m->gate_changed, &m->lock);
    }
    m->held = false;
    m->passes -= m->passes > 0;
    int rc = pass(m, MEMORY_COMMIT);
    end_txn(t, rc == 0);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static void memory_abort(struct store_txn *txn)
{
    struct memory_txn *t = txn_of(txn);
    struct memory_store *m = t->memory;
    pthread_mutex_lock(&m->lock);
    m->counts.aborts++;
    end_txn(t, false);
    pthread_mutex_unlock(&m->lock);
}

/* --- views ------------------------------------------------------------------------------------ */

static int memory_snapshot(struct store *store, struct store_view **ret_view)
{
    struct memory_store *m = memory_of(store);
    pthread_mutex_lock(&m->lock);
    int rc = pass(m, MEMORY_SNAPSHOT);
    if (rc == 0) {
        struct memory_view *view = need(sizeof *view);
        *view = (struct memory_view){.head = {.ops = &ops}, .memory = m, .n = m->committed};
        m->counts.views_open++;
        *ret_view = &view->head;
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static void memory_release(struct store_view *view)
{
    struct memory_view *v = view_of(view);
    pthread_mutex_lock(&v->memory->lock);
    v->memory->counts.views_open--;
    pthread_mutex_unlock(&v->memory->lock);
    end_loans(v);
    free(v);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int memory_info(struct store_view *view, struct store_info *ret)
{
    struct memory_view *v = view_of(view);
    *ret = (struct store_info){.engine = "memory", .id_key = 42, .last_seq = v->n, .bytes = 4096};
    for (uint64_t seq = 1; seq <= v->n; seq++) {
        enum record_kind kind = row_at(v, seq)->record.kind;
        ret->customers += kind == RECORD_CUSTOMER_CREATED;
        ret->usage += kind == RECORD_USAGE;
    }
    return pass_alone(v->memory, MEMORY_INFO);
}

static int give(struct memory_view *view, const struct row *row, struct record *ret)
{
    if (row == NULL) {
        return STATUS_NOT_FOUND;
    }
    if (is_damaged(view, row)) {
        return STATUS_CORRUPT;
    }
    lend_record(view, row, ret);
    return 0;
}

static int memory_record(struct store_view *view, uint64_t seq, struct record *ret)
{
    return give(view_of(view), row_at(view_of(view), seq), ret);
}

static int memory_request(struct store_view *view, struct store_key key, struct record *ret)
{
    return give(view_of(view), find_request(view_of(view), key), ret);
}

static int64_t billed_until(struct memory_view *view, uint64_t customer)
{
    pthread_mutex_lock(&view->memory->lock);
    int64_t time_us = view->memory->billed_customer == customer ? view->memory->billed_until_us : 0;
    pthread_mutex_unlock(&view->memory->lock);
    return time_us;
}

/* The last renaming of CUSTOMER that VIEW sees, or NULL. */
static const struct row *find_rename(struct memory_view *view, uint64_t customer)
{
    struct memory_store *m = view->memory;
    const struct row *found = NULL;
    pthread_mutex_lock(&m->lock);
    for (size_t i = m->renames > 0 ? view->n : 0; i > customer && found == NULL; i--) {
        const struct record *record = &m->rows[i - 1]->record;
        if (record->kind == RECORD_CUSTOMER_RENAMED &&
            record->customer_renamed.customer == customer) {
            found = m->rows[i - 1];
        }
    }
    pthread_mutex_unlock(&m->lock);
    return found;
}

static int memory_customer(struct store_view *view, uint64_t seq, struct store_customer *ret)
{
    struct memory_view *v = view_of(view);
    const struct row *row = row_at(v, seq);
    if (row == NULL || row->record.kind != RECORD_CUSTOMER_CREATED) {
        return STATUS_NOT_FOUND;
    }
    if (is_damaged(v, row)) {
        return STATUS_CORRUPT;
    }
    struct slice name = row->record.customer_created.name;
    *ret = (struct store_customer){
        .seq = seq,
        .created_at_us = row->record.created_at_us,
        .updated_at_us = row->record.created_at_us,
        .billed_until_us = billed_until(v, seq),
    };
    const struct row *rename = find_rename(v, seq);
    if (rename != NULL) {
        name = rename->record.customer_renamed.name;
        ret->updated_at_us = rename->record.created_at_us;
    }
    ret->name = lend(v, name);
    ret->external_id = lend(v, row->record.customer_created.external_id);
    return 0;
}

static int memory_external_id(struct store_view *view, struct slice external_id, uint64_t *ret_seq)
{
    const struct row *row = find_external_id(view_of(view), external_id);
    if (row == NULL) {
        return STATUS_NOT_FOUND;
    }
    *ret_seq = row->record.seq;
    return 0;
}

static int end_of_scan(int rc)
{
    return rc == STORE_SCAN_STOP ? 0 : rc;
}

static int memory_scan_customers(struct store_view *view, uint64_t after_seq,
                                 store_customer_fn row_cb, void *arg)
{
    int rc = 0;
    for (uint64_t seq = after_seq + 1; seq <= view_of(view)->n && rc == 0; seq++) {
        struct store_customer customer;
        rc = memory_customer(view, seq, &customer);
        rc = rc == STATUS_NOT_FOUND ? 0 : rc == 0 ? row_cb(&customer, arg) : rc;
    }
    return end_of_scan(rc);
}

struct place {
    struct store_position position;
    const struct row *row;
};

static int compare_places(const void *a, const void *b)
{
    const struct store_position *left = &((const struct place *)a)->position;
    const struct store_position *right = &((const struct place *)b)->position;
    if (left->time_us != right->time_us) {
        return left->time_us < right->time_us ? -1 : 1;
    }
    return left->seq < right->seq ? -1 : left->seq > right->seq;
}

/* The usage in RANGE, sorted, in memory of VIEW's. */
static size_t usage_in(struct memory_view *view, const struct store_usage_range *range,
                       struct place **ret_places)
{
    struct place *places = need((view->n + 1) * sizeof *places);
    size_t n = 0;
    for (uint64_t seq = 1; seq <= view->n; seq++) {
        const struct row *row = row_at(view, seq);
        const struct usage *usage = &row->record.usage;
        if (row->record.kind != RECORD_USAGE || usage->customer != range->customer) {
            continue;
        }
        int64_t time_us = range->by == STORE_BY_BILLED ? usage->bills_at_us : usage->occurred_at_us;
        if (time_us >= range->start_us && time_us < range->end_us) {
            places[n++] = (struct place){{time_us, seq}, row};
        }
    }
    qsort(places, n, sizeof *places, compare_places);
    *ret_places = places;
    return n;
}

static int memory_scan_usage(struct store_view *view, const struct store_usage_range *range,
                             store_record_fn row_cb, void *arg)
{
    struct place after = {.position = range->after};
    bool from_start = range->after.time_us == 0 && range->after.seq == 0;
    struct place *places;
    size_t n = usage_in(view_of(view), range, &places);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct record record;
        if (!from_start && compare_places(&places[i], &after) <= 0) {
            continue;
        }
        rc = give(view_of(view), places[i].row, &record);
        rc = rc == 0 ? row_cb(&record, arg) : rc;
    }
    free(places);
    return end_of_scan(rc);
}

/* A row a record, the newest first: as scattered as the interface allows. */
static int memory_scan_sums(struct store_view *view, const struct store_usage_range *range,
                            store_sum_fn row_cb, void *arg)
{
    struct place *places;
    size_t n = usage_in(view_of(view), range, &places);
    int rc = 0;
    for (size_t i = n; i > 0 && rc == 0; i--) {
        struct record record;
        rc = give(view_of(view), places[i - 1].row, &record);
        if (rc < 0) {
            break;
        }
        int64_t time_us = places[i - 1].position.time_us;
        struct store_sum sum = {
            .service = record.usage.service,
            .price = record.usage.price,
            .hour_us = time_us - time_us % INT64_C(3600000000),
            .records = 1,
            .late = record.usage.bills_at_us > record.usage.occurred_at_us,
            .units = amount_from_decimal(record.usage.units),
        };
        check(amount_product(record.usage.units, record.usage.price, &sum.amount) == 0,
              "an amount beyond its bound was appended");
        rc = row_cb(&sum, arg);
    }
    free(places);
    return end_of_scan(rc);
}

static const struct store_ops ops = {
    .scheme = "memory:",
    .open = memory_open,
    .close = memory_close,
    .begin = memory_begin,
    .txn_view = memory_txn_view,
    .announce = memory_announce,
    .append = memory_append,
    .commit = memory_commit,
    .abort = memory_abort,
    .snapshot = memory_snapshot,
    .release = memory_release,
    .info = memory_info,
    .record = memory_record,
    .request = memory_request,
    .customer = memory_customer,
    .external_id = memory_external_id,
    .scan_customers = memory_scan_customers,
    .scan_usage = memory_scan_usage,
    .scan_sums = memory_scan_sums,
};

/* --- for the test ----------------------------------------------------------------------------- */

struct memory_store *memory_store_create(void)
{
    struct memory_store *m = need(sizeof *m);
    m->head.ops = &ops;
    check(pthread_mutex_init(&m->lock, NULL) == 0, "no mutex");
    check(pthread_cond_init(&m->gate_changed, NULL) == 0, "no condition");
    return m;
}

void memory_store_destroy(struct memory_store *memory)
{
    check(memory->txn == NULL, "a transaction is open");
    check(memory->counts.views_open == 0, "a view is open");
    while (memory->n > 0) {
        free_row(memory->rows[--memory->n]);
    }
    free(memory->rows);
    free(memory->hashes);
    check(pthread_cond_destroy(&memory->gate_changed) == 0, "somebody waits");
    check(pthread_mutex_destroy(&memory->lock) == 0, "it is locked");
    free(memory);
}

struct store *memory_store_handle(struct memory_store *memory)
{
    return &memory->head;
}

void memory_store_fail(struct memory_store *memory, enum memory_call call, int status,
                       unsigned after, unsigned times)
{
    pthread_mutex_lock(&memory->lock);
    memory->faults[call] = (struct fault){.status = status, .after = after, .times = times};
    pthread_mutex_unlock(&memory->lock);
}

void memory_store_damage(struct memory_store *memory, uint64_t seq)
{
    pthread_mutex_lock(&memory->lock);
    check(seq >= 1 && seq <= memory->n, "no such record to damage");
    memory->rows[seq - 1]->damaged = true;
    pthread_mutex_unlock(&memory->lock);
}

void memory_store_set_billed_until(struct memory_store *memory, uint64_t customer,
                                   int64_t billed_until_us)
{
    pthread_mutex_lock(&memory->lock);
    memory->billed_customer = customer;
    memory->billed_until_us = billed_until_us;
    pthread_mutex_unlock(&memory->lock);
}

void memory_store_hold_commits(struct memory_store *memory)
{
    pthread_mutex_lock(&memory->lock);
    memory->gate = true;
    memory->passes = 0;
    pthread_mutex_unlock(&memory->lock);
}

void memory_store_wait_held(struct memory_store *memory)
{
    pthread_mutex_lock(&memory->lock);
    while (!memory->held) {
        pthread_cond_wait(&memory->gate_changed, &memory->lock);
    }
    pthread_mutex_unlock(&memory->lock);
}

void memory_store_let_one_commit(struct memory_store *memory)
{
    pthread_mutex_lock(&memory->lock);
    memory->passes++;
    memory->held = false; /* so that the next wait is for the next commit */
    pthread_cond_broadcast(&memory->gate_changed);
    pthread_mutex_unlock(&memory->lock);
}

void memory_store_open_gate(struct memory_store *memory)
{
    pthread_mutex_lock(&memory->lock);
    memory->gate = false;
    pthread_cond_broadcast(&memory->gate_changed);
    pthread_mutex_unlock(&memory->lock);
}

struct memory_counts memory_store_counts(struct memory_store *memory)
{
    pthread_mutex_lock(&memory->lock);
    struct memory_counts counts = memory->counts;
    counts.records = memory->committed;
    pthread_mutex_unlock(&memory->lock);
    return counts;
}
