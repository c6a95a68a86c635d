#include "billingd/store/lmdb/verify_tables.h"

#include <inttypes.h>

#include "billingd/base/bytes.h"
#include "billingd/store/lmdb/customer_row.h"
#include "billingd/store/lmdb/index.h"
#include "billingd/store/lmdb/keys_lmdb.h"
#include "billingd/store/lmdb/verify_api_keys.h"
#include "billingd/store/lmdb/verify_customers.h"
#include "billingd/store/lmdb/verify_journal.h"
#include "billingd/store/lmdb/verify_services.h"

/* Those whose rows are of one record each, and never change. */
static const enum env_table tables[] = {
    ENV_EXTERNAL_IDS,     ENV_VOIDS,    ENV_VOIDS_LATE,        ENV_VOID_OF,       ENV_ADJUSTMENTS,
    ENV_ADJUSTMENTS_LATE, ENV_INVOICES, ENV_CUSTOMER_INVOICES, ENV_API_KEY_NAMES,
};

enum {
    TABLES = sizeof tables / sizeof tables[0],
    SEQ_BYTES = 8,
    KEY_TEXT_BYTES = 2 * 48 + 1, /* of hex_of(): what is longer is cut */
};

struct row {
    struct key buffer;
    MDB_val key;
    uint8_t value[SEQ_BYTES];
    size_t value_bytes;
};

static const char *hex_of(MDB_val key, char text[KEY_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = key.mv_size < KEY_TEXT_BYTES / 2 ? key.mv_size : KEY_TEXT_BYTES / 2;
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = ((const uint8_t *)key.mv_data)[i];
        text[2 * i] = digits[byte >> 4];
        text[2 * i + 1] = digits[byte & 0xF];
    }
    text[2 * n] = '\0';
    return text;
}

/* --- what a record calls for ------------------------------------------------------------------ */

static bool seq_row(const struct record *record, struct row *ret)
{
    bytes_put_le64(ret->value, record->seq);
    ret->value_bytes = SEQ_BYTES;
    return true;
}

/* The row of RECORD in the tables of what stands on bills. */
static bool position_row(const struct record *record, bool by_billed, struct row *ret)
{
    struct store_position occurred = {.seq = record->seq};
    struct store_position billed = {.seq = record->seq};
    bool has_times = record_times(record, &occurred.time_us, &billed.time_us);
    bool late = billed.time_us != occurred.time_us;
    if (!has_times || (by_billed && !late)) {
        return false;
    }
    ret->key = key_position(&ret->buffer, record_customer(record), by_billed ? billed : occurred);
    ret->value[0] = late ? INDEX_LATE : INDEX_IN_TIME;
    ret->value_bytes = by_billed ? 0 : 1;
    return true;
}

/* The row of RECORD in TABLE; whether there is to be one, or was. */
static bool row_of(const struct record *record, enum env_table table, struct row *ret)
{
    for (int i = 0; i < INDEX_BILLABLE_KINDS; i++) {
        const struct index_billable *billable = &index_billable[i];
        if (table == billable->by_occurred || table == billable->late) {
            return record->kind == billable->kind &&
                   position_row(record, table == billable->late, ret);
        }
    }
    if (table == ENV_EXTERNAL_IDS && record->kind == RECORD_CUSTOMER_CREATED &&
        record->customer_created.external_id.length > 0) {
        ret->key = key_text(&ret->buffer, record->customer_created.external_id);
        return seq_row(record, ret);
    }
    if (table == ENV_VOID_OF && record->kind == RECORD_USAGE_VOIDED) {
        ret->key = key_seq(&ret->buffer, record->usage_voided.usage);
        return seq_row(record, ret);
    }
    if (table == ENV_INVOICES && record->kind == RECORD_INVOICE) {
        ret->key = key_seq(&ret->buffer, record->invoice.number);
        return seq_row(record, ret);
    }
    if (table == ENV_CUSTOMER_INVOICES && record->kind == RECORD_INVOICE) {
        ret->key = key_invoice(&ret->buffer, record->invoice.customer, record->invoice.number);
        return seq_row(record, ret);
    }
    if (table == ENV_API_KEY_NAMES && record->kind == RECORD_KEY_CREATED) {
        ret->key = key_text(&ret->buffer, record->key_created.name);
        return seq_row(record, ret);
    }
    return false;
}

/* Whether the row of RECORD in TABLE stays: a name is free again once its key is revoked. */
static bool stays(const struct verify *verify, enum env_table table, const struct record *record)
{
    return table != ENV_API_KEY_NAMES || verify_api_keys_counts(verify, record->seq);
}

static int expect_row(struct verify *verify, enum env_table table, const struct record *record,
                      const struct row *row)
{
    MDB_val value;
    char text[KEY_TEXT_BYTES];
    const struct lmdb_view *view = verify->view;
    verify->expected[table]++;
    int rc = env_get(view->env, view->txn, table, row->key, &value);
    if (rc == STATUS_NOT_FOUND) {
        return verify_found_row(verify, STORE_MISSING, table, record->seq,
                                "record %" PRIu64 " calls for a row under %s, which is not there",
                                record->seq, hex_of(row->key, text));
    }
    if (rc < 0 || (value.mv_size == row->value_bytes &&
                   memcmp(value.mv_data, row->value, row->value_bytes) == 0)) {
        return rc;
    }
    char expected[KEY_TEXT_BYTES];
    char found[KEY_TEXT_BYTES];
    MDB_val wanted = {row->value_bytes, (void *)(uintptr_t)row->value};
    return verify_found_row(verify, STORE_WRONG, table, record->seq,
                            "the row under %s is to say %s by record %" PRIu64 ", and says %s",
                            hex_of(row->key, text), hex_of(wanted, expected), record->seq,
                            hex_of(value, found));
}

int verify_tables_add(struct verify *verify, const struct record *record)
{
    if (record->kind == RECORD_USAGE) { /* as most are: they have rows of another kind */
        return 0;
    }
    int rc = 0;
    for (int i = 0; i < TABLES && rc == 0; i++) {
        struct row row;
        if (row_of(record, tables[i], &row) && stays(verify, tables[i], record) &&
            !(tables[i] == ENV_API_KEY_NAMES && verify->n_holes > 0)) {
            rc = expect_row(verify, tables[i], record, &row);
        }
    }
    if (rc == 0) {
        rc = verify_customers_add(verify, record);
    }
    if (rc == 0) {
        rc = verify_api_keys_add(verify, record);
    }
    return rc == 0 ? verify_services_add(verify, record) : rc;
}

/* --- what else there is ----------------------------------------------------------------------- */

/* Which record the row under KEY is about, as far as it says so; else 0. */
static uint64_t seq_of(enum env_table table, MDB_val key, MDB_val value)
{
    uint64_t customer;
    uint64_t seq = 0;
    struct store_position position = {0};
    if (table == ENV_CUSTOMERS || table == ENV_API_KEYS) {
        return key_parse_seq(key, &seq) == 0 ? seq : 0;
    }
    for (int i = 0; i < INDEX_BILLABLE_KINDS; i++) {
        if (table == index_billable[i].by_occurred || table == index_billable[i].late) {
            return key_parse_position(key, &customer, &position) == 0 ? position.seq : 0;
        }
    }
    return value.mv_size == SEQ_BYTES ? bytes_get_le64(value.mv_data) : 0;
}

/* Whether the record SEQ calls for a row under KEY. */
static int is_called_for(struct verify *verify, enum env_table table, MDB_val key, uint64_t seq,
                         bool *ret)
{
    struct record record;
    struct row row;
    int rc = verify_record(verify, seq, &record);
    if (rc < 0) {
        *ret = rc == STATUS_CORRUPT;
        return rc == STATUS_NOT_FOUND || rc == STATUS_CORRUPT ? 0 : rc;
    }
    if (table == ENV_CUSTOMERS || table == ENV_API_KEYS) {
        *ret =
            record.kind == (table == ENV_CUSTOMERS ? RECORD_CUSTOMER_CREATED : RECORD_KEY_CREATED);
        return 0;
    }
    *ret = row_of(&record, table, &row) && stays(verify, table, &record) &&
           row.key.mv_size == key.mv_size && memcmp(row.key.mv_data, key.mv_data, key.mv_size) == 0;
    return 0;
}

static int check_surplus(struct verify *verify, enum env_table table, MDB_val key, MDB_val value)
{
    char text[KEY_TEXT_BYTES];
    bool called_for = false;
    uint64_t seq = 0;
    int rc = verify_step(verify, 0);
    if (rc == 0 && table == ENV_SERVICES) {
        struct slice name = {key.mv_data, key.mv_size};
        called_for = verify->n_holes > 0 || verify_services_has(verify, name);
    } else if (rc == 0) {
        seq = seq_of(table, key, value);
        rc = is_called_for(verify, table, key, seq, &called_for);
    }
    if (rc < 0 || called_for) {
        return rc;
    }
    return verify_found_row(verify, STORE_SURPLUS, table, seq,
                            "there is a row under %s, which no record calls for",
                            hex_of(key, text));
}

static int walk(struct verify *verify, enum env_table table)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    const struct lmdb_view *view = verify->view;
    int rc = env_status(mdb_cursor_open(view->txn, view->env->tables[table], &cursor));
    if (rc < 0) {
        return rc;
    }
    rc = env_status(mdb_cursor_get(cursor, &key, &value, MDB_FIRST));
    while (rc == 0) {
        rc = check_surplus(verify, table, key, value);
        if (rc == 0) {
            rc = env_status(mdb_cursor_get(cursor, &key, &value, MDB_NEXT));
        }
    }
    mdb_cursor_close(cursor);
    return rc == STATUS_NOT_FOUND ? 0 : rc;
}

/* Where every row that is called for was found, and there are so many, there are no others. */
static int check_count(struct verify *verify, enum env_table table)
{
    uint64_t count = 0;
    int rc = env_count(verify->view->env, verify->view->txn, table, &count);
    verify->result.rows += count;
    if (rc < 0 || (count == verify->expected[table] && !verify->suspect[table])) {
        return rc;
    }
    return walk(verify, table);
}

int verify_tables_end(struct verify *verify)
{
    int rc = verify_services_end(verify);
    for (int i = 0; i < TABLES && rc == 0; i++) {
        rc = check_count(verify, tables[i]);
    }
    if (rc == 0) {
        rc = check_count(verify, ENV_CUSTOMERS);
    }
    if (rc == 0) {
        rc = check_count(verify, ENV_API_KEYS);
    }
    return rc == 0 ? check_count(verify, ENV_SERVICES) : rc;
}
