#include "tests/model/model.h"

#include <string.h>

#include "tests/model/parts.h"

void model_init(struct model *model, struct memory *memory)
{
    *model = (struct model){.memory = memory};
}

void model_done(struct model *model)
{
    for (size_t i = 0; i < model->n_entries; i++) {
        struct entry *entry = model->entries[i];
        mpz_clears(entry->units, entry->price, entry->amount, NULL);
    }
    *model = (struct model){0};
}

/* --- finding ---------------------------------------------------------------------------------- */

bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

struct customer *model_customer(const struct model *model, const char *ref)
{
    static const char prefix[] = "external:";
    bool by_external_id = ref != NULL && strncmp(ref, prefix, strlen(prefix)) == 0;
    for (size_t i = 0; i < model->n_customers; i++) {
        struct customer *customer = model->customers[i];
        if (by_external_id ? same_text(customer->external_id, ref + strlen(prefix))
                           : same_text(customer->id, ref)) {
            return customer;
        }
    }
    return NULL;
}

struct entry *find_entry(const struct model *model, const struct customer *customer,
                         Billing__V1__BillRecord__Kind kind, const char *id)
{
    for (size_t i = 0; i < model->n_entries; i++) {
        struct entry *entry = model->entries[i];
        if (entry->customer == customer && entry->kind == kind && same_text(entry->id, id)) {
            return entry;
        }
    }
    return NULL;
}

struct service *find_service(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->n_services; i++) {
        if (same_text(model->services[i]->name, name)) {
            return model->services[i];
        }
    }
    return NULL;
}

int64_t model_billed_until(const struct model *model, const struct customer *customer)
{
    int64_t until = 0;
    for (size_t i = 0; i < model->n_invoices; i++) {
        if (model->invoices[i]->customer == customer) {
            until = model->invoices[i]->message->end; /* the last has the last word */
        }
    }
    return until;
}

int64_t invoice_start(const struct model *model, const struct customer *customer, int64_t end)
{
    int64_t until = model_billed_until(model, customer);
    int64_t first = end - 1;
    for (size_t i = 0; i < model->n_entries; i++) {
        const struct entry *entry = model->entries[i];
        if (entry->customer == customer && entry->bills_at < first) {
            first = entry->bills_at;
        }
    }
    return until > 0 ? until : window_start(BILLING__V1__SUMMARIZE_USAGE__WINDOW__MONTH, first);
}

bool entry_is_late(const struct entry *entry)
{
    return entry->bills_at > entry->occurred_at;
}

/* --- messages --------------------------------------------------------------------------------- */

const char *number_words(struct model *model, const mpz_t value)
{
    char words[ORACLE_TEXT_MAX];
    oracle_print(value, words);
    return memory_format(model->step, "%s", words);
}

Billing__V1__Usage *usage_message(struct model *model, const struct entry *entry, bool read_later)
{
    Billing__V1__Usage *m = MESSAGE_NEW(model->step, Billing__V1__Usage, billing__v1__usage);
    PUT_TEXT(m, id, entry->id);
    PUT_TEXT(m, customer_id, entry->customer->id);
    PUT_TEXT(m, service, entry->service);
    PUT_TEXT(m, units_consumed, number_words(model, entry->units));
    PUT_TEXT(m, price_per_unit, number_words(model, entry->price));
    PUT_TEXT(m, amount, number_words(model, entry->amount));
    PUT(m, occurred_at, entry->occurred_at);
    PUT(m, created_at, entry->created_at);
    PUT(m, bills_at, entry->bills_at);
    PUT(m, late, entry_is_late(entry));
    PUT_TEXT(m, request_id, entry->request_id);
    PUT_TEXT(m, recorded_by, model->recorded_by);
    m->labels = entry->labels;
    m->n_labels = entry->n_labels;
    if (read_later && entry->voided != NULL) {
        PUT(m, voided_at, entry->voided->created_at);
    }
    return m;
}

Billing__V1__Void *void_message(struct model *model, const struct entry *entry)
{
    Billing__V1__Void *m = MESSAGE_NEW(model->step, Billing__V1__Void, billing__v1__void);
    PUT_TEXT(m, id, entry->id);
    PUT_TEXT(m, customer_id, entry->customer->id);
    PUT_TEXT(m, usage_id, entry->usage->id);
    PUT_TEXT(m, reason, entry->reason);
    PUT_TEXT(m, amount, number_words(model, entry->amount));
    PUT(m, created_at, entry->created_at);
    PUT(m, bills_at, entry->bills_at);
    PUT_TEXT(m, request_id, entry->request_id);
    PUT_TEXT(m, recorded_by, model->recorded_by);
    return m;
}

Billing__V1__Adjustment *adjustment_message(struct model *model, const struct entry *entry)
{
    Billing__V1__Adjustment *m =
        MESSAGE_NEW(model->step, Billing__V1__Adjustment, billing__v1__adjustment);
    PUT_TEXT(m, id, entry->id);
    PUT_TEXT(m, customer_id, entry->customer->id);
    PUT_TEXT(m, amount, number_words(model, entry->amount));
    PUT_TEXT(m, reason, entry->reason);
    PUT_TEXT(m, service, entry->service);
    PUT(m, occurred_at, entry->occurred_at);
    PUT(m, created_at, entry->created_at);
    PUT(m, bills_at, entry->bills_at);
    PUT(m, late, entry_is_late(entry));
    PUT_TEXT(m, request_id, entry->request_id);
    PUT_TEXT(m, recorded_by, model->recorded_by);
    return m;
}

Billing__V1__Customer *customer_message(struct model *model, const struct customer *customer)
{
    Billing__V1__Customer *m =
        MESSAGE_NEW(model->step, Billing__V1__Customer, billing__v1__customer);
    PUT_TEXT(m, id, customer->id);
    PUT_TEXT(m, name, customer->name);
    PUT_TEXT(m, external_id, customer->external_id);
    PUT(m, created_at, customer->created_at);
    PUT(m, updated_at, customer->updated_at);
    return m;
}

Billing__V1__Service *service_message(struct model *model, const struct service *service)
{
    Billing__V1__Service *m = MESSAGE_NEW(model->step, Billing__V1__Service, billing__v1__service);
    PUT_TEXT(m, name, service->name);
    PUT_TEXT(m, unit, service->unit);
    PUT(m, created_at, service->created_at);
    PUT(m, updated_at, service->updated_at);
    return m;
}

/* --- refusals --------------------------------------------------------------------------------- */

void refusal_add(struct refusal *refusal, const char *field, int status)
{
    if (refusal->n_wrong == WRONG_MAX) {
        testkit_fail("more than %d fields are wrong", WRONG_MAX);
    }
    refusal->wrong[refusal->n_wrong].field = field;
    refusal->wrong[refusal->n_wrong++].status = status;
}

static Billing__V1__FieldProblem *wrong_message(struct model *model, const struct refusal *refusal,
                                                unsigned index, const Billing__V1__Problem *got)
{
    Billing__V1__FieldProblem *m =
        MESSAGE_NEW(model->step, Billing__V1__FieldProblem, billing__v1__field_problem);
    PUT_TEXT(m, field, refusal->wrong[index].field);
    PUT_TEXT(m, code, status_info(refusal->wrong[index].status)->name);
    if (got != NULL && index < got->n_errors) {
        m->has_message = got->errors[index]->has_message;
        m->message = got->errors[index]->message;
    }
    return m;
}

Billing__V1__Problem *problem_message(struct model *model, const struct refusal *refusal,
                                      const char *request_id, const Billing__V1__Problem *got)
{
    const struct status_info *info = status_info(refusal->status);
    for (unsigned i = 0; i < refusal->n_wrong; i++) { /* what is no request id is not shown */
        request_id = strcmp(refusal->wrong[i].field, "request_id") == 0 ? NULL : request_id;
    }
    Billing__V1__Problem *m = MESSAGE_NEW(model->step, Billing__V1__Problem, billing__v1__problem);
    PUT_TEXT(m, type, memory_format(model->step, "urn:billing:problem:%s", info->name));
    PUT_TEXT(m, title, info->title);
    PUT(m, status, (uint32_t)info->http);
    PUT_TEXT(m, code, info->name);
    PUT(m, recorded, BILLING__V1__PROBLEM__RECORDED__NO);
    PUT_TEXT(m, existing_id, refusal->existing);
    PUT_TEXT(m, request_id, request_id);
    if (got != NULL) { /* prose; and an id that was made for it */
        m->has_detail = got->has_detail;
        m->detail = got->detail;
        if (request_id == NULL) {
            m->has_request_id = got->has_request_id;
            m->request_id = got->request_id;
        }
    }
    m->errors = memory_alloc(model->step, refusal->n_wrong * sizeof(void *));
    for (; m->n_errors < refusal->n_wrong; m->n_errors++) {
        m->errors[m->n_errors] = wrong_message(model, refusal, (unsigned)m->n_errors, got);
    }
    return m;
}

void refusal_settle(struct refusal *refusal)
{
    if (refusal->status != 0 || refusal->n_wrong == 0) {
        return;
    }
    refusal->status = refusal->wrong[0].status;
    for (unsigned i = 1; i < refusal->n_wrong; i++) {
        if (refusal->wrong[i].status != refusal->wrong[0].status) {
            refusal->status = STATUS_INVALID_FIELDS;
        }
    }
}

static void refuse(struct model *model, const struct refusal *refusal,
                   const Billing__V1__Request *request, const Billing__V1__Response *got,
                   Billing__V1__Response *answer)
{
    const ProtobufCBinaryData *request_id = message_bytes(message_chosen(request), "request_id");
    bool refused = got->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM;
    bool write = request_id != NULL && request->call_case != BILLING__V1__REQUEST__CALL_GET_REQUEST;
    answer->result_case = BILLING__V1__RESPONSE__RESULT_PROBLEM;
    answer->problem =
        problem_message(model, refusal, write ? message_text(model->step, *request_id) : NULL,
                        refused ? got->problem : NULL);
    answer->has_request_id = got->has_request_id; /* under which nothing is recorded */
    answer->request_id = got->request_id;
    answer->has_replayed = got->has_replayed;
}

/* --- answers ---------------------------------------------------------------------------------- */

Billing__V1__Response *model_answer(struct model *model, struct memory *step, int64_t now,
                                    const Billing__V1__Request *request,
                                    const Billing__V1__Response *got)
{
    struct refusal refusal = {0};
    model->step = step;
    model->now = now;
    Billing__V1__Response *answer = MESSAGE_NEW(step, Billing__V1__Response, billing__v1__response);
    PUT(answer, call_id, request->call_id);
    if (!write_answer(model, request, got, answer, &refusal) &&
        !read_answer(model, request, answer, &refusal)) {
        testkit_fail("the model knows nothing of call %d", (int)request->call_case);
    }
    refusal_settle(&refusal);
    if (refusal.status != 0) {
        refuse(model, &refusal, request, got, answer);
    }
    return answer;
}
