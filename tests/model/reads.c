/* What is answered from what there is. */
#include <stdlib.h>
#include <string.h>

#include "proto/timestamp.h"
#include "tests/model/parts.h"

struct read {
    struct model *model;
    const void *payload;
    Billing__V1__Response *answer; /* to be filled */
    struct refusal *refusal;       /* or this */
    struct customer *customer;     /* that the payload names */
};

/* --- fields ----------------------------------------------------------------------------------- */

static void refuse_field(struct read *read, const char *field, int status)
{
    refusal_add(read->refusal, field, status);
    read->refusal->status = STATUS_INVALID_QUERY;
}

/* Find the customer that is asked about.  Returns whether there is one and nothing is refused. */
static bool find_customer(struct read *read)
{
    const ProtobufCBinaryData *ref = message_bytes(read->payload, "customer_id");
    if (read->refusal->status != 0) {
        return false;
    }
    read->customer =
        ref == NULL ? NULL : model_customer(read->model, message_text(read->model->step, *ref));
    if (read->customer == NULL) {
        read->refusal->status = STATUS_CUSTOMER_NOT_FOUND;
    }
    return read->customer != NULL;
}

/* A window of time: [start, end). */
struct range {
    int64_t start;
    int64_t end;
};

/* A window whose ends may be left open. */
static struct range open_range(struct read *read, protobuf_c_boolean has_start, int64_t start,
                               protobuf_c_boolean has_end, int64_t end)
{
    struct range range = {has_start ? start : 0, has_end ? end : TIMESTAMP_MAX + 1};
    if (range.start >= range.end) {
        refuse_field(read, "end", STATUS_OUT_OF_BOUNDS);
    }
    return range;
}

/* Half a window is none. */
static void check_halves(struct read *read, protobuf_c_boolean has_start,
                         protobuf_c_boolean has_end)
{
    if (has_start != has_end) {
        refuse_field(read, has_start ? "end" : "start", STATUS_MISSING_FIELD);
    }
}

/* The open period of CUSTOMER. */
static struct range current_range(const struct model *model, const struct customer *customer)
{
    static const Billing__V1__SummarizeUsage__Window month =
        BILLING__V1__SUMMARIZE_USAGE__WINDOW__MONTH;
    int64_t until = model_billed_until(model, customer);
    int64_t now = model->now > until ? model->now : until;
    int64_t start = window_start(month, now);
    return (struct range){start > until ? start : until, window_end(month, now)};
}

/* --- customers, services, requests ------------------------------------------------------------ */

static void get_customer(struct read *read)
{
    Billing__V1__CustomerReply *reply =
        MESSAGE_NEW(read->model->step, Billing__V1__CustomerReply, billing__v1__customer_reply);
    if (find_customer(read)) {
        reply->customer = customer_message(read->model, read->customer);
        read->answer->result_case = BILLING__V1__RESPONSE__RESULT_GET_CUSTOMER;
        read->answer->get_customer = reply;
    }
}

static void list_customers(struct read *read, const Billing__V1__ListCustomers *m)
{
    struct model *model = read->model;
    const char *external_id = TEXT_OF(model->step, m, external_id);
    Billing__V1__CustomersReply *reply =
        MESSAGE_NEW(model->step, Billing__V1__CustomersReply, billing__v1__customers_reply);
    for (size_t i = 0; i < model->n_customers; i++) {
        if (external_id == NULL || same_text(model->customers[i]->external_id, external_id)) {
            MEMORY_PUSH(model->step, reply->customers, reply->n_customers,
                        customer_message(model, model->customers[i]));
        }
    }
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_LIST_CUSTOMERS;
    read->answer->list_customers = reply;
}

static void get_service(struct read *read, const Billing__V1__GetService *m)
{
    struct service *service = find_service(read->model, TEXT_OF(read->model->step, m, name));
    if (service == NULL) {
        read->refusal->status = STATUS_SERVICE_NOT_FOUND;
        return;
    }
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_GET_SERVICE;
    read->answer->get_service =
        MESSAGE_NEW(read->model->step, Billing__V1__ServiceReply, billing__v1__service_reply);
    read->answer->get_service->service = service_message(read->model, service);
}

static int compare_services(const void *a, const void *b)
{
    const struct service *const *service_a = a;
    const struct service *const *service_b = b;
    return strcmp((*service_a)->name, (*service_b)->name);
}

static void list_services(struct read *read)
{
    struct model *model = read->model;
    Billing__V1__ServicesReply *reply =
        MESSAGE_NEW(model->step, Billing__V1__ServicesReply, billing__v1__services_reply);
    if (model->n_services > 0) {
        qsort(model->services, model->n_services, sizeof(struct service *), compare_services);
    }
    for (size_t i = 0; i < model->n_services; i++) {
        MEMORY_PUSH(model->step, reply->services, reply->n_services,
                    service_message(model, model->services[i]));
    }
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_LIST_SERVICES;
    read->answer->list_services = reply;
}

static const struct made *find_made(const struct model *model, const struct customer *scope,
                                    const char *request_id)
{
    for (size_t i = 0; i < model->n_made; i++) {
        if (model->made[i]->scope == scope && same_text(model->made[i]->request_id, request_id)) {
            return model->made[i];
        }
    }
    return NULL;
}

static void get_request(struct read *read, const Billing__V1__GetRequest *m)
{
    struct memory *step = read->model->step;
    if (m->has_customer_id && !find_customer(read)) {
        return;
    }
    const struct made *made = find_made(read->model, read->customer, TEXT_OF(step, m, request_id));
    if (made == NULL) {
        read->refusal->status = STATUS_REQUEST_NOT_FOUND;
        return;
    }
    Billing__V1__RequestRecord *record =
        MESSAGE_NEW(step, Billing__V1__RequestRecord, billing__v1__request_record);
    PUT_TEXT(record, request_id, made->request_id);
    PUT_TEXT(record, customer_id, made->customer->id);
    PUT_TEXT(record, method, made->method);
    PUT_TEXT(record, id, made->id);
    PUT(record, created_at, made->created_at);
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_GET_REQUEST;
    read->answer->get_request =
        MESSAGE_NEW(step, Billing__V1__RequestReply, billing__v1__request_reply);
    read->answer->get_request->request = record;
}

/* --- entries ---------------------------------------------------------------------------------- */

static void get_usage(struct read *read, const Billing__V1__GetUsage *m)
{
    struct model *model = read->model;
    if (!find_customer(read)) {
        return;
    }
    const struct entry *usage =
        find_entry(model, read->customer, BILLING__V1__BILL_RECORD__KIND__USAGE,
                   TEXT_OF(model->step, m, usage_id));
    if (usage == NULL) {
        read->refusal->status = STATUS_USAGE_NOT_FOUND;
        return;
    }
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_GET_USAGE;
    read->answer->get_usage =
        MESSAGE_NEW(model->step, Billing__V1__UsageReply, billing__v1__usage_reply);
    read->answer->get_usage->usage = usage_message(model, usage, true);
}

static void get_void(struct read *read, const Billing__V1__GetVoid *m)
{
    struct model *model = read->model;
    if (!find_customer(read)) {
        return;
    }
    const struct entry *usage =
        find_entry(model, read->customer, BILLING__V1__BILL_RECORD__KIND__USAGE,
                   TEXT_OF(model->step, m, usage_id));
    if (usage == NULL || usage->voided == NULL) {
        read->refusal->status = usage == NULL ? STATUS_USAGE_NOT_FOUND : STATUS_VOID_NOT_FOUND;
        return;
    }
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_GET_VOID;
    read->answer->get_void =
        MESSAGE_NEW(model->step, Billing__V1__VoidReply, billing__v1__void_reply);
    read->answer->get_void->void_ = void_message(model, usage->voided);
}

/* Entries in the order of a clock; those of one time in that of their recording. */
struct chosen {
    int64_t time;
    size_t index;
};

static int compare_chosen(const void *a, const void *b)
{
    const struct chosen *chosen_a = a;
    const struct chosen *chosen_b = b;
    if (chosen_a->time != chosen_b->time) {
        return chosen_a->time < chosen_b->time ? -1 : 1;
    }
    return (chosen_a->index > chosen_b->index) - (chosen_a->index < chosen_b->index);
}

enum {
    USAGE = 1 << BILLING__V1__BILL_RECORD__KIND__USAGE,
    VOIDS = 1 << BILLING__V1__BILL_RECORD__KIND__VOID,
    ADJUSTMENTS = 1 << BILLING__V1__BILL_RECORD__KIND__ADJUSTMENT,
};

/* The customer's entries of some KINDS, of SERVICE (NULL: any), in RANGE. */
static struct chosen *choose(struct read *read, unsigned kinds, bool billed, struct range range,
                             const char *service, size_t *ret_n)
{
    struct chosen *list = NULL;
    size_t n = 0;
    for (size_t i = 0; i < read->model->n_entries; i++) {
        const struct entry *entry = read->model->entries[i];
        struct chosen one = {billed ? entry->bills_at : entry->occurred_at, i};
        if (entry->customer == read->customer && (kinds & 1U << entry->kind) != 0 &&
            one.time >= range.start && one.time < range.end &&
            (service == NULL || same_text(service, entry->service))) {
            MEMORY_PUSH(read->model->step, list, n, one);
        }
    }
    if (n > 0) {
        qsort(list, n, sizeof *list, compare_chosen);
    }
    *ret_n = n;
    return list;
}

static void list_usage(struct read *read, const Billing__V1__ListUsage *m)
{
    struct model *model = read->model;
    size_t n;
    struct range range = open_range(read, m->has_start, m->start, m->has_end, m->end);
    if (!find_customer(read)) {
        return;
    }
    Billing__V1__UsageListReply *reply =
        MESSAGE_NEW(model->step, Billing__V1__UsageListReply, billing__v1__usage_list_reply);
    struct chosen *chosen = choose(read, USAGE, m->by == BILLING__V1__CLOCK__BILLED, range,
                                   TEXT_OF(model->step, m, service), &n);
    for (size_t i = 0; i < n; i++) {
        MEMORY_PUSH(model->step, reply->usage, reply->n_usage,
                    usage_message(model, model->entries[chosen[i].index], true));
    }
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_LIST_USAGE;
    read->answer->list_usage = reply;
}

static void list_adjustments(struct read *read, const Billing__V1__ListAdjustments *m)
{
    struct model *model = read->model;
    size_t n;
    struct range range = open_range(read, m->has_start, m->start, m->has_end, m->end);
    if (!find_customer(read)) {
        return;
    }
    Billing__V1__AdjustmentsReply *reply =
        MESSAGE_NEW(model->step, Billing__V1__AdjustmentsReply, billing__v1__adjustments_reply);
    struct chosen *chosen = choose(read, ADJUSTMENTS, m->by == BILLING__V1__CLOCK__BILLED, range,
                                   TEXT_OF(model->step, m, service), &n);
    for (size_t i = 0; i < n; i++) {
        MEMORY_PUSH(model->step, reply->adjustments, reply->n_adjustments,
                    adjustment_message(model, model->entries[chosen[i].index]));
    }
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_LIST_ADJUSTMENTS;
    read->answer->list_adjustments = reply;
}

/* --- bills ------------------------------------------------------------------------------------ */

static void get_bill(struct read *read, const Billing__V1__GetBill *m)
{
    struct model *model = read->model;
    struct sheet sheet;
    check_halves(read, m->has_start, m->has_end);
    if (m->has_start && m->has_end && m->start >= m->end) {
        refuse_field(read, "end", STATUS_OUT_OF_BOUNDS);
    }
    if (!find_customer(read)) {
        return;
    }
    struct range range =
        m->has_start ? (struct range){m->start, m->end} : current_range(model, read->customer);
    Billing__V1__Bill *bill = MESSAGE_NEW(model->step, Billing__V1__Bill, billing__v1__bill);
    sheet_init(&sheet, model, read->customer, range.start, range.end);
    PUT_TEXT(bill, customer_id, read->customer->id);
    PUT(bill, start, range.start);
    PUT(bill, end, range.end);
    PUT_TEXT(bill, currency, "USD");
    bill->lines = sheet_lines(&sheet, model);
    bill->n_lines = sheet.n_lines;
    bill->adjustments = sheet_adjustments(&sheet, model);
    bill->n_adjustments = sheet.n_adjustments;
    PUT_TEXT(bill, exact_total, number_words(model, sheet.exact));
    PUT_TEXT(bill, total, number_words(model, sheet.total));
    PUT_TEXT(bill, rounding, number_words(model, sheet.rounding));
    sheet_done(&sheet);
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_GET_BILL;
    read->answer->get_bill =
        MESSAGE_NEW(model->step, Billing__V1__BillReply, billing__v1__bill_reply);
    read->answer->get_bill->bill = bill;
}

static Billing__V1__BillTotals *totals_message(struct model *model, const struct customer *customer,
                                               struct range range)
{
    struct sheet sheet;
    Billing__V1__BillTotals *m =
        MESSAGE_NEW(model->step, Billing__V1__BillTotals, billing__v1__bill_totals);
    sheet_init(&sheet, model, customer, range.start, range.end);
    PUT_TEXT(m, customer_id, customer->id);
    PUT_TEXT(m, name, customer->name);
    PUT_TEXT(m, external_id, customer->external_id);
    PUT(m, start, range.start);
    PUT(m, end, range.end);
    PUT_TEXT(m, currency, "USD");
    PUT(m, lines, sheet.n_lines);
    PUT(m, records, sheet.records);
    PUT(m, voided, sheet.voided);
    PUT(m, late, sheet.late);
    PUT(m, adjustments, sheet.n_adjustments);
    PUT_TEXT(m, exact_total, number_words(model, sheet.exact));
    PUT_TEXT(m, total, number_words(model, sheet.total));
    PUT_TEXT(m, rounding, number_words(model, sheet.rounding));
    sheet_done(&sheet);
    return m;
}

static void list_bills(struct read *read, const Billing__V1__ListBills *m)
{
    struct model *model = read->model;
    if (m->has_start && !m->has_end) {
        refuse_field(read, "end", STATUS_MISSING_FIELD);
        return;
    }
    if (m->has_start && m->start >= m->end) {
        refuse_field(read, "end", STATUS_OUT_OF_BOUNDS);
        return;
    }
    Billing__V1__BillsReply *reply =
        MESSAGE_NEW(model->step, Billing__V1__BillsReply, billing__v1__bills_reply);
    for (size_t i = 0; i < model->n_customers; i++) {
        const struct customer *customer = model->customers[i];
        struct range range = {m->start, m->end};
        if (!m->has_end) {
            range = current_range(model, customer);
        } else if (!m->has_start) {
            range.start = invoice_start(model, customer, m->end);
        }
        bool due = m->has_end && !m->has_start;
        if (due && range.start >= range.end) { /* an invoice reaches there */
            continue;
        }
        Billing__V1__BillTotals *totals = totals_message(model, customer, range);
        if (!due || totals->lines > 0 || totals->adjustments > 0) {
            MEMORY_PUSH(model->step, reply->bills, reply->n_bills, totals);
        }
    }
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_LIST_BILLS;
    read->answer->list_bills = reply;
}

static Billing__V1__BillRecord *record_message(struct model *model, const struct entry *entry)
{
    Billing__V1__BillRecord *m =
        MESSAGE_NEW(model->step, Billing__V1__BillRecord, billing__v1__bill_record);
    PUT(m, kind, entry->kind);
    PUT_TEXT(m, id, entry->id);
    PUT_TEXT(m, service, entry->service);
    PUT_TEXT(m, exact_amount, number_words(model, entry->amount));
    PUT(m, occurred_at, entry->occurred_at);
    PUT(m, bills_at, entry->bills_at);
    PUT(m, created_at, entry->created_at);
    PUT_TEXT(m, reason, entry->reason);
    PUT_TEXT(m, request_id, entry->request_id);
    PUT_TEXT(m, recorded_by, model->recorded_by);
    if (entry->kind != BILLING__V1__BILL_RECORD__KIND__ADJUSTMENT) {
        PUT_TEXT(m, price_per_unit, number_words(model, entry->price));
        PUT_TEXT(m, units_consumed, number_words(model, entry->units));
    }
    if (entry->kind == BILLING__V1__BILL_RECORD__KIND__VOID) {
        PUT_TEXT(m, usage_id, entry->usage->id);
    } else {
        PUT(m, late, entry_is_late(entry));
    }
    return m;
}

static void list_bill_records(struct read *read, const Billing__V1__ListBillRecords *m)
{
    struct model *model = read->model;
    size_t n;
    mpz_t price;
    check_halves(read, m->has_start, m->has_end);
    if (m->has_start && m->has_end && m->start >= m->end) {
        refuse_field(read, "end", STATUS_OUT_OF_BOUNDS);
    }
    if (!find_customer(read)) {
        return;
    }
    struct range range =
        m->has_start ? (struct range){m->start, m->end} : current_range(model, read->customer);
    Billing__V1__BillRecordsReply *reply =
        MESSAGE_NEW(model->step, Billing__V1__BillRecordsReply, billing__v1__bill_records_reply);
    struct chosen *chosen =
        choose(read, m->has_price_per_unit ? USAGE | VOIDS : USAGE | VOIDS | ADJUSTMENTS, true,
               range, TEXT_OF(model->step, m, service), &n);
    mpz_init(price);
    if (m->has_price_per_unit && oracle_parse((const char *)m->price_per_unit.data,
                                              m->price_per_unit.len, price) != ORACLE_FITS) {
        testkit_fail("no price to ask for");
    }
    for (size_t i = 0; i < n; i++) {
        const struct entry *entry = model->entries[chosen[i].index];
        if (!m->has_price_per_unit || mpz_cmp(entry->price, price) == 0) {
            MEMORY_PUSH(model->step, reply->records, reply->n_records,
                        record_message(model, entry));
        }
    }
    mpz_clear(price);
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_LIST_BILL_RECORDS;
    read->answer->list_bill_records = reply;
}

static void summarize_usage(struct read *read, const Billing__V1__SummarizeUsage *asked)
{
    struct model *model = read->model;
    Billing__V1__SummarizeUsage *m = message_copy(model->step, asked);
    struct range range = open_range(read, m->has_start, m->start, m->has_end, m->end);
    if (!find_customer(read)) {
        return;
    }
    if (!m->has_window) {
        m->window = BILLING__V1__SUMMARIZE_USAGE__WINDOW__DAY;
    }
    Billing__V1__Summary *summary =
        MESSAGE_NEW(model->step, Billing__V1__Summary, billing__v1__summary);
    PUT_TEXT(summary, customer_id, read->customer->id);
    summary->has_start = m->has_start;
    summary->has_end = m->has_end;
    summary->start = m->start = range.start;
    summary->end = m->end = range.end;
    PUT(summary, by, m->by);
    PUT(summary, window, m->window);
    summary->rows = summary_rows(model, read->customer, m, &summary->n_rows);
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_SUMMARIZE_USAGE;
    read->answer->summarize_usage =
        MESSAGE_NEW(model->step, Billing__V1__SummaryReply, billing__v1__summary_reply);
    read->answer->summarize_usage->summary = summary;
}

/* --- invoices --------------------------------------------------------------------------------- */

static const struct invoice *find_invoice(struct read *read, uint64_t number)
{
    if (number < 1 || number > read->model->n_invoices) {
        read->refusal->status = STATUS_INVOICE_NOT_FOUND;
        return NULL;
    }
    return read->model->invoices[number - 1];
}

static void get_invoice(struct read *read, const Billing__V1__GetInvoice *m)
{
    const struct invoice *invoice = find_invoice(read, m->number);
    if (invoice == NULL) {
        return;
    }
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_GET_INVOICE;
    read->answer->get_invoice =
        MESSAGE_NEW(read->model->step, Billing__V1__InvoiceReply, billing__v1__invoice_reply);
    read->answer->get_invoice->invoice = message_copy(read->model->step, invoice->message);
}

static void list_invoices(struct read *read, const Billing__V1__ListInvoices *asked)
{
    struct model *model = read->model;
    if (asked->has_customer_id && !find_customer(read)) {
        return;
    }
    Billing__V1__InvoicesReply *reply =
        MESSAGE_NEW(model->step, Billing__V1__InvoicesReply, billing__v1__invoices_reply);
    for (size_t i = 0; i < model->n_invoices; i++) {
        const Billing__V1__Invoice *invoice = model->invoices[i]->message;
        if (read->customer != NULL && read->customer != model->invoices[i]->customer) {
            continue;
        }
        Billing__V1__InvoiceTotals *m =
            MESSAGE_NEW(model->step, Billing__V1__InvoiceTotals, billing__v1__invoice_totals);
        PUT(m, number, invoice->number);
        PUT(m, customer_id, invoice->customer_id);
        PUT(m, start, invoice->start);
        PUT(m, end, invoice->end);
        PUT(m, currency, invoice->currency);
        PUT(m, exact_total, invoice->exact_total);
        PUT(m, total, invoice->total);
        PUT(m, rounding, invoice->rounding);
        PUT(m, finalized_at, invoice->finalized_at);
        PUT(m, journal_position, invoice->journal_position);
        PUT(m, digest, invoice->digest);
        MEMORY_PUSH(model->step, reply->invoices, reply->n_invoices, m);
    }
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_LIST_INVOICES;
    read->answer->list_invoices = reply;
}

static void verify_invoice(struct read *read, const Billing__V1__VerifyInvoice *asked)
{
    const struct invoice *invoice = find_invoice(read, asked->number);
    if (invoice == NULL) {
        return;
    }
    Billing__V1__Verification *m =
        MESSAGE_NEW(read->model->step, Billing__V1__Verification, billing__v1__verification);
    PUT(m, number, asked->number);
    PUT(m, verified, true);
    PUT(m, records, invoice->records);
    PUT(m, digest, invoice->message->digest);
    read->answer->result_case = BILLING__V1__RESPONSE__RESULT_VERIFY_INVOICE;
    read->answer->verify_invoice = MESSAGE_NEW(read->model->step, Billing__V1__VerificationReply,
                                               billing__v1__verification_reply);
    read->answer->verify_invoice->verification = m;
}

/* --- which ------------------------------------------------------------------------------------ */

bool read_answer(struct model *model, const Billing__V1__Request *request,
                 Billing__V1__Response *answer, struct refusal *refusal)
{
    const void *payload = message_chosen(request);
    struct read read = {.model = model, .payload = payload, .answer = answer, .refusal = refusal};
    switch (request->call_case) {
    case BILLING__V1__REQUEST__CALL_GET_CUSTOMER:
        get_customer(&read);
        return true;
    case BILLING__V1__REQUEST__CALL_LIST_CUSTOMERS:
        list_customers(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_GET_SERVICE:
        get_service(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_LIST_SERVICES:
        list_services(&read);
        return true;
    case BILLING__V1__REQUEST__CALL_GET_REQUEST:
        get_request(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_GET_USAGE:
        get_usage(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_GET_VOID:
        get_void(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_LIST_USAGE:
        list_usage(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_LIST_ADJUSTMENTS:
        list_adjustments(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_GET_BILL:
        get_bill(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_LIST_BILLS:
        list_bills(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_LIST_BILL_RECORDS:
        list_bill_records(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_SUMMARIZE_USAGE:
        summarize_usage(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_GET_INVOICE:
        get_invoice(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_LIST_INVOICES:
        list_invoices(&read, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_VERIFY_INVOICE:
        verify_invoice(&read, payload);
        return true;
    default:
        return false;
    }
}
