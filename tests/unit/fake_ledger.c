#include "tests/unit/fake_ledger.h"

#include "tests/unit/fake_fields.h"

/* --- voids and adjustments -------------------------------------------------------------------- */

static void answer_void(const Billing__V1__Request *request, Billing__V1__Response *response,
                        fake_send_fn send, void *arg)
{
    Billing__V1__VoidReply reply = BILLING__V1__VOID_REPLY__INIT;
    Billing__V1__Void entry = BILLING__V1__VOID__INIT;
    TEXT(&entry, id, "voi_1");
    TEXT(&entry, customer_id, "cus_1");
    TEXT(&entry, usage_id, "use_1");
    TEXT(&entry, reason, "twice");
    TEXT(&entry, amount, "-2.9");
    VALUE(&entry, created_at, T0 + 9);
    VALUE(&entry, bills_at, T0);
    if (request->call_case == BILLING__V1__REQUEST__CALL_VOID_USAGE) {
        entry.has_request_id = request->void_usage->has_request_id;
        entry.request_id = request->void_usage->request_id;
    }
    reply.void_ = &entry;
    response->void_usage = &reply; /* one union: get_void lies there too */
    send(response, arg);
}

static void fill_adjustment(Billing__V1__Adjustment *adjustment)
{
    billing__v1__adjustment__init(adjustment);
    TEXT(adjustment, id, "adj_1");
    TEXT(adjustment, customer_id, "cus_1");
    TEXT(adjustment, amount, "-12.345");
    TEXT(adjustment, reason, "goodwill");
    VALUE(adjustment, occurred_at, T0);
    VALUE(adjustment, created_at, T0 + 5);
    VALUE(adjustment, bills_at, T0);
    VALUE(adjustment, late, 0);
}

static void answer_adjustment(const Billing__V1__Request *request, Billing__V1__Response *response,
                              fake_send_fn send, void *arg)
{
    Billing__V1__AdjustmentReply reply = BILLING__V1__ADJUSTMENT_REPLY__INIT;
    Billing__V1__Adjustment adjustment;
    fill_adjustment(&adjustment);
    adjustment.has_request_id = request->create_adjustment->has_request_id;
    adjustment.request_id = request->create_adjustment->request_id;
    reply.adjustment = &adjustment;
    response->create_adjustment = &reply;
    send(response, arg);
}

static void answer_adjustments(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__AdjustmentsReply reply = BILLING__V1__ADJUSTMENTS_REPLY__INIT;
    Billing__V1__Adjustment adjustment;
    Billing__V1__Adjustment *list[1] = {&adjustment};
    fill_adjustment(&adjustment);
    reply.n_adjustments = 1;
    reply.adjustments = list;
    TEXT(&reply, next_cursor, "go_on-2");
    response->list_adjustments = &reply;
    send(response, arg);
}

/* --- bills ------------------------------------------------------------------------------------ */

static void fill_line(Billing__V1__BillLine *line)
{
    billing__v1__bill_line__init(line);
    TEXT(line, service, "Database Hosting");
    TEXT(line, price_per_unit, "0.05");
    TEXT(line, units_consumed, "58");
    TEXT(line, exact_amount, "2.9");
    TEXT(line, amount, "2.9");
    VALUE(line, records, 1);
    VALUE(line, voided, 0);
    VALUE(line, late, 0);
}

static void answer_bill(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__BillReply reply = BILLING__V1__BILL_REPLY__INIT;
    Billing__V1__Bill bill = BILLING__V1__BILL__INIT;
    Billing__V1__BillLine line;
    Billing__V1__BillLine *lines[1] = {&line};
    fill_line(&line);
    TEXT(&bill, customer_id, "cus_1");
    VALUE(&bill, start, T0);
    VALUE(&bill, end, T0 + 1);
    TEXT(&bill, currency, "USD");
    bill.n_lines = 1;
    bill.lines = lines;
    TEXT(&bill, exact_total, "2.9");
    TEXT(&bill, total, "2.9");
    TEXT(&bill, rounding, "-0.5");
    reply.bill = &bill;
    response->get_bill = &reply;
    send(response, arg);
}

static void answer_bills(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__BillsReply reply = BILLING__V1__BILLS_REPLY__INIT;
    Billing__V1__BillTotals totals = BILLING__V1__BILL_TOTALS__INIT;
    Billing__V1__BillTotals *list[1] = {&totals};
    TEXT(&totals, customer_id, "cus_1");
    TEXT(&totals, name, "Acme");
    VALUE(&totals, end, T0);
    VALUE(&totals, lines, 3);
    VALUE(&totals, adjustments, 2);
    TEXT(&totals, total, "-2.9");
    reply.n_bills = 1;
    reply.bills = list;
    response->list_bills = &reply;
    send(response, arg);
}

static void answer_records(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__BillRecordsReply reply = BILLING__V1__BILL_RECORDS_REPLY__INIT;
    Billing__V1__BillRecord record = BILLING__V1__BILL_RECORD__INIT;
    Billing__V1__BillRecord *list[1] = {&record};
    VALUE(&record, kind, BILLING__V1__BILL_RECORD__KIND__VOID);
    TEXT(&record, id, "voi_1");
    TEXT(&record, usage_id, "use_1");
    TEXT(&record, units_consumed, "-58");
    reply.n_records = 1;
    reply.records = list;
    response->list_bill_records = &reply;
    send(response, arg);
}

static void answer_summary(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__SummaryReply reply = BILLING__V1__SUMMARY_REPLY__INIT;
    Billing__V1__Summary summary = BILLING__V1__SUMMARY__INIT;
    Billing__V1__SummaryRow row = BILLING__V1__SUMMARY_ROW__INIT;
    Billing__V1__SummaryRow *rows[1] = {&row};
    VALUE(&row, start, T0);
    TEXT(&row, units_consumed, "58");
    VALUE(&row, records, 7);
    VALUE(&summary, by, BILLING__V1__CLOCK__BILLED);
    VALUE(&summary, window, BILLING__V1__SUMMARIZE_USAGE__WINDOW__MONTH);
    summary.n_rows = 1;
    summary.rows = rows;
    reply.summary = &summary;
    response->summarize_usage = &reply;
    send(response, arg);
}

/* --- invoices --------------------------------------------------------------------------------- */

static void answer_invoice(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__InvoiceReply reply = BILLING__V1__INVOICE_REPLY__INIT;
    Billing__V1__Invoice invoice = BILLING__V1__INVOICE__INIT;
    Billing__V1__BillLine line;
    Billing__V1__BillLine *lines[1] = {&line};
    fill_line(&line);
    VALUE(&invoice, number, UINT64_MAX);
    TEXT(&invoice, customer_id, "cus_1");
    invoice.n_lines = 1;
    invoice.lines = lines;
    VALUE(&invoice, end, T0);
    TEXT(&invoice, total, "2.9");
    VALUE(&invoice, finalized_at, T0);
    TEXT(&invoice, digest, "00ff");
    reply.invoice = &invoice;
    response->finalize_invoice = &reply; /* one union: get_invoice lies there too */
    send(response, arg);
}

static void answer_invoices(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__InvoicesReply reply = BILLING__V1__INVOICES_REPLY__INIT;
    Billing__V1__InvoiceTotals totals = BILLING__V1__INVOICE_TOTALS__INIT;
    Billing__V1__InvoiceTotals *list[1] = {&totals};
    VALUE(&totals, number, 1);
    VALUE(&totals, end, T0);
    TEXT(&totals, total, "2.9");
    reply.n_invoices = 1;
    reply.invoices = list;
    response->list_invoices = &reply;
    send(response, arg);
}

static void answer_verification(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__VerificationReply reply = BILLING__V1__VERIFICATION_REPLY__INIT;
    Billing__V1__Verification verification = BILLING__V1__VERIFICATION__INIT;
    Billing__V1__Difference difference = BILLING__V1__DIFFERENCE__INIT;
    Billing__V1__Difference *differences[1] = {&difference};
    TEXT(&difference, what, "digest");
    TEXT(&difference, computed, "ff00");
    VALUE(&verification, number, 1);
    VALUE(&verification, verified, 0);
    verification.n_differences = 1;
    verification.differences = differences;
    reply.verification = &verification;
    response->verify_invoice = &reply;
    send(response, arg);
}

/* --- the catalogue ---------------------------------------------------------------------------- */

static void fill_service(Billing__V1__Service *service)
{
    billing__v1__service__init(service);
    TEXT(service, name, "Database Hosting");
    TEXT(service, unit, "hour");
    VALUE(service, created_at, T0);
}

static void answer_service(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__ServiceReply reply = BILLING__V1__SERVICE_REPLY__INIT;
    Billing__V1__Service service;
    fill_service(&service);
    reply.service = &service;
    response->put_service = &reply; /* one union: get_service lies there too */
    send(response, arg);
}

static void answer_services(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__ServicesReply reply = BILLING__V1__SERVICES_REPLY__INIT;
    Billing__V1__Service service;
    Billing__V1__Service *list[1] = {&service};
    fill_service(&service);
    reply.n_services = 1;
    reply.services = list;
    response->list_services = &reply;
    send(response, arg);
}

static void answer_deleted(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__DeletedReply reply = BILLING__V1__DELETED_REPLY__INIT;
    response->delete_service = &reply;
    send(response, arg);
}

void fake_answer_ledger(const Billing__V1__Request *request, Billing__V1__Response *response,
                        fake_send_fn send, void *arg)
{
    switch ((int)request->call_case) {
    case BILLING__V1__REQUEST__CALL_VOID_USAGE:
    case BILLING__V1__REQUEST__CALL_GET_VOID:
        answer_void(request, response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_CREATE_ADJUSTMENT:
        answer_adjustment(request, response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_LIST_ADJUSTMENTS:
        answer_adjustments(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_GET_BILL:
        answer_bill(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_LIST_BILLS:
        answer_bills(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_LIST_BILL_RECORDS:
        answer_records(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_SUMMARIZE_USAGE:
        answer_summary(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_FINALIZE_INVOICE:
    case BILLING__V1__REQUEST__CALL_GET_INVOICE:
        answer_invoice(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_LIST_INVOICES:
        answer_invoices(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_VERIFY_INVOICE:
        answer_verification(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_PUT_SERVICE:
    case BILLING__V1__REQUEST__CALL_GET_SERVICE:
        answer_service(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_LIST_SERVICES:
        answer_services(response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_DELETE_SERVICE:
        answer_deleted(response, send, arg);
        break;
    default: /* a call without an answer here: the test waits in vain, and says so */
        break;
    }
}
