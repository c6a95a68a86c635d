#include "billingctl/import_customers.h"

#include <string.h>

#include <billing/billing.h>

#include "billingctl/ctl.h"
#include "billingctl/derive.h"

/* The same request id in each run: so two runs, also at once, create one customer. */
static int create(const struct import_batch *batch, const struct import_row *row,
                  billing_error **ret_error)
{
    const char *external_id = row->customer + strlen("external:");
    const char *parts[] = {external_id, row->customer_name};
    struct text request_id = {0};
    text_puts(&request_id, "import-customer:");
    derive_put_hash(parts, sizeof parts / sizeof parts[0], &request_id);
    int status = billing_customer_create(batch->ctl->client, row->customer_name, external_id,
                                         text_of(&request_id), NULL, ret_error);
    text_done(&request_id);
    return status;
}

int import_customers_ensure(const struct import_batch *batch, struct tally *known,
                            struct import_row *row)
{
    billing_error *error;
    if (row->rejected || row->customer_name == NULL) {
        return CTL_DONE;
    }
    struct derive_hash hash = derive_hash_parts(&row->customer, 1);
    if (tally_count(known, &hash) > 0) {
        return CTL_DONE;
    }
    int status = create(batch, row, &error);
    if (status == 0 || strcmp(billing_error_code(error), "external_id_taken") == 0) {
        (void)tally_add(known, &hash);
    } else if (status == BILLING_E_REFUSED) {
        import_row_reject(row, "customer: %s (%s)", billing_error_message(error),
                          billing_error_code(error));
    } else {
        return import_batch_failed(batch, status, error);
    }
    billing_error_free(error);
    return CTL_DONE;
}
