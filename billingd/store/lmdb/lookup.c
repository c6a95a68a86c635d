#include "billingd/store/lmdb/lookup.h"

#include "billingd/base/bytes.h"
#include "billingd/store/lmdb/customer_row.h"
#include "billingd/store/lmdb/keys_lmdb.h"
#include "billingd/store/lmdb/service_row.h"

static struct lmdb_view *view_of(struct store_view *base)
{
    return (struct lmdb_view *)base; /* its first member */
}

void lookup_begin(struct lmdb_view *view, const struct env *env, MDB_txn *txn,
                  const struct journal_writer *writer)
{
    view->base.ops = &store_lmdb;
    view->env = env;
    view->txn = txn;
    view->journal = (struct journal_reader){.env = env, .txn = txn, .writer = writer};
}

/* What a table promised must be there. */
static int promised(int rc)
{
    return rc == STATUS_NOT_FOUND ? STATUS_CORRUPT : rc;
}

static int parse_seq(MDB_val value, uint64_t *ret_seq)
{
    if (value.mv_size != sizeof *ret_seq) {
        return STATUS_CORRUPT;
    }
    *ret_seq = bytes_get_le64(value.mv_data);
    return 0;
}

static int get_seq(struct lmdb_view *view, enum env_table table, MDB_val key, uint64_t *ret_seq)
{
    MDB_val value;
    int rc = env_get(view->env, view->txn, table, key, &value);
    return rc < 0 ? rc : parse_seq(value, ret_seq);
}

int lookup_record(struct store_view *view, uint64_t seq, struct record *ret)
{
    return journal_record(&view_of(view)->journal, seq, ret);
}

int lookup_promised(struct store_view *view, uint64_t seq, enum record_kind kind,
                    struct record *ret)
{
    int rc = promised(lookup_record(view, seq, ret));
    if (rc < 0) {
        return rc;
    }
    return ret->kind == kind ? 0 : STATUS_CORRUPT;
}

uint64_t lookup_damaged(struct store_view *view)
{
    return view_of(view)->journal.damaged;
}

/* A search for KEY: what bears its fingerprint. */
struct request_search {
    struct store_view *view;
    struct store_key key;
    struct record *ret;
};

static int is_request(uint64_t seq, void *arg)
{
    const struct request_search *search = arg;
    int rc = promised(lookup_record(search->view, seq, search->ret));
    if (rc < 0) {
        return rc;
    }
    return record_scope(search->ret) == search->key.scope &&
           slice_equal(search->ret->request_id, search->key.request_id);
}

int lookup_request(struct store_view *view, struct store_key key, struct record *ret)
{
    struct lmdb_view *v = view_of(view);
    struct request_search search = {view, key, ret};
    uint64_t high;
    uint64_t low;
    if (key.request_id.length == 0 || key.request_id.length > LIMIT_REQUEST_ID_BYTES) {
        return STATUS_NOT_FOUND;
    }
    if (v->dedup == NULL) {
        row_fingerprint(key, v->id_key, &high, &low);
        return dedup_search(&v->rows, high, low, is_request, &search);
    }
    dedup_fingerprint(v->dedup, key, &high, &low);
    int rc = dedup_find(v->dedup, &v->rows, high, low, is_request, &search);
    v->absent = (struct request_row){high, low, rc == STATUS_NOT_FOUND};
    return rc;
}

int lookup_request_is_free(struct store_view *view, struct store_key key, struct request_row *ret)
{
    struct lmdb_view *v = view_of(view);
    struct record first;
    dedup_fingerprint(v->dedup, key, &ret->high, &ret->low);
    if (v->absent.seq != 0 && v->absent.high == ret->high && v->absent.low == ret->low) {
        v->absent.seq = 0; /* it will not be free for long */
        return 0;
    }
    int rc = lookup_request(view, key, &first);
    v->absent.seq = 0;
    return rc == STATUS_NOT_FOUND ? 0 : rc == 0 ? STATUS_INTERNAL : rc;
}

int lookup_customer(struct store_view *view, uint64_t seq, struct store_customer *ret)
{
    struct key key;
    MDB_val row;
    int rc =
        env_get(view_of(view)->env, view_of(view)->txn, ENV_CUSTOMERS, key_seq(&key, seq), &row);
    return rc < 0 ? rc : customer_row_read(seq, row.mv_data, row.mv_size, ret);
}

int lookup_external_id(struct store_view *view, struct slice external_id, uint64_t *ret_seq)
{
    struct key key;
    uint64_t seq;
    struct store_customer customer;
    if (external_id.length == 0 || external_id.length > LIMIT_EXTERNAL_ID_BYTES) {
        return STATUS_NOT_FOUND;
    }
    int rc = get_seq(view_of(view), ENV_EXTERNAL_IDS, key_text(&key, external_id), &seq);
    if (rc < 0) {
        return rc;
    }
    rc = promised(lookup_customer(view, seq, &customer));
    if (rc < 0) {
        return rc;
    }
    if (!slice_equal(customer.external_id, external_id)) {
        return STATUS_CORRUPT;
    }
    *ret_seq = seq;
    return 0;
}

int lookup_void(struct store_view *view, uint64_t usage_seq, struct record *ret)
{
    struct key key;
    uint64_t seq;
    int rc = get_seq(view_of(view), ENV_VOID_OF, key_seq(&key, usage_seq), &seq);
    if (rc == 0) {
        rc = lookup_promised(view, seq, RECORD_USAGE_VOIDED, ret);
    }
    if (rc < 0) {
        return rc;
    }
    return ret->usage_voided.usage == usage_seq ? 0 : STATUS_CORRUPT;
}

int lookup_promised_invoice(struct store_view *view, MDB_val value, uint64_t number,
                            struct record *ret)
{
    uint64_t seq;
    int rc = parse_seq(value, &seq);
    if (rc == 0) {
        rc = lookup_promised(view, seq, RECORD_INVOICE, ret);
    }
    if (rc < 0) {
        return rc;
    }
    return ret->invoice.number == number ? 0 : STATUS_CORRUPT;
}

int lookup_invoice(struct store_view *view, uint64_t number, struct record *ret)
{
    const struct lmdb_view *v = view_of(view);
    struct key key;
    MDB_val value;
    int rc = env_get(v->env, v->txn, ENV_INVOICES, key_seq(&key, number), &value);
    return rc < 0 ? rc : lookup_promised_invoice(view, value, number, ret);
}

int lookup_service(struct store_view *view, struct slice name, struct store_service *ret)
{
    const struct lmdb_view *v = view_of(view);
    struct key key;
    MDB_val row;
    if (name.length == 0 || name.length > LIMIT_SERVICE_BYTES) {
        return STATUS_NOT_FOUND;
    }
    int rc = env_get(v->env, v->txn, ENV_SERVICES, key_text(&key, name), &row);
    return rc < 0 ? rc : service_row_read(name, row.mv_data, row.mv_size, ret);
}
