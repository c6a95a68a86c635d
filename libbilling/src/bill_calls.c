/* The public calls about what is summed up: bills, invoices, summaries. */
#include "billing.pb-c.h"
#include "libbilling/src/call.h"
#include "libbilling/src/message.h"
#include "libbilling/src/prepare.h"

/* --- summaries and bills ---------------------------------------------------------------------- */

int billing_usage_summary(billing_client *client, const char *customer_id,
                          const billing_query *query, billing_object **ret_reply,
                          billing_error **ret_error)
{
    Billing__V1__SummarizeUsage message = BILLING__V1__SUMMARIZE_USAGE__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_SUMMARIZE_USAGE, READS);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    call.request.summarize_usage = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_bill_get(billing_client *client, const char *customer_id, const billing_query *query,
                     billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__GetBill message = BILLING__V1__GET_BILL__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_GET_BILL, READS);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    call.request.get_bill = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_bill_list(billing_client *client, const billing_query *query,
                      billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__ListBills message = BILLING__V1__LIST_BILLS__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_LIST_BILLS, READS);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    call.request.list_bills = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_bill_records(billing_client *client, const char *customer_id,
                         const billing_query *query, billing_object **ret_reply,
                         billing_error **ret_error)
{
    Billing__V1__ListBillRecords message = BILLING__V1__LIST_BILL_RECORDS__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_LIST_BILL_RECORDS, READS);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    call.request.list_bill_records = &message;
    return call_run(&call, ret_reply, ret_error);
}

/* --- invoices --------------------------------------------------------------------------------- */

int billing_invoice_finalize(billing_client *client, const char *customer_id,
                             const billing_query *query, const char *request_id,
                             billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__FinalizeInvoice message = BILLING__V1__FINALIZE_INVOICE__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_FINALIZE_INVOICE, WRITES);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status == 0) {
        status = prepare_request_id(&call, request_id, ret_reply, ret_error);
    }
    if (status != 0) {
        return status;
    }
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    message_refer(&message.has_request_id, &message.request_id, call.request_id);
    call.request.finalize_invoice = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_invoice_get(billing_client *client, uint64_t number, const billing_query *query,
                        billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__GetInvoice message = BILLING__V1__GET_INVOICE__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_GET_INVOICE, READS);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    message.has_number = 1;
    message.number = number;
    call.request.get_invoice = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_invoice_list(billing_client *client, const char *customer_id,
                         const billing_query *query, billing_object **ret_reply,
                         billing_error **ret_error)
{
    Billing__V1__ListInvoices message = BILLING__V1__LIST_INVOICES__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_LIST_INVOICES, READS);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    call.request.list_invoices = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_invoice_verify(billing_client *client, uint64_t number, billing_object **ret_reply,
                           billing_error **ret_error)
{
    Billing__V1__VerifyInvoice message = BILLING__V1__VERIFY_INVOICE__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_VERIFY_INVOICE, READS);
    message.has_number = 1;
    message.number = number;
    call.request.verify_invoice = &message;
    return call_run(&call, ret_reply, ret_error);
}
