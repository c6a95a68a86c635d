#include "tests/lib/memory_rows.h"

static const struct store_ops ops;

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

int memory_pass_alone(struct memory_store *m, enum memory_call call)
{
    pthread_mutex_lock(&m->lock);
    int rc = pass(m, call);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int memory_open(const char *uri, const struct store_options *options,
                       struct store **ret_store, struct errinfo *reason)
{
    (void)uri;
    (void)options;
    (void)ret_store;
    (void)reason;
    memory_die("it is made by memory_store_create()");
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

static int memory_begin(struct store *store, int64_t now_us, struct store_txn **ret_txn)
{
    struct memory_store *m = memory_of(store);
    pthread_mutex_lock(&m->lock);
    int rc = pass(m, MEMORY_BEGIN);
    if (rc == 0) {
        memory_check(m->txn == NULL, "a second transaction");
        struct memory_txn *txn = memory_need(sizeof *txn);
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
        memory_check(keys[i].request_id.length > 0, "an empty request id was announced");
    }
    pthread_mutex_lock(&t->memory->lock);
    t->memory->counts.keys_announced += n;
    int rc = pass(t->memory, MEMORY_ANNOUNCE);
    pthread_mutex_unlock(&t->memory->lock);
    t->keys = keys;
    t->n_keys = n;
    return rc;
}

static bool takes_request_id(enum record_kind kind)
{
    return kind == RECORD_CUSTOMER_CREATED || kind == RECORD_USAGE || kind == RECORD_USAGE_VOIDED ||
           kind == RECORD_ADJUSTMENT || kind == RECORD_INVOICE;
}

static void check_voided(struct memory_view *view, const struct usage_voided *voided)
{
    const struct row *row = memory_find_kind(view, voided->usage, RECORD_USAGE);
    memory_check(row != NULL, "a void of what is no usage");
    const struct usage *usage = &row->record.usage;
    memory_check(usage->customer == voided->customer, "a void of another customer's usage");
    memory_check(usage->occurred_at_us == voided->occurred_at_us, "a void with a time of its own");
    memory_check(usage->bills_at_us <= voided->bills_at_us, "a void that bills before its usage");
    memory_check(memory_find_void(view, voided->usage) == NULL, "the usage is voided already");
}

static void check_invoice(struct memory_view *view, const struct invoice *invoice)
{
    memory_check(memory_find_kind(view, invoice->customer, RECORD_CUSTOMER_CREATED) != NULL,
                 "an invoice of no customer");
    memory_check(invoice->number == memory_count_kind(view, RECORD_INVOICE) + 1,
                 "a gap in the invoices");
}

static void check_revoked(struct memory_view *view, const struct key_revoked *revoked)
{
    bool before;
    memory_check(memory_is_key(view, revoked->key, &before), "what is no key is revoked");
    memory_check(!before, "the key is revoked already");
    const struct row *row = memory_row(view, revoked->key);
    memory_check(slice_equal(row->record.key_created.name, revoked->name), "another key's name");
}

static void check_uses(struct memory_view *view, struct slice uses)
{
    bool revoked;
    struct key_use use;
    while (key_uses_next(&uses, &use)) {
        memory_check(memory_is_key(view, use.key, &revoked), "a use of what is no key");
    }
}

static void check_kind(struct memory_view *view, const struct record *record)
{
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        memory_check(memory_find_external_id(view, record->customer_created.external_id) == NULL,
                     "the external id is taken");
        break;
    case RECORD_USAGE_VOIDED:
        check_voided(view, &record->usage_voided);
        break;
    case RECORD_INVOICE:
        check_invoice(view, &record->invoice);
        break;
    case RECORD_INVOICE_ENTRIES:
        memory_check(memory_find_kind(view, record->invoice_entries.invoice, RECORD_INVOICE) !=
                         NULL,
                     "entries of no invoice");
        break;
    case RECORD_SERVICE_DELETED:
        memory_check(memory_find_service(view, record->service_deleted.name, NULL) != NULL,
                     "a service that is not there is deleted");
        break;
    case RECORD_KEY_CREATED:
        memory_check(memory_find_key(view, record->key_created.name) == 0, "a key's name is taken");
        break;
    case RECORD_KEY_REVOKED:
        check_revoked(view, &record->key_revoked);
        break;
    case RECORD_KEY_USED:
        check_uses(view, record->key_used.uses);
        break;
    case RECORD_CUSTOMER_RENAMED:
    case RECORD_USAGE:
    case RECORD_ADJUSTMENT:
    case RECORD_SERVICE_PUT:
        break;
    }
}

/* What a caller must have seen to. */
static void check_append(struct memory_txn *txn, const struct record *record)
{
    uint8_t *bytes = memory_need(RECORD_BYTES_MAX);
    struct record decoded = {0};
    size_t length = record_encode(record, bytes);
    memory_check(record_decode(bytes, length, &decoded) == 0, "a record that cannot be read back");
    free(bytes);
    memory_check(!txn->broken, "an append after one that failed");
    struct store_key key = {record_scope(record), record->request_id};
    memory_check(record->request_id.length == 0 || memory_find_request(&txn->view, key) == NULL,
                 "the request id is taken");
    memory_check(takes_request_id(record->kind) == (record->request_id.length > 0),
                 "a record without its request id, or with one that it does not take");
    check_kind(&txn->view, record);
}

static void push_row(struct memory_store *m, struct row *row)
{
    if (m->n == m->capacity) {
        m->capacity = m->capacity == 0 ? 64 : m->capacity * 2;
        m->rows = realloc(m->rows, m->capacity * sizeof *m->rows);
        m->hashes = realloc(m->hashes, m->capacity * sizeof *m->hashes);
        memory_check(m->rows != NULL && m->hashes != NULL, "out of memory");
    }
    m->hashes[m->n] =
        memory_hash((struct store_key){record_scope(&row->record), row->record.request_id});
    m->rows[m->n++] = row;
    m->of_kind[row->record.kind]++;
}

static int memory_append(struct store_txn *txn, struct record *record)
{
    struct memory_txn *t = txn_of(txn);
    struct memory_store *m = t->memory;
    check_append(t, record);
    int rc = memory_pass_alone(m, MEMORY_APPEND);
    if (rc < 0) {
        t->broken = true;
        return rc;
    }
    struct row *row = memory_need(sizeof *row);
    record->seq = m->n + 1; /* only this thread appends */
    record->created_at_us = t->now_us;
    row->record = *record;
    memory_own_texts(&row->record);
    pthread_mutex_lock(&m->lock);
    push_row(m, row);
    t->view.n = m->n;
    pthread_mutex_unlock(&m->lock);
    memory_end_loans(&t->view);
    return 0;
}

/* Locked; the transaction is gone afterwards. */
static void end_txn(struct memory_txn *txn, bool keep)
{
    struct memory_store *m = txn->memory;
    for (size_t i = 0; i < txn->n_keys; i++) {
        memory_check(txn->keys[i].request_id.length > 0,
                     "announced keys died before the transaction");
    }
    while (!keep && m->n > m->committed) {
        struct row *row = m->rows[--m->n];
        m->of_kind[row->record.kind]--;
        memory_free_row(row);
    }
    m->committed = m->n;
    m->txn = NULL;
    memory_end_loans(&txn->view);
    free(txn);
}

static int memory_commit(struct store_txn *txn)
{
    struct memory_txn *t = txn_of(txn);
    struct memory_store *m = t->memory;
    memory_check(!t->broken, "a commit after an append that failed");
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
        struct memory_view *view = memory_need(sizeof *view);
        *view = (struct memory_view){.head = {.ops = &ops}, .memory = m, .n = m->committed};
        m->counts.views_open++;
        *ret_view = &view->head;
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static void memory_release(struct store_view *view)
{
    struct memory_view *v = memory_view_of(view);
    pthread_mutex_lock(&v->memory->lock);
    v->memory->counts.views_open--;
    pthread_mutex_unlock(&v->memory->lock);
    memory_end_loans(v);
    free(v);
}

static void memory_stats(struct store *store, struct store_stats *ret)
{
    struct memory_store *m = memory_of(store);
    pthread_mutex_lock(&m->lock);
    *ret = m->stats;
    pthread_mutex_unlock(&m->lock);
}

static const struct store_ops ops = {
    .scheme = "memory:",
    .open = memory_open,
    .close = memory_close,
    .stats = memory_stats,
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
    .scan = memory_scan,
    .scan_positions = memory_scan_positions,
    .scan_journal = memory_scan_journal,
    .scan_sums = memory_scan_sums,
    .damaged = memory_damaged,
    .void_of = memory_void,
    .invoice = memory_invoice,
    .scan_invoices = memory_scan_invoices,
    .service = memory_service,
    .scan_services = memory_scan_services,
    .api_key = memory_api_key,
    .api_key_named = memory_api_key_named,
    .scan_api_keys = memory_scan_api_keys,
    .verify = memory_verify,
    .backup_check = memory_backup_check,
    .backup = memory_backup,
};

/* --- for the test ----------------------------------------------------------------------------- */

struct memory_store *memory_store_create(void)
{
    struct memory_store *m = memory_need(sizeof *m);
    m->head.ops = &ops;
    memory_check(pthread_mutex_init(&m->lock, NULL) == 0, "no mutex");
    memory_check(pthread_cond_init(&m->gate_changed, NULL) == 0, "no condition");
    return m;
}

void memory_store_destroy(struct memory_store *memory)
{
    memory_check(memory->txn == NULL, "a transaction is open");
    memory_check(memory->counts.views_open == 0, "a view is open");
    while (memory->n > 0) {
        memory_free_row(memory->rows[--memory->n]);
    }
    free(memory->rows);
    free(memory->hashes);
    memory_check(pthread_cond_destroy(&memory->gate_changed) == 0, "somebody waits");
    memory_check(pthread_mutex_destroy(&memory->lock) == 0, "it is locked");
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
    memory_check(seq >= 1 && seq <= memory->n, "no such record to damage");
    memory->rows[seq - 1]->damaged = true;
    pthread_mutex_unlock(&memory->lock);
}

void memory_store_alter(struct memory_store *memory, uint64_t seq,
                        void (*alter_cb)(struct record *record))
{
    struct row *altered = memory_need(sizeof *altered);
    pthread_mutex_lock(&memory->lock);
    memory_check(seq >= 1 && seq <= memory->n, "no such record to alter");
    struct row *before = memory->rows[seq - 1];
    altered->record = before->record;
    alter_cb(&altered->record);
    memory_own_texts(&altered->record);
    memory->rows[seq - 1] = altered;
    memory_free_row(before);
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

void memory_store_set_stats(struct memory_store *memory, const struct store_stats *stats)
{
    pthread_mutex_lock(&memory->lock);
    memory->stats = *stats;
    pthread_mutex_unlock(&memory->lock);
}
