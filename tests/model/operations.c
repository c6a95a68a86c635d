/* What happens in a history. */
#include <string.h>

#include "tests/model/history.h"

enum {
    BATCH_MAX = 24,
    CUSTOMERS_MAX = 6,
};

#define NEW(history, CamelCase, snake_case)                                                        \
    MESSAGE_NEW(&(history)->scratch, Billing__V1__##CamelCase, billing__v1__##snake_case)

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

/* --- names ------------------------------------------------------------------------------------ */

struct customer *operation_any_customer(struct history *history)
{
    struct model *model = &history->model;
    return model->n_customers == 0 ? NULL
                                   : model->customers[rng_below(&history->rng, model->n_customers)];
}

const char *operation_customer_ref(struct history *history, const struct customer *customer)
{
    static const char *const nobody[] = {
        "cus_0000000000000000", "external:nobody", "external:", "", "use_000000000001hqrw", NULL};
    if (customer == NULL || once_in(&history->values, 50)) {
        return any_of(&history->values, nobody);
    }
    return customer->external_id != NULL && once_in(&history->values, 2)
               ? memory_format(&history->scratch, "external:%s", customer->external_id)
               : customer->id;
}

/* A request id: new, none, one that was used, or none that could be one. */
static const char *request_id(struct history *history)
{
    static const char *const odd[] = {"", "a b/c%2F", "\xc3\xbc", "tab\there", "~!\"'", NULL};
    struct model *model = &history->model;
    switch (rng_below(&history->rng, 24)) {
    case 0:
        return any_of(&history->values, odd);
    case 1:
        return memory_format(&history->scratch, "%0*u", (int)rng_between(&history->rng, 127, 129),
                             history->next_id++);
    case 2:
    case 3:
        return NULL;
    case 4:
    case 5:
        if (model->n_made > 0) {
            return model->made[rng_below(&history->rng, model->n_made)]->request_id;
        }
        break;
    default:
        break;
    }
    return memory_format(&history->scratch, "r-%u", history->next_id++);
}

/* A usage record of CUSTOMER, mostly; NULL while there is none at all. */
static const struct entry *any_usage(struct history *history, const struct customer *customer)
{
    struct model *model = &history->model;
    for (unsigned i = 0; i < 20 && model->n_entries > 0; i++) {
        const struct entry *entry = model->entries[rng_below(&history->rng, model->n_entries)];
        if (entry->kind == BILLING__V1__BILL_RECORD__KIND__USAGE &&
            (entry->customer == customer || once_in(&history->values, 20))) {
            return entry;
        }
    }
    return NULL;
}

/* A time, often that of an end of one of the customer's invoices. */
static int64_t time_near(struct history *history, const struct customer *customer)
{
    int64_t until = customer == NULL ? 0 : model_billed_until(&history->model, customer);
    return until > 0 && once_in(&history->values, 3) ? until + rng_between(&history->rng, -1, 1)
                                                     : any_time(&history->values, history_now());
}

/* --- customers -------------------------------------------------------------------------------- */

static void create_customer(struct history *history)
{
    struct model *model = &history->model;
    Billing__V1__CreateCustomer *m = NEW(history, CreateCustomer, create_customer);
    if (model->n_customers >= CUSTOMERS_MAX) {
        return;
    }
    PUT_TEXT(m, customer_name, any_name(&history->values));
    if (once_in(&history->values, 2)) {
        const struct customer *holder =
            once_in(&history->values, 4) ? operation_any_customer(history) : NULL;
        PUT_TEXT(m, external_id,
                 holder != NULL && holder->external_id != NULL
                     ? holder->external_id
                     : memory_format(&history->scratch, "acme/%u", history->next_id++));
    }
    PUT_TEXT(m, request_id, request_id(history));
    history_write(history, history_request(history, CALL(CREATE_CUSTOMER), m));
}

static void rename_customer(struct history *history)
{
    Billing__V1__UpdateCustomer *m = NEW(history, UpdateCustomer, update_customer);
    PUT_TEXT(m, customer_id, operation_customer_ref(history, operation_any_customer(history)));
    PUT_TEXT(m, customer_name, any_name(&history->values));
    history_ask(history, history_request(history, CALL(UPDATE_CUSTOMER), m));
}

/* --- usage ------------------------------------------------------------------------------------ */

static void add_labels(struct history *history, Billing__V1__UsageInput *m)
{
    static const char *const names[] = {"region", "sku", "a", "Region"};
    size_t n = once_in(&history->values, 4) ? rng_below(&history->rng, 4) + 1 : 0;
    size_t first = rng_below(&history->rng, 4);
    for (size_t i = 0; i < n; i++) {
        Billing__V1__Label *label = NEW(history, Label, label);
        PUT_TEXT(label, name, names[(first + i) % 4]);
        PUT_TEXT(label, value, any_name(&history->values));
        MEMORY_PUSH(&history->scratch, m->labels, m->n_labels, label);
    }
}

static Billing__V1__UsageInput *usage_input(struct history *history,
                                            const struct customer *customer)
{
    struct values *values = &history->values;
    Billing__V1__UsageInput *m = NEW(history, UsageInput, usage_input);
    PUT_TEXT(m, customer_id, operation_customer_ref(history, customer));
    PUT_TEXT(m, service, once_in(values, 60) ? NULL : any_service(values));
    PUT_TEXT(m, units_consumed, once_in(values, 60) ? NULL : any_units(values));
    PUT_TEXT(m, price_per_unit, any_price(values));
    if (!once_in(values, 6)) {
        PUT(m, occurred_at, time_near(history, customer));
    }
    if (once_in(values, 100)) {
        PUT(m, occurred_at, once_in(values, 2) ? -1 : INT64_MAX);
    }
    add_labels(history, m);
    return m;
}

static Billing__V1__Request *usage_request(struct history *history)
{
    Billing__V1__UsageInput *m = usage_input(history, operation_any_customer(history));
    PUT_TEXT(m, request_id, request_id(history));
    return history_request(history, CALL(CREATE_USAGE), m);
}

static void create_usage(struct history *history)
{
    history_write(history, usage_request(history));
}

/* One more item of BATCH; sometimes one that it has already. */
static Billing__V1__UsageInput *batch_item(struct history *history,
                                           const Billing__V1__CreateUsageBatch *batch)
{
    if (batch->n_usage > 0 && once_in(&history->values, 12)) {
        return batch->usage[rng_below(&history->rng, batch->n_usage)];
    }
    Billing__V1__UsageInput *item = usage_input(history, operation_any_customer(history));
    if (once_in(&history->values, 3)) {
        PUT_TEXT(item, request_id, request_id(history));
    }
    return item;
}

static void create_batch(struct history *history)
{
    Billing__V1__CreateUsageBatch *m = NEW(history, CreateUsageBatch, create_usage_batch);
    size_t n = rng_below(&history->rng, BATCH_MAX) + 1;
    PUT_TEXT(m, request_id, memory_format(&history->scratch, "b-%u", history->next_id++));
    while (m->n_usage < n) {
        MEMORY_PUSH(&history->scratch, m->usage, m->n_usage, batch_item(history, m));
    }
    history_write(history, history_request(history, CALL(CREATE_USAGE_BATCH), m));
}

/* --- voids and adjustments -------------------------------------------------------------------- */

static void void_usage(struct history *history)
{
    struct customer *customer = operation_any_customer(history);
    const struct entry *usage = any_usage(history, customer);
    Billing__V1__VoidUsage *m = NEW(history, VoidUsage, void_usage);
    PUT_TEXT(m, customer_id, operation_customer_ref(history, customer));
    PUT_TEXT(m, usage_id,
             usage == NULL || once_in(&history->values, 30) ? "use_000000000001hqrw" : usage->id);
    PUT_TEXT(m, reason, once_in(&history->values, 40) ? NULL : any_name(&history->values));
    PUT_TEXT(m, request_id, request_id(history));
    history_write(history, history_request(history, CALL(VOID_USAGE), m));
}

static Billing__V1__Request *adjustment_request(struct history *history)
{
    struct customer *customer = operation_any_customer(history);
    Billing__V1__CreateAdjustment *m = NEW(history, CreateAdjustment, create_adjustment);
    PUT_TEXT(m, customer_id, operation_customer_ref(history, customer));
    PUT_TEXT(m, amount, any_amount(&history->values));
    PUT_TEXT(m, reason, any_name(&history->values));
    PUT_TEXT(m, service, once_in(&history->values, 2) ? any_service(&history->values) : NULL);
    if (!once_in(&history->values, 4)) {
        PUT(m, occurred_at, time_near(history, customer));
    }
    PUT_TEXT(m, request_id, request_id(history));
    return history_request(history, CALL(CREATE_ADJUSTMENT), m);
}

static void create_adjustment(struct history *history)
{
    history_write(history, adjustment_request(history));
}

void operation_record(struct history *history)
{
    if (once_in(&history->values, 3)) {
        create_adjustment(history);
    } else {
        create_usage(history);
    }
}

/* --- invoices --------------------------------------------------------------------------------- */

/* A period that was finalised already. */
static void finalize_again(struct history *history, Billing__V1__FinalizeInvoice *m)
{
    const struct model *model = &history->model;
    const struct invoice *invoice = model->invoices[rng_below(&history->rng, model->n_invoices)];
    PUT(m, customer_id, invoice->message->customer_id);
    PUT(m, end, invoice->message->end - once_in(&history->values, 4));
    if (once_in(&history->values, 2)) {
        PUT(m, start, invoice->message->start + once_in(&history->values, 4));
    }
}

static void finalize(struct history *history)
{
    struct values *values = &history->values;
    struct customer *customer = operation_any_customer(history);
    Billing__V1__FinalizeInvoice *m = NEW(history, FinalizeInvoice, finalize_invoice);
    int64_t until = customer == NULL ? 0 : model_billed_until(&history->model, customer);
    if (history->model.n_invoices > 0 && once_in(values, 4)) {
        finalize_again(history, m);
    } else {
        PUT_TEXT(m, customer_id, operation_customer_ref(history, customer));
        PUT(m, end, time_near(history, customer));
        if (once_in(values, 3)) {
            PUT(m, start, once_in(values, 2) ? until : time_near(history, customer));
        }
    }
    PUT_TEXT(m, request_id, request_id(history));
    history_write(history, history_request(history, CALL(FINALIZE_INVOICE), m));
}

/* --- the catalogue ---------------------------------------------------------------------------- */

static void put_service(struct history *history)
{
    static const char *const units[] = {"GiB", "hour", "", NULL};
    Billing__V1__PutService *m = NEW(history, PutService, put_service);
    PUT_TEXT(m, name, any_service(&history->values));
    PUT_TEXT(m, unit, once_in(&history->values, 2) ? any_of(&history->values, units) : NULL);
    history_ask(history, history_request(history, CALL(PUT_SERVICE), m));
}

static void delete_service(struct history *history)
{
    Billing__V1__DeleteService *m = NEW(history, DeleteService, delete_service);
    PUT_TEXT(m, name, any_service(&history->values));
    history_ask(history, history_request(history, CALL(DELETE_SERVICE), m));
}

/* --- once more -------------------------------------------------------------------------------- */

/* A copy of something that was sent; NULL while there is nothing. */
static Billing__V1__Request *any_sent(struct history *history)
{
    return history->n_sent == 0
               ? NULL
               : message_copy(&history->scratch,
                              history->sent[rng_below(&history->rng, history->n_sent)]);
}

static void replay(struct history *history)
{
    Billing__V1__Request *request = any_sent(history);
    if (request != NULL) {
        history_ask(history, request);
    }
}

/* Say the same in other words. */
static void rephrase(struct history *history, Billing__V1__UsageInput *m)
{
    struct model *model = &history->model;
    struct values *values = &history->values;
    const struct customer *customer =
        m->has_customer_id ? model_customer(model, message_text(&history->scratch, m->customer_id))
                           : NULL;
    if (customer != NULL) {
        PUT_TEXT(m, customer_id, operation_customer_ref(history, customer));
    }
    if (m->has_units_consumed) {
        PUT_TEXT(m, units_consumed,
                 same_number(values, message_text(&history->scratch, m->units_consumed)));
    }
    if (m->has_price_per_unit) {
        PUT_TEXT(m, price_per_unit,
                 same_number(values, message_text(&history->scratch, m->price_per_unit)));
    }
    if (m->n_labels > 1) {
        Billing__V1__Label *first = m->labels[0];
        m->labels[0] = m->labels[m->n_labels - 1];
        m->labels[m->n_labels - 1] = first;
    }
}

static void change_usage(struct history *history, Billing__V1__UsageInput *m)
{
    struct values *values = &history->values;
    switch (rng_below(values->rng, 6)) {
    case 0:
        PUT_TEXT(m, service, any_service(values));
        break;
    case 1:
        PUT_TEXT(m, units_consumed, any_units(values));
        break;
    case 2:
        PUT_TEXT(m, price_per_unit, any_price(values));
        break;
    case 3:
        m->has_occurred_at = !m->has_occurred_at;
        break;
    case 4:
        m->n_labels = 0;
        add_labels(history, m);
        break;
    default:
        rephrase(history, m);
        break;
    }
}

static void change_adjustment(struct history *history, Billing__V1__CreateAdjustment *m)
{
    struct values *values = &history->values;
    switch (rng_below(values->rng, 4)) {
    case 0:
        PUT_TEXT(m, amount, any_amount(values));
        break;
    case 1:
        PUT_TEXT(m, reason, any_name(values));
        break;
    case 2:
        m->has_service = !m->has_service && m->service.len > 0;
        break;
    default:
        m->has_occurred_at = !m->has_occurred_at;
        break;
    }
}

static void change_void(struct history *history, Billing__V1__VoidUsage *m)
{
    const struct entry *usage = any_usage(history, operation_any_customer(history));
    if (usage != NULL && once_in(&history->values, 2)) {
        PUT_TEXT(m, usage_id, usage->id);
    } else {
        PUT_TEXT(m, reason, any_name(&history->values));
    }
}

static void change_invoice(struct history *history, Billing__V1__FinalizeInvoice *m)
{
    if (once_in(&history->values, 2)) {
        m->has_start = !m->has_start;
    } else {
        m->end += rng_between(&history->rng, -1, 0);
    }
}

/* Ask for something else under a request id that was used. */
static void reuse(struct history *history)
{
    Billing__V1__Request *request = any_sent(history);
    if (request == NULL) {
        return;
    }
    switch (request->call_case) {
    case CALL(CREATE_USAGE):
        change_usage(history, request->create_usage);
        break;
    case CALL(CREATE_USAGE_BATCH):
        change_usage(history, request->create_usage_batch->usage[0]);
        break;
    case CALL(CREATE_ADJUSTMENT):
        change_adjustment(history, request->create_adjustment);
        break;
    case CALL(VOID_USAGE):
        change_void(history, request->void_usage);
        break;
    case CALL(FINALIZE_INVOICE):
        change_invoice(history, request->finalize_invoice);
        break;
    case CALL(CREATE_CUSTOMER):
        PUT_TEXT(request->create_customer, customer_name, any_name(&history->values));
        break;
    default:
        break;
    }
    history_ask(history, request);
}

static void lose(struct history *history)
{
    Billing__V1__Request *request =
        once_in(&history->values, 2) ? usage_request(history) : adjustment_request(history);
    ProtobufCBinaryData fresh =
        raw_bytes(memory_format(&history->scratch, "lost-%u", history->next_id++));
    message_put_bytes(message_chosen(request), "request_id", &fresh);
    history_lose(history, request);
}

static void restart(struct history *history)
{
    history_restart(history);
}

/* --- which ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    unsigned weight;
    void (*run)(struct history *history);
} operations[] = {
    {"create a customer", 10, create_customer},
    {"rename a customer", 5, rename_customer},
    {"create usage", 60, create_usage},
    {"create a batch", 14, create_batch},
    {"void usage", 30, void_usage},
    {"create an adjustment", 25, create_adjustment},
    {"finalize an invoice", 25, finalize},
    {"put a service", 12, put_service},
    {"delete a service", 4, delete_service},
    {"send a request again", 25, replay},
    {"send another request under the same id", 25, reuse},
    {"kill the daemon before it answers", 1, lose},
    {"start the daemon again", 2, restart},
};

void operation_any(struct history *history)
{
    unsigned sum = 0;
    size_t i = 0;
    for (size_t j = 0; j < sizeof operations / sizeof operations[0]; j++) {
        sum += operations[j].weight;
    }
    bool someone = history->model.n_customers > 0 || once_in(&history->values, 4);
    uint64_t at = someone ? rng_below(&history->rng, sum) : 0; /* mostly, a customer comes first */
    while (at >= operations[i].weight) {
        at -= operations[i++].weight;
    }
    history->operation = operations[i].name;
    operations[i].run(history);
}
