#include "billingd/store/lmdb/scan.h"

#include "billingd/store/lmdb/cursor.h"
#include "billingd/store/lmdb/customer_row.h"
#include "billingd/store/lmdb/keys_lmdb.h"
#include "billingd/store/lmdb/lookup.h"
#include "billingd/store/lmdb/service_row.h"

/* --- customers -------------------------------------------------------------------------------- */

struct customer_scan {
    store_customer_fn row_cb;
    void *arg;
};

static int give_customer(struct store_view *view, MDB_val key, MDB_val row, void *arg)
{
    const struct customer_scan *scan = arg;
    uint64_t seq;
    struct store_customer customer;
    (void)view;
    int rc = key_parse_seq(key, &seq);
    if (rc == 0) {
        rc = customer_row_read(seq, row.mv_data, row.mv_size, &customer);
    }
    return rc < 0 ? rc : scan->row_cb(&customer, scan->arg);
}

int scan_customers(struct store_view *view, uint64_t after_seq, store_customer_fn row_cb, void *arg)
{
    struct key key;
    struct customer_scan scan = {row_cb, arg};
    if (after_seq == UINT64_MAX) {
        return 0;
    }
    return cursor_walk(view, ENV_CUSTOMERS, key_seq(&key, after_seq + 1), give_customer, &scan);
}

/* --- invoices --------------------------------------------------------------------------------- */

struct invoice_scan {
    uint64_t customer; /* 0: everyone's */
    store_record_fn row_cb;
    void *arg;
};

static int give_invoice(struct store_view *view, MDB_val key, MDB_val value, void *arg)
{
    const struct invoice_scan *scan = arg;
    uint64_t customer = 0;
    uint64_t number;
    struct record record;
    int rc = scan->customer == 0 ? key_parse_seq(key, &number)
                                 : key_parse_invoice(key, &customer, &number);
    if (rc < 0) {
        return rc;
    }
    if (customer != scan->customer) {
        return STORE_SCAN_STOP;
    }
    rc = lookup_promised_invoice(view, value, number, &record);
    if (rc == 0 && customer != 0 && record.invoice.customer != customer) {
        return STATUS_CORRUPT;
    }
    return rc < 0 ? rc : scan->row_cb(&record, scan->arg);
}

int scan_invoices(struct store_view *view, uint64_t customer, uint64_t after_number,
                  store_record_fn row_cb, void *arg)
{
    struct key key;
    struct invoice_scan scan = {customer, row_cb, arg};
    if (after_number == UINT64_MAX) {
        return 0;
    }
    if (customer == 0) {
        return cursor_walk(view, ENV_INVOICES, key_seq(&key, after_number + 1), give_invoice,
                           &scan);
    }
    return cursor_walk(view, ENV_CUSTOMER_INVOICES, key_invoice(&key, customer, after_number + 1),
                       give_invoice, &scan);
}

/* --- services --------------------------------------------------------------------------------- */

struct service_scan {
    struct slice after;
    store_service_fn row_cb;
    void *arg;
};

static int give_service(struct store_view *view, MDB_val key, MDB_val row, void *arg)
{
    const struct service_scan *scan = arg;
    struct slice name = {key.mv_data, key.mv_size};
    struct store_service service;
    (void)view;
    if (slice_equal(name, scan->after)) {
        return 0;
    }
    int rc = service_row_read(name, row.mv_data, row.mv_size, &service);
    return rc < 0 ? rc : scan->row_cb(&service, scan->arg);
}

int scan_services(struct store_view *view, struct slice after_name, store_service_fn row_cb,
                  void *arg)
{
    /* Below every name that there is, as LMDB takes no empty key. */
    static const struct slice lowest = {"", 1};
    struct key key;
    if (after_name.length > sizeof key.bytes) { /* no name is as long: what fits comes before it */
        after_name.length = sizeof key.bytes;
    }
    struct service_scan scan = {after_name, row_cb, arg};
    MDB_val first = key_text(&key, after_name.length == 0 ? lowest : after_name);
    return cursor_walk(view, ENV_SERVICES, first, give_service, &scan);
}

/* --- the journal ------------------------------------------------------------------------------ */

int scan_journal(struct store_view *view, uint64_t after_seq, store_record_fn row_cb, void *arg)
{
    struct lmdb_view *v = (struct lmdb_view *)view; /* its first member */
    return cursor_ended(journal_scan(&v->journal, after_seq, row_cb, arg));
}
