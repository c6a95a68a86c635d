#include "billingd/store/lmdb/index.h"

#include "billingd/base/bytes.h"
#include "billingd/store/lmdb/api_keys.h"
#include "billingd/store/lmdb/customer_row.h"
#include "billingd/store/lmdb/keys_lmdb.h"
#include "billingd/store/lmdb/service_row.h"

const struct index_billable index_billable[INDEX_BILLABLE_KINDS] = {
    {RECORD_USAGE_VOIDED, STORE_VOIDS, ENV_VOIDS, ENV_VOIDS_LATE},
    {RECORD_ADJUSTMENT, STORE_ADJUSTMENTS, ENV_ADJUSTMENTS, ENV_ADJUSTMENTS_LATE},
};

bool index_is_late(MDB_val value)
{
    return value.mv_size == 1 && *(const uint8_t *)value.mv_data == INDEX_LATE;
}

static int put_seq(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key,
                   uint64_t seq)
{
    uint8_t value[sizeof seq];
    bytes_put_le64(value, seq);
    return env_put_new(env, txn, table, key, value, sizeof value);
}

/* --- customers -------------------------------------------------------------------------------- */

static int put_customer(const struct env *env, MDB_txn *txn, const struct store_customer *customer)
{
    struct key key;
    uint8_t row[CUSTOMER_ROW_BYTES_MAX];
    size_t bytes = customer_row_write(customer, row);
    return env_put(env, txn, ENV_CUSTOMERS, key_seq(&key, customer->seq), row, bytes);
}

/* The row that is to be changed: *RET points into it. */
static int get_customer(const struct env *env, MDB_txn *txn, uint64_t seq,
                        struct store_customer *ret)
{
    struct key key;
    MDB_val row;
    int rc = env_get(env, txn, ENV_CUSTOMERS, key_seq(&key, seq), &row);
    if (rc < 0) {
        return rc == STATUS_NOT_FOUND ? STATUS_CORRUPT : rc;
    }
    return customer_row_read(seq, row.mv_data, row.mv_size, ret);
}

static int add_created(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct key key;
    struct store_customer customer = {
        .seq = record->seq,
        .name = record->customer_created.name,
        .external_id = record->customer_created.external_id,
        .created_at_us = record->created_at_us,
        .updated_at_us = record->created_at_us,
    };
    int rc = put_customer(env, txn, &customer);
    if (rc < 0 || customer.external_id.length == 0) {
        return rc;
    }
    return put_seq(env, txn, ENV_EXTERNAL_IDS, key_text(&key, customer.external_id), customer.seq);
}

static int add_renamed(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct store_customer customer;
    int rc = get_customer(env, txn, record->customer_renamed.customer, &customer);
    if (rc < 0) {
        return rc;
    }
    customer.name = record->customer_renamed.name;
    customer.updated_at_us = record->created_at_us;
    return put_customer(env, txn, &customer);
}

/* --- what stands on bills --------------------------------------------------------------------- */

static int add_billable(const struct env *env, MDB_txn *txn, const struct index_billable *tables,
                        const struct record *record)
{
    struct key key;
    uint64_t customer = record_customer(record);
    struct store_position occurred = {.seq = record->seq};
    struct store_position billed = {.seq = record->seq};
    if (!record_times(record, &occurred.time_us, &billed.time_us)) {
        return STATUS_INTERNAL;
    }
    bool late = billed.time_us != occurred.time_us;
    uint8_t mark = late ? INDEX_LATE : INDEX_IN_TIME;
    int rc = env_put_new(env, txn, tables->by_occurred, key_position(&key, customer, occurred),
                         &mark, sizeof mark);
    if (rc < 0 || !late) {
        return rc;
    }
    return env_put_new(env, txn, tables->late, key_position(&key, customer, billed), "", 0);
}

/* Nothing for a kind that stands on none. */
static int add_to_bills(const struct env *env, MDB_txn *txn, const struct record *record)
{
    int rc = 0;
    for (int i = 0; i < INDEX_BILLABLE_KINDS && rc == 0; i++) {
        if (index_billable[i].kind == record->kind) {
            rc = add_billable(env, txn, &index_billable[i], record);
        }
    }
    return rc;
}

static int add_void_of(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct key key;
    return put_seq(env, txn, ENV_VOID_OF, key_seq(&key, record->usage_voided.usage), record->seq);
}

/* --- invoices and services -------------------------------------------------------------------- */

static int set_billed_until(const struct env *env, MDB_txn *txn, const struct invoice *invoice)
{
    struct store_customer customer;
    int rc = get_customer(env, txn, invoice->customer, &customer);
    if (rc < 0) {
        return rc;
    }
    customer.billed_until_us = invoice->end_us;
    return put_customer(env, txn, &customer);
}

static int add_invoice(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct key key;
    uint64_t count;
    const struct invoice *invoice = &record->invoice;
    int rc = env_count(env, txn, ENV_INVOICES, &count);
    if (rc < 0) {
        return rc;
    }
    if (invoice->number != count + 1) {
        return STATUS_INTERNAL;
    }
    rc = put_seq(env, txn, ENV_INVOICES, key_seq(&key, invoice->number), record->seq);
    if (rc == 0) {
        rc = put_seq(env, txn, ENV_CUSTOMER_INVOICES,
                     key_invoice(&key, invoice->customer, invoice->number), record->seq);
    }
    return rc == 0 ? set_billed_until(env, txn, invoice) : rc;
}

static int add_service_put(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct key key;
    MDB_val before;
    uint8_t row[SERVICE_ROW_BYTES_MAX];
    struct slice name = record->service_put.name;
    struct store_service service = {.created_at_us = record->created_at_us};
    int rc = env_get(env, txn, ENV_SERVICES, key_text(&key, name), &before);
    if (rc == 0) {
        rc = service_row_read(name, before.mv_data, before.mv_size, &service);
    }
    if (rc < 0 && rc != STATUS_NOT_FOUND) {
        return rc;
    }
    service.name = name;
    service.unit = record->service_put.unit;
    service.updated_at_us = record->created_at_us;
    size_t bytes = service_row_write(&service, row);
    return env_put(env, txn, ENV_SERVICES, key_text(&key, name), row, bytes);
}

static int add_service_deleted(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct key key;
    int rc = env_delete(env, txn, ENV_SERVICES, key_text(&key, record->service_deleted.name));
    return rc == STATUS_NOT_FOUND ? STATUS_INTERNAL : rc;
}

/* --- all of them ------------------------------------------------------------------------------ */

int index_add(const struct env *env, MDB_txn *txn, const struct record *record)
{
    int rc = add_to_bills(env, txn, record);
    if (rc < 0) {
        return rc;
    }
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        return add_created(env, txn, record);
    case RECORD_CUSTOMER_RENAMED:
        return add_renamed(env, txn, record);
    case RECORD_USAGE_VOIDED:
        return add_void_of(env, txn, record);
    case RECORD_INVOICE:
        return add_invoice(env, txn, record);
    case RECORD_SERVICE_PUT:
        return add_service_put(env, txn, record);
    case RECORD_SERVICE_DELETED:
        return add_service_deleted(env, txn, record);
    case RECORD_KEY_CREATED:
    case RECORD_KEY_REVOKED:
    case RECORD_KEY_USED:
        return api_keys_add(env, txn, record);
    case RECORD_USAGE:
    case RECORD_ADJUSTMENT:
    case RECORD_INVOICE_ENTRIES: /* found behind the invoice, in the journal */
        return 0;
    }
    return STATUS_INTERNAL; /* record_encode() took it, so there is no other kind */
}
