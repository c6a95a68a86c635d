#include "billingd/store/store.h"

#include <stdio.h>

#include "billingd/store/engine.h"

static const struct store_ops *const engines[] = {&store_lmdb};

/* The engine that URI names; NULL, with REASON, where there is none. */
static const struct store_ops *find_engine(const char *uri, struct errinfo *reason)
{
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (strncmp(uri, engines[i]->scheme, strlen(engines[i]->scheme)) == 0) {
            return engines[i];
        }
    }
    IGNORE(snprintf(reason->message, sizeof reason->message,
                    "'%.100s' names no engine; known: lmdb:", uri) < 0); /* cut is fine */
    return NULL;
}

int store_check(const char *uri, struct errinfo *reason)
{
    const struct store_ops *engine = find_engine(uri, reason);
    return engine == NULL ? STATUS_OUT_OF_BOUNDS : engine->check(uri, reason);
}

int store_open(const char *uri, const struct store_options *options, struct store **ret_store,
               struct errinfo *reason)
{
    const struct store_ops *engine = find_engine(uri, reason);
    return engine == NULL ? STATUS_OUT_OF_BOUNDS : engine->open(uri, options, ret_store, reason);
}

int store_look(const char *uri, const struct store_options *options, struct store_found *ret,
               struct errinfo *reason)
{
    const struct store_ops *engine = find_engine(uri, reason);
    return engine == NULL ? STATUS_OUT_OF_BOUNDS : engine->look(uri, options, ret, reason);
}

void store_close(struct store *store)
{
    store->ops->close(store);
}

void store_stats(struct store *store, struct store_stats *ret)
{
    *ret = (struct store_stats){0};
    store->ops->stats(store, ret);
}

int store_begin(struct store *store, int64_t now_us, struct store_txn **ret_txn)
{
    return store->ops->begin(store, now_us, ret_txn);
}

struct store_view *store_txn_view(struct store_txn *txn)
{
    return txn->ops->txn_view(txn);
}

int store_announce(struct store_txn *txn, const struct store_key *keys, size_t n)
{
    return txn->ops->announce(txn, keys, n);
}

int store_append(struct store_txn *txn, struct record *record)
{
    return txn->ops->append(txn, record);
}

int store_commit(struct store_txn *txn)
{
    return txn->ops->commit(txn);
}

void store_abort(struct store_txn *txn)
{
    txn->ops->abort(txn);
}

int store_snapshot(struct store *store, struct store_view **ret_view)
{
    int rc = store->ops->snapshot(store, ret_view);
    if (rc == 0) {
        (*ret_view)->stopping = NULL; /* engines take views up again */
    }
    return rc;
}

void store_release(struct store_view *view)
{
    view->ops->release(view);
}

/* --- what may take long ----------------------------------------------------------------------- */

void store_view_stop_on(struct store_view *view, const atomic_bool *stopping)
{
    view->stopping = stopping;
}

static int check_stopping(const struct store_view *view)
{
    bool stopping =
        view->stopping != NULL && atomic_load_explicit(view->stopping, memory_order_relaxed);
    return stopping ? STATUS_SHUTTING_DOWN : 0;
}

/* A scan that looks up before each row; one of the callbacks is set. */
struct watch {
    const struct store_view *view;
    store_customer_fn customer_cb;
    store_record_fn record_cb;
    store_position_fn position_cb;
    store_sum_fn sum_cb;
    store_service_fn service_cb;
    store_api_key_fn api_key_cb;
    void *arg;
};

static int watch_customer(const struct store_customer *customer, void *arg)
{
    const struct watch *watch = arg;
    int rc = check_stopping(watch->view);
    return rc < 0 ? rc : watch->customer_cb(customer, watch->arg);
}

static int watch_record(const struct record *record, void *arg)
{
    const struct watch *watch = arg;
    int rc = check_stopping(watch->view);
    return rc < 0 ? rc : watch->record_cb(record, watch->arg);
}

static int watch_position(struct store_position position, void *arg)
{
    const struct watch *watch = arg;
    int rc = check_stopping(watch->view);
    return rc < 0 ? rc : watch->position_cb(position, watch->arg);
}

static int watch_sum(const struct store_sum *sum, void *arg)
{
    const struct watch *watch = arg;
    int rc = check_stopping(watch->view);
    return rc < 0 ? rc : watch->sum_cb(sum, watch->arg);
}

static int watch_service(const struct store_service *service, void *arg)
{
    const struct watch *watch = arg;
    int rc = check_stopping(watch->view);
    return rc < 0 ? rc : watch->service_cb(service, watch->arg);
}

static int watch_api_key(const struct store_api_key *key, void *arg)
{
    const struct watch *watch = arg;
    int rc = check_stopping(watch->view);
    return rc < 0 ? rc : watch->api_key_cb(key, watch->arg);
}

/* --- reading ---------------------------------------------------------------------------------- */

int store_info(struct store_view *view, struct store_info *ret)
{
    return view->ops->info(view, ret);
}

int store_record(struct store_view *view, uint64_t seq, struct record *ret)
{
    int rc = check_stopping(view);
    return rc < 0 ? rc : view->ops->record(view, seq, ret);
}

int store_request(struct store_view *view, struct store_key key, struct record *ret)
{
    return view->ops->request(view, key, ret);
}

int store_customer(struct store_view *view, uint64_t seq, struct store_customer *ret)
{
    return view->ops->customer(view, seq, ret);
}

int store_external_id(struct store_view *view, struct slice external_id, uint64_t *ret_seq)
{
    return view->ops->external_id(view, external_id, ret_seq);
}

int store_scan_customers(struct store_view *view, uint64_t after_seq, store_customer_fn row_cb,
                         void *arg)
{
    struct watch watch = {.view = view, .customer_cb = row_cb, .arg = arg};
    return view->ops->scan_customers(view, after_seq, watch_customer, &watch);
}

int store_scan(struct store_view *view, const struct store_range *range, store_record_fn row_cb,
               void *arg)
{
    struct watch watch = {.view = view, .record_cb = row_cb, .arg = arg};
    return view->ops->scan(view, range, watch_record, &watch);
}

int store_scan_positions(struct store_view *view, const struct store_range *range,
                         store_position_fn row_cb, void *arg)
{
    struct watch watch = {.view = view, .position_cb = row_cb, .arg = arg};
    return view->ops->scan_positions(view, range, watch_position, &watch);
}

int store_scan_journal(struct store_view *view, uint64_t after_seq, store_record_fn row_cb,
                       void *arg)
{
    struct watch watch = {.view = view, .record_cb = row_cb, .arg = arg};
    return view->ops->scan_journal(view, after_seq, watch_record, &watch);
}

int store_scan_sums(struct store_view *view, const struct store_range *range, store_sum_fn row_cb,
                    void *arg)
{
    struct watch watch = {.view = view, .sum_cb = row_cb, .arg = arg};
    return view->ops->scan_sums(view, range, watch_sum, &watch);
}

uint64_t store_view_damaged(struct store_view *view)
{
    return view->ops->damaged(view);
}

int store_void(struct store_view *view, uint64_t usage_seq, struct record *ret)
{
    return view->ops->void_of(view, usage_seq, ret);
}

int store_invoice(struct store_view *view, uint64_t number, struct record *ret)
{
    return view->ops->invoice(view, number, ret);
}

int store_scan_invoices(struct store_view *view, uint64_t customer, uint64_t after_number,
                        store_record_fn row_cb, void *arg)
{
    struct watch watch = {.view = view, .record_cb = row_cb, .arg = arg};
    return view->ops->scan_invoices(view, customer, after_number, watch_record, &watch);
}

int store_service(struct store_view *view, struct slice name, struct store_service *ret)
{
    return view->ops->service(view, name, ret);
}

int store_scan_services(struct store_view *view, struct slice after_name, store_service_fn row_cb,
                        void *arg)
{
    struct watch watch = {.view = view, .service_cb = row_cb, .arg = arg};
    return view->ops->scan_services(view, after_name, watch_service, &watch);
}

int store_api_key(struct store_view *view, uint64_t seq, struct store_api_key *ret)
{
    return view->ops->api_key(view, seq, ret);
}

int store_api_key_named(struct store_view *view, struct slice name, uint64_t *ret_seq)
{
    return view->ops->api_key_named(view, name, ret_seq);
}

int store_scan_api_keys(struct store_view *view, uint64_t after_seq, store_api_key_fn row_cb,
                        void *arg)
{
    struct watch watch = {.view = view, .api_key_cb = row_cb, .arg = arg};
    return view->ops->scan_api_keys(view, after_seq, watch_api_key, &watch);
}

/* --- verifying -------------------------------------------------------------------------------- */

const char *store_fault_name(enum store_fault fault)
{
    static const char *const names[] = {
        [STORE_DAMAGED] = "damaged", [STORE_UNKNOWN] = "unknown", [STORE_MISSING] = "missing",
        [STORE_SURPLUS] = "surplus", [STORE_WRONG] = "wrong",     [STORE_UNCHECKED] = "unchecked",
    };
    return names[fault];
}

/* A verification that looks up now and then. */
struct verify_watch {
    const struct store_view *view;
    const struct store_verify *how;
};

static int watch_finding(const struct store_finding *finding, void *arg)
{
    const struct verify_watch *watch = arg;
    return watch->how->finding_cb(finding, watch->how->arg);
}

static int watch_progress(uint64_t done, uint64_t all, void *arg)
{
    const struct verify_watch *watch = arg;
    int rc = check_stopping(watch->view);
    if (rc < 0 || watch->how->progress_cb == NULL) {
        return rc;
    }
    return watch->how->progress_cb(done, all, watch->how->arg);
}

int store_verify(struct store_view *view, const struct store_verify *how,
                 struct store_verified *ret)
{
    struct verify_watch watch = {view, how};
    struct store_verify watched = {watch_finding, watch_progress, &watch};
    return view->ops->verify(view, &watched, ret);
}

/* --- backing up ------------------------------------------------------------------------------- */

int store_backup_check(struct store *store, const char *directory, struct errinfo *reason)
{
    return store->ops->backup_check(store, directory, reason);
}

static int ignore_progress(uint64_t done, uint64_t all, void *arg)
{
    (void)done;
    (void)all;
    (void)arg;
    return 0;
}

int store_backup(struct store *store, const struct store_backup *how, struct store_copied *ret,
                 struct errinfo *reason)
{
    struct store_backup watched = *how;
    if (watched.progress_cb == NULL) {
        watched.progress_cb = ignore_progress;
    }
    return store->ops->backup(store, &watched, ret, reason);
}
