/* What a history is asked. */
#include <string.h>

#include "proto/timestamp.h"
#include "tests/model/history.h"

enum {
    LAST_CHECKS = 40, /* random ones, once all else is looked at */
};

#define NEW(history, CamelCase, snake_case)                                                        \
    MESSAGE_NEW(&(history)->scratch, Billing__V1__##CamelCase, billing__v1__##snake_case)

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

/* CUSTOMER as the field of a request. */
#define PUT_CUSTOMER(history, message, customer)                                                   \
    PUT_TEXT((message), customer_id, operation_customer_ref((history), (customer)))

/* --- times ------------------------------------------------------------------------------------ */

static int64_t any_edge(struct history *history)
{
    const struct model *model = &history->model;
    if (model->n_entries > 0 && once_in(&history->values, 2)) {
        const struct entry *entry = model->entries[rng_below(&history->rng, model->n_entries)];
        int64_t time = once_in(&history->values, 2) ? entry->bills_at : entry->occurred_at;
        time += rng_between(&history->rng, -1, 1);
        return time < 0 ? 0 : time;
    }
    if (model->n_invoices > 0 && once_in(&history->values, 3)) {
        return model->invoices[rng_below(&history->rng, model->n_invoices)]->message->end;
    }
    return any_time(&history->values, history_now());
}

/* Set start and end of a request: neither, mostly both in their order, sometimes one. */
#define PUT_WINDOW(history, m)                                                                     \
    do {                                                                                           \
        int64_t edge_a = any_edge(history);                                                        \
        int64_t edge_b = any_edge(history);                                                        \
        bool swap = edge_a > edge_b && !once_in(&(history)->values, 20);                           \
        PUT((m), start, swap ? edge_b : edge_a);                                                   \
        PUT((m), end, swap ? edge_a : edge_b);                                                     \
        (m)->has_start = !once_in(&(history)->values, 6);                                          \
        (m)->has_end = !once_in(&(history)->values, 6);                                            \
    } while (0)

/* --- customers, requests, services ------------------------------------------------------------ */

static void get_customer(struct history *history, const struct customer *customer)
{
    Billing__V1__GetCustomer *m = NEW(history, GetCustomer, get_customer);
    PUT_CUSTOMER(history, m, customer);
    history_ask(history, history_request(history, CALL(GET_CUSTOMER), m));
}

static void list_customers(struct history *history, const struct customer *customer)
{
    Billing__V1__ListCustomers *m = NEW(history, ListCustomers, list_customers);
    if (customer != NULL && once_in(&history->values, 3)) {
        PUT_TEXT(m, external_id, customer->external_id);
    }
    history_walk(history, history_request(history, CALL(LIST_CUSTOMERS), m));
}

static void get_request(struct history *history, const struct customer *customer)
{
    const struct model *model = &history->model;
    Billing__V1__GetRequest *m = NEW(history, GetRequest, get_request);
    const struct made *made =
        model->n_made == 0 ? NULL : model->made[rng_below(&history->rng, model->n_made)];
    if (made == NULL || once_in(&history->values, 8)) {
        PUT_CUSTOMER(history, m, customer);
        PUT_TEXT(m, request_id, "never");
    } else {
        PUT_TEXT(m, request_id, made->request_id);
        PUT_TEXT(m, customer_id,
                 made->scope == NULL ? NULL : operation_customer_ref(history, made->scope));
    }
    history_ask(history, history_request(history, CALL(GET_REQUEST), m));
}

static void get_service(struct history *history, const struct customer *customer)
{
    const struct model *model = &history->model;
    Billing__V1__GetService *m = NEW(history, GetService, get_service);
    (void)customer;
    PUT_TEXT(m, name,
             model->n_services == 0 || once_in(&history->values, 4)
                 ? "no such"
                 : model->services[rng_below(&history->rng, model->n_services)]->name);
    history_ask(history, history_request(history, CALL(GET_SERVICE), m));
}

static void list_services(struct history *history, const struct customer *customer)
{
    (void)customer;
    history_walk(history, history_request(history, CALL(LIST_SERVICES),
                                          NEW(history, ListServices, list_services)));
}

/* --- records ---------------------------------------------------------------------------------- */

static const char *any_entry_id(struct history *history)
{
    const struct model *model = &history->model;
    return model->n_entries == 0 ? "use_000000000001hqrw"
                                 : model->entries[rng_below(&history->rng, model->n_entries)]->id;
}

static void get_usage(struct history *history, const struct customer *customer)
{
    Billing__V1__GetUsage *m = NEW(history, GetUsage, get_usage);
    PUT_CUSTOMER(history, m, customer);
    PUT_TEXT(m, usage_id, any_entry_id(history));
    history_ask(history, history_request(history, CALL(GET_USAGE), m));
}

static void get_void(struct history *history, const struct customer *customer)
{
    const struct model *model = &history->model;
    Billing__V1__GetVoid *m = NEW(history, GetVoid, get_void);
    PUT_CUSTOMER(history, m, customer);
    PUT_TEXT(m, usage_id, any_entry_id(history));
    const struct entry *entry =
        model->n_entries == 0 ? NULL : model->entries[rng_below(&history->rng, model->n_entries)];
    if (entry != NULL && entry->usage != NULL) {
        PUT_CUSTOMER(history, m, entry->customer);
        PUT_TEXT(m, usage_id, entry->usage->id);
    }
    history_ask(history, history_request(history, CALL(GET_VOID), m));
}

/* The name of a service that there is usage of, mostly; or NULL. */
static const char *maybe_service(struct history *history)
{
    const struct model *model = &history->model;
    if (!once_in(&history->values, 3)) {
        return NULL;
    }
    return model->n_entries == 0
               ? "none"
               : model->entries[rng_below(&history->rng, model->n_entries)]->service;
}

static void put_clock(struct history *history, protobuf_c_boolean *has, Billing__V1__Clock *by)
{
    *has = !once_in(&history->values, 3);
    if (*has) {
        *by = once_in(&history->values, 2) ? BILLING__V1__CLOCK__BILLED
                                           : BILLING__V1__CLOCK__OCCURRED;
    }
}

static void list_usage(struct history *history, const struct customer *customer)
{
    Billing__V1__ListUsage *m = NEW(history, ListUsage, list_usage);
    PUT_CUSTOMER(history, m, customer);
    PUT_WINDOW(history, m);
    put_clock(history, &m->has_by, &m->by);
    PUT_TEXT(m, service, maybe_service(history));
    history_walk(history, history_request(history, CALL(LIST_USAGE), m));
}

static void list_adjustments(struct history *history, const struct customer *customer)
{
    Billing__V1__ListAdjustments *m = NEW(history, ListAdjustments, list_adjustments);
    PUT_CUSTOMER(history, m, customer);
    PUT_WINDOW(history, m);
    put_clock(history, &m->has_by, &m->by);
    PUT_TEXT(m, service, maybe_service(history));
    history_walk(history, history_request(history, CALL(LIST_ADJUSTMENTS), m));
}

static void list_bill_records(struct history *history, const struct customer *customer)
{
    Billing__V1__ListBillRecords *m = NEW(history, ListBillRecords, list_bill_records);
    PUT_CUSTOMER(history, m, customer);
    PUT_WINDOW(history, m);
    PUT_TEXT(m, service, maybe_service(history));
    if (once_in(&history->values, 3)) {
        PUT_TEXT(m, price_per_unit, once_in(&history->values, 2) ? "0.05" : "1.0");
    }
    history_walk(history, history_request(history, CALL(LIST_BILL_RECORDS), m));
}

/* --- sums ------------------------------------------------------------------------------------- */

static void get_bill(struct history *history, const struct customer *customer)
{
    Billing__V1__GetBill *m = NEW(history, GetBill, get_bill);
    PUT_CUSTOMER(history, m, customer);
    if (!once_in(&history->values, 4)) {
        PUT_WINDOW(history, m);
    }
    history_walk(history, history_request(history, CALL(GET_BILL), m));
}

static void list_bills(struct history *history, const struct customer *customer)
{
    Billing__V1__ListBills *m = NEW(history, ListBills, list_bills);
    (void)customer;
    if (!once_in(&history->values, 4)) {
        PUT_WINDOW(history, m);
        m->has_start = !once_in(&history->values, 3);
    }
    if (m->has_end && !m->has_start && m->end == 0) {
        m->end = 1;
    }
    history_walk(history, history_request(history, CALL(LIST_BILLS), m));
}

/* Bound what a summary with empty windows spans. */
static void shorten(Billing__V1__SummarizeUsage *m)
{
    static const int64_t hour = INT64_C(3600000000);
    int64_t longest = m->window == BILLING__V1__SUMMARIZE_USAGE__WINDOW__HOUR  ? 50 * hour
                      : m->window == BILLING__V1__SUMMARIZE_USAGE__WINDOW__DAY ? 60 * 24 * hour
                                                                               : 4000 * 24 * hour;
    m->has_start = true;
    m->has_end = true;
    if (m->end <= m->start) {
        m->end = m->start + 1;
    }
    if (m->end - m->start > longest) {
        m->end = m->start + longest;
    }
}

static void summarize_usage(struct history *history, const struct customer *customer)
{
    Billing__V1__SummarizeUsage *m = NEW(history, SummarizeUsage, summarize_usage);
    PUT_CUSTOMER(history, m, customer);
    PUT_WINDOW(history, m);
    put_clock(history, &m->has_by, &m->by);
    PUT_TEXT(m, service, maybe_service(history));
    m->window = BILLING__V1__SUMMARIZE_USAGE__WINDOW__DAY;
    if (!once_in(&history->values, 4)) {
        PUT(m, window, (Billing__V1__SummarizeUsage__Window)rng_between(&history->rng, 1, 3));
    }
    if (once_in(&history->values, 2)) {
        PUT(m, group_by, BILLING__V1__SUMMARIZE_USAGE__GROUP__SERVICE);
    }
    if (once_in(&history->values, 3)) {
        PUT(m, include_empty, true);
        shorten(m);
    }
    history_walk(history, history_request(history, CALL(SUMMARIZE_USAGE), m));
}

/* --- invoices --------------------------------------------------------------------------------- */

static void get_invoice_number(struct history *history, uint64_t number)
{
    Billing__V1__GetInvoice *m = NEW(history, GetInvoice, get_invoice);
    PUT(m, number, number);
    history_walk(history, history_request(history, CALL(GET_INVOICE), m));
}

static void verify_invoice_number(struct history *history, uint64_t number)
{
    Billing__V1__VerifyInvoice *m = NEW(history, VerifyInvoice, verify_invoice);
    PUT(m, number, number);
    history_ask(history, history_request(history, CALL(VERIFY_INVOICE), m));
}

/* Of an invoice, or the next that there is not yet. */
static uint64_t any_number_of(struct history *history)
{
    return rng_below(&history->rng, history->model.n_invoices + 1) + 1;
}

static void get_invoice(struct history *history, const struct customer *customer)
{
    (void)customer;
    get_invoice_number(history, any_number_of(history));
}

static void verify_invoice(struct history *history, const struct customer *customer)
{
    (void)customer;
    verify_invoice_number(history, any_number_of(history));
}

static void list_invoices(struct history *history, const struct customer *customer)
{
    Billing__V1__ListInvoices *m = NEW(history, ListInvoices, list_invoices);
    if (customer != NULL && once_in(&history->values, 2)) {
        PUT_CUSTOMER(history, m, customer);
    }
    history_walk(history, history_request(history, CALL(LIST_INVOICES), m));
}

/* --- which ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*run)(struct history *history, const struct customer *customer);
} checks[] = {
    {"get a customer", get_customer},
    {"list customers", list_customers},
    {"get a request", get_request},
    {"get a service", get_service},
    {"list services", list_services},
    {"get usage", get_usage},
    {"get a void", get_void},
    {"list usage", list_usage},
    {"list adjustments", list_adjustments},
    {"list the records of a bill", list_bill_records},
    {"get a bill", get_bill},
    {"get a bill", get_bill},
    {"list bills", list_bills},
    {"summarize usage", summarize_usage},
    {"summarize usage", summarize_usage},
    {"get an invoice", get_invoice},
    {"verify an invoice", verify_invoice},
    {"list invoices", list_invoices},
};

void check_any(struct history *history)
{
    size_t i = rng_below(&history->rng, sizeof checks / sizeof checks[0]);
    history->operation = checks[i].name;
    checks[i].run(history, operation_any_customer(history));
}

/* All that CUSTOMER ever had. */
static void check_customer(struct history *history, const struct customer *customer)
{
    Billing__V1__ListUsage *usage = NEW(history, ListUsage, list_usage);
    Billing__V1__ListAdjustments *adjustments = NEW(history, ListAdjustments, list_adjustments);
    Billing__V1__ListBillRecords *records = NEW(history, ListBillRecords, list_bill_records);
    Billing__V1__GetBill *bill = NEW(history, GetBill, get_bill);
    Billing__V1__GetBill *current = NEW(history, GetBill, get_bill);
    history->operation = "look at all of a customer";
    PUT_TEXT(usage, customer_id, customer->id);
    PUT_TEXT(adjustments, customer_id, customer->id);
    PUT_TEXT(records, customer_id, customer->id);
    PUT_TEXT(bill, customer_id, customer->id);
    PUT_TEXT(current, customer_id, customer->id);
    PUT(records, start, 0);
    PUT(records, end, TIMESTAMP_MAX);
    PUT(bill, start, 0);
    PUT(bill, end, TIMESTAMP_MAX);
    history_walk(history, history_request(history, CALL(LIST_USAGE), usage));
    history_walk(history, history_request(history, CALL(LIST_ADJUSTMENTS), adjustments));
    history_walk(history, history_request(history, CALL(LIST_BILL_RECORDS), records));
    history_walk(history, history_request(history, CALL(GET_BILL), bill));
    history_walk(history, history_request(history, CALL(GET_BILL), current));
    memory_done(&history->scratch);
}

static void check_invoices(struct history *history)
{
    history->operation = "look at all invoices";
    for (uint64_t number = 1; number <= history->model.n_invoices; number++) {
        get_invoice_number(history, number);
        verify_invoice_number(history, number);
        memory_done(&history->scratch);
    }
}

void check_all(struct history *history)
{
    for (size_t i = 0; i < history->model.n_customers; i++) {
        check_customer(history, history->model.customers[i]);
    }
    check_invoices(history);
    for (unsigned i = 0; i < LAST_CHECKS; i++) {
        check_any(history);
        memory_done(&history->scratch);
    }
}
