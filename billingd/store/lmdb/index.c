#include "billingd/store/lmdb/index.h"

#include "billingd/base/bytes.h"
#include "billingd/store/lmdb/customer_row.h"
#include "billingd/store/lmdb/keys_lmdb.h"

/* Values of the table `usage`, all bits apart: a flipped one must not hide a record from a scan by
 * bills_at, which passes over what is late. */
enum {
    IN_TIME = 0x00,
    LATE = 0xFF,
};

bool index_is_late(MDB_val value)
{
    return value.mv_size == 1 && *(const uint8_t *)value.mv_data == LATE;
}

static int put_seq(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key,
                   uint64_t seq)
{
    uint8_t value[sizeof seq];
    bytes_put_le64(value, seq);
    return env_put_new(env, txn, table, key, value, sizeof value);
}

static int put_customer(const struct env *env, MDB_txn *txn, const struct store_customer *customer)
{
    struct key key;
    uint8_t row[CUSTOMER_ROW_BYTES_MAX];
    size_t bytes = customer_row_write(customer, row);
    return env_put(env, txn, ENV_CUSTOMERS, key_seq(&key, customer->seq), row, bytes);
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
    return put_seq(env, txn, ENV_EXTERNAL_IDS, key_external_id(&key, customer.external_id),
                   customer.seq);
}

static int add_renamed(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct key key;
    MDB_val row;
    struct store_customer customer;
    uint64_t seq = record->customer_renamed.customer;
    int rc = env_get(env, txn, ENV_CUSTOMERS, key_seq(&key, seq), &row);
    if (rc < 0) {
        return rc == STATUS_NOT_FOUND ? STATUS_CORRUPT : rc;
    }
    rc = customer_row_read(seq, row.mv_data, row.mv_size, &customer);
    if (rc < 0) {
        return rc;
    }
    customer.name = record->customer_renamed.name;
    customer.updated_at_us = record->created_at_us;
    return put_customer(env, txn, &customer);
}

static int add_usage(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct key key;
    const struct usage *usage = &record->usage;
    struct store_position occurred = {usage->occurred_at_us, record->seq};
    struct store_position billed = {usage->bills_at_us, record->seq};
    bool late = usage->bills_at_us != usage->occurred_at_us;
    uint8_t mark = late ? LATE : IN_TIME;
    int rc = env_put_new(env, txn, ENV_USAGE, key_usage(&key, usage->customer, occurred), &mark,
                         sizeof mark);
    if (rc < 0 || !late) {
        return rc;
    }
    return env_put_new(env, txn, ENV_USAGE_LATE, key_usage(&key, usage->customer, billed), "", 0);
}

static int add_request(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct key key;
    struct store_key request = {record_scope(record), record->request_id};
    if (request.request_id.length == 0) {
        return 0;
    }
    return put_seq(env, txn, ENV_REQUESTS, key_request(&key, request), record->seq);
}

int index_add(const struct env *env, MDB_txn *txn, const struct record *record)
{
    int rc = add_request(env, txn, record);
    if (rc < 0) {
        return rc;
    }
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        return add_created(env, txn, record);
    case RECORD_CUSTOMER_RENAMED:
        return add_renamed(env, txn, record);
    case RECORD_USAGE:
        return add_usage(env, txn, record);
    }
    return STATUS_INTERNAL; /* record_encode() took it, so there is no other kind */
}
