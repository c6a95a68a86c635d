#include "billingd/ledger/request.h"

int request_get(struct store_view *view, struct request_get *get)
{
    struct store_key key = {.request_id = get->request_id};
    struct record record;
    if (!get->of_daemon) {
        struct store_customer customer;
        int rc = customer_resolve(view, &get->customer, &customer);
        if (rc < 0) {
            return rc;
        }
        key.scope = customer.seq;
    }
    int rc = store_request(view, key, &record);
    if (rc < 0) {
        return rc == STATUS_NOT_FOUND ? STATUS_REQUEST_NOT_FOUND : rc;
    }
    get->customer_seq = get->of_daemon ? record.seq : key.scope;
    get->seq = record.kind == RECORD_INVOICE ? record.invoice.number : record.seq;
    get->kind = record.kind;
    get->created_at_us = record.created_at_us;
    return 0;
}
