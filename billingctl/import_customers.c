#include "billingctl/import_customers.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <billing/billing.h>

#include "billingctl/ctl.h"
#include "billingctl/derive.h"
#include "billingctl/memory.h"

enum {
    CAPACITY_FIRST = 64,
};

/* --- the table -------------------------------------------------------------------------------- */

static bool is_free(const struct import_customer *slot)
{
    return slot->id == NULL && slot->reason == NULL;
}

/* The slot of KEY, or the free one where it would be.  There is always a free one. */
static struct import_customer *find(const struct import_customers *customers, const uint64_t key[2])
{
    size_t mask = customers->capacity - 1;
    size_t i = (size_t)key[0] & mask;
    while (!is_free(&customers->slots[i]) &&
           (customers->slots[i].key[0] != key[0] || customers->slots[i].key[1] != key[1])) {
        i = (i + 1) & mask;
    }
    return &customers->slots[i];
}

/* Make room for one more. */
static void reserve(struct import_customers *customers)
{
    struct import_customers old = *customers;
    if (old.used < old.capacity / 4 * 3) {
        return;
    }
    customers->capacity = old.capacity == 0 ? CAPACITY_FIRST : old.capacity * 2;
    customers->slots = memory_resize(NULL, customers->capacity, sizeof *customers->slots);
    memset(customers->slots, 0, customers->capacity * sizeof *customers->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        if (!is_free(&old.slots[i])) {
            *find(customers, old.slots[i].key) = old.slots[i];
        }
    }
    free(old.slots);
}

void import_customers_done(struct import_customers *customers)
{
    for (size_t i = 0; i < customers->capacity; i++) {
        free(customers->slots[i].id);
        free(customers->slots[i].reason);
    }
    free(customers->slots);
    *customers = (struct import_customers){0};
}

/* --- the daemon ------------------------------------------------------------------------------- */

/* The same request id in each run: so two runs, also at once, create one customer. */
static int create(const struct import_batch *batch, const struct import_row *row,
                  billing_object **ret_reply, billing_error **ret_error)
{
    const char *external_id = row->customer + strlen("external:");
    const char *parts[] = {external_id, row->customer_name};
    struct text request_id = {0};
    text_puts(&request_id, "import-customer:");
    derive_put_hash(parts, sizeof parts / sizeof parts[0], &request_id);
    int status = billing_customer_create(batch->ctl->client, row->customer_name, external_id,
                                         text_of(&request_id), ret_reply, ret_error);
    text_done(&request_id);
    return status;
}

/* Whether ERROR speaks against the customer alone, so that other rows can still be recorded. */
static bool is_of_customer(const struct import_row *row, int status, const billing_error *error)
{
    return strcmp(billing_error_code(error), "customer_not_found") == 0 ||
           strcmp(billing_error_code(error), "too_large") == 0 ||
           (status == BILLING_E_REFUSED && row->customer_name != NULL);
}

/* Keep in SLOT why the daemon has no customer for it. */
__attribute__((format(printf, 2, 3))) static void keep_reason(struct import_customer *slot,
                                                              const char *format, ...)
{
    struct text reason = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&reason, format, args);
    va_end(args);
    slot->reason = memory_copy(text_of(&reason));
    text_done(&reason);
}

/* Keep in SLOT what asking for the customer of ROW came to: STATUS, and REPLY or ERROR, which are
 * freed. */
static int keep_answer(const struct import_batch *batch, const struct import_row *row,
                       struct import_customer *slot, int status, billing_object *reply,
                       billing_error *error)
{
    if (status == 0) {
        slot->id = memory_copy(output_value(reply, "customer.id"));
    } else if (strcmp(billing_error_code(error), "external_id_taken") == 0 &&
               billing_error_existing_id(error) != NULL) {
        slot->id = memory_copy(billing_error_existing_id(error));
    } else if (is_of_customer(row, status, error)) {
        keep_reason(slot, "customer: %s (%s)", billing_error_message(error),
                    billing_error_code(error));
    } else {
        return import_batch_failed(batch, status, error);
    }
    billing_object_free(reply);
    billing_error_free(error);
    return CTL_DONE;
}

/* Where what an export has in place of an external id is the id of a customer here, keep that.  An
 * id of another daemon is that of nobody here, but for one in a million; that one is found out by
 * what else the export says, so that nobody is charged for another. */
static int ask_for_id(const struct import_batch *batch, const struct import_row *row,
                      struct import_customer *slot)
{
    billing_object *reply;
    billing_error *error;
    const char *id = row->customer + strlen("external:");
    int status = billing_customer_get(batch->ctl->client, id, &reply, &error);
    if (status != 0 && strcmp(billing_error_code(error), "customer_not_found") != 0) {
        return import_batch_failed(batch, status, error);
    }
    bool is_found = status == 0 && billing_object_text(reply, "customer.external_id") == NULL;
    if (is_found && strcmp(output_value(reply, "customer.name"), row->customer_name) != 0) {
        keep_reason(slot, "customer: %s is '%s' here and '%s' in the file", id,
                    output_value(reply, "customer.name"), row->customer_name);
    } else if (is_found) {
        slot->id = memory_copy(output_value(reply, "customer.id"));
    }
    billing_object_free(reply);
    billing_error_free(error);
    return CTL_DONE;
}

/* Ask for the customer of ROW and keep in the free SLOT what the daemon says. */
static int ask(const struct import_batch *batch, const struct import_row *row,
               struct import_customer *slot)
{
    billing_object *reply;
    billing_error *error;
    if (row->may_be_id) {
        int code = ask_for_id(batch, row, slot);
        if (code != CTL_DONE || !is_free(slot)) {
            return code;
        }
    }
    int status = row->customer_name != NULL
                     ? create(batch, row, &reply, &error)
                     : billing_customer_get(batch->ctl->client, row->customer, &reply, &error);
    return keep_answer(batch, row, slot, status, reply, error);
}

int import_customers_resolve(struct import_customers *customers, const struct import_batch *batch,
                             struct import_row *row)
{
    bool derives = row->request_id == NULL;
    if (row->rejected || row->customer == NULL || (row->customer_name == NULL && !derives)) {
        return CTL_DONE;
    }
    struct derive_hash hash = derive_hash_parts(&row->customer, 1);
    uint64_t key[2];
    memcpy(key, hash.bytes, sizeof key);
    reserve(customers);
    struct import_customer *slot = find(customers, key);
    if (is_free(slot)) {
        int code = ask(batch, row, slot);
        if (code != CTL_DONE) {
            return code;
        }
        memcpy(slot->key, key, sizeof key);
        customers->used++;
    }
    if (slot->id == NULL) {
        import_row_reject(row, "%s", slot->reason);
    } else {
        row->customer = slot->id;
    }
    return CTL_DONE;
}
