#include "billingd/store/lmdb/verify_customers.h"

#include <inttypes.h>
#include <stdlib.h>

#include "billingd/store/lmdb/customer_row.h"
#include "billingd/store/lmdb/keys_lmdb.h"

enum {
    BITS = 64, /* of a word */
};

struct verify_customers {
    uint64_t *named;  /* owned; a bit a record: the customer's last name was seen */
    uint64_t *billed; /* likewise: its last invoice */
};

struct verify_customers *verify_customers_create(const struct verify *verify)
{
    size_t words = verify->last_seq / BITS + 1;
    struct verify_customers *customers = calloc(1, sizeof *customers);
    if (customers == NULL) {
        return NULL;
    }
    customers->named = calloc(words, sizeof *customers->named);
    customers->billed = calloc(words, sizeof *customers->billed);
    if (customers->named == NULL || customers->billed == NULL) {
        verify_customers_destroy(customers);
        return NULL;
    }
    return customers;
}

void verify_customers_destroy(struct verify_customers *customers)
{
    if (customers != NULL) {
        free(customers->named);
        free(customers->billed);
        free(customers);
    }
}

/* Set the bit; whether it was set before. */
static bool test_and_set(uint64_t *words, uint64_t seq)
{
    uint64_t bit = UINT64_C(1) << seq % BITS;
    bool before = (words[seq / BITS] & bit) != 0;
    words[seq / BITS] |= bit;
    return before;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* The row of the customer SEQ.  *RET_IS: it is there and whole; else its creation tells of it. */
static int get_row(const struct verify *verify, uint64_t seq, struct store_customer *ret,
                   int *ret_status)
{
    struct key key;
    MDB_val value;
    const struct lmdb_view *view = verify->view;
    int rc = env_get(view->env, view->txn, ENV_CUSTOMERS, key_seq(&key, seq), &value);
    if (rc == 0) {
        rc = customer_row_read(seq, value.mv_data, value.mv_size, ret);
    }
    *ret_status = rc;
    return rc == STATUS_NOT_FOUND || rc == STATUS_CORRUPT ? 0 : rc;
}

/* MEMBER of the row of the customer SEQ is to be EXPECTED, by the record BY. */
static int compare_time(struct verify *verify, uint64_t seq, const char *member, int64_t found_us,
                        int64_t expected_us)
{
    if (found_us == expected_us) {
        return 0;
    }
    return verify_found_row(verify, STORE_WRONG, ENV_CUSTOMERS, seq,
                            "%s of customer %" PRIu64 " is to be %" PRId64
                            " microseconds since 1970, and is %" PRId64,
                            member, seq, expected_us, found_us);
}

static int compare_text(struct verify *verify, uint64_t seq, const char *member, struct slice found,
                        struct slice expected)
{
    if (slice_equal(found, expected)) {
        return 0;
    }
    return verify_found_row(verify, STORE_WRONG, ENV_CUSTOMERS, seq,
                            "%s of customer %" PRIu64 " is to be '%.*s', and is '%.*s'", member,
                            seq, (int)expected.length, expected.length == 0 ? "" : expected.data,
                            (int)found.length, found.length == 0 ? "" : found.data);
}

/* --- records ---------------------------------------------------------------------------------- */

/* Whether what RECORD says of CUSTOMER is the last word: neither seen before, in WORDS, nor
 * possibly in a record that cannot be read. */
static bool is_last_word(const struct verify *verify, uint64_t *words, uint64_t customer)
{
    return customer <= verify->last_seq && !test_and_set(words, customer) && verify->n_holes == 0;
}

static int check_name(struct verify *verify, uint64_t customer, struct slice name,
                      int64_t updated_at_us)
{
    struct store_customer row = {0};
    int status;
    if (!is_last_word(verify, verify->customers->named, customer)) {
        return 0;
    }
    int rc = get_row(verify, customer, &row, &status);
    if (rc < 0 || status < 0) {
        return rc;
    }
    rc = compare_text(verify, customer, "the name", row.name, name);
    return rc < 0 ? rc
                  : compare_time(verify, customer, "updated_at", row.updated_at_us, updated_at_us);
}

static int check_billed(struct verify *verify, uint64_t customer, int64_t billed_until_us)
{
    struct store_customer row = {0};
    int status;
    if (!is_last_word(verify, verify->customers->billed, customer)) {
        return 0;
    }
    int rc = get_row(verify, customer, &row, &status);
    return rc < 0 || status < 0 ? rc
                                : compare_time(verify, customer, "the end of the last invoice",
                                               row.billed_until_us, billed_until_us);
}

/* The creation: that there is a row, and what never changes in it. */
static int check_created(struct verify *verify, const struct record *record)
{
    struct store_customer row = {0};
    int status;
    uint64_t seq = record->seq;
    verify->expected[ENV_CUSTOMERS]++;
    int rc = get_row(verify, seq, &row, &status);
    if (rc < 0) {
        return rc;
    }
    if (status == STATUS_NOT_FOUND) {
        return verify_found_row(verify, STORE_MISSING, ENV_CUSTOMERS, seq,
                                "there is no row of customer %" PRIu64, seq);
    }
    if (status < 0) {
        return verify_found_row(verify, STORE_DAMAGED, ENV_CUSTOMERS, seq,
                                "the row of customer %" PRIu64 " fails its checksum", seq);
    }
    rc = compare_text(verify, seq, "the external id", row.external_id,
                      record->customer_created.external_id);
    return rc < 0
               ? rc
               : compare_time(verify, seq, "created_at", row.created_at_us, record->created_at_us);
}

int verify_customers_add(struct verify *verify, const struct record *record)
{
    int rc = 0;
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        rc = check_created(verify, record);
        if (rc == 0) {
            rc = check_name(verify, record->seq, record->customer_created.name,
                            record->created_at_us);
        }
        return rc == 0 ? check_billed(verify, record->seq, 0) : rc;
    case RECORD_CUSTOMER_RENAMED:
        return check_name(verify, record->customer_renamed.customer, record->customer_renamed.name,
                          record->created_at_us);
    case RECORD_INVOICE:
        return check_billed(verify, record->invoice.customer, record->invoice.end_us);
    case RECORD_USAGE:
    case RECORD_USAGE_VOIDED:
    case RECORD_ADJUSTMENT:
    case RECORD_INVOICE_ENTRIES:
    case RECORD_SERVICE_PUT:
    case RECORD_SERVICE_DELETED:
    case RECORD_KEY_CREATED:
    case RECORD_KEY_REVOKED:
    case RECORD_KEY_USED:
        break;
    }
    return 0;
}
