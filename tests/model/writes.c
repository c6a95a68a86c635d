/* What is recorded, and what is refused. */
#include <string.h>

#include "proto/limits.h"
#include "tests/model/write.h"

/* --- customers -------------------------------------------------------------------------------- */

static Billing__V1__CustomerReply *customer_reply(struct write *write,
                                                  const struct customer *customer)
{
    Billing__V1__CustomerReply *reply =
        MESSAGE_NEW(write->model->step, Billing__V1__CustomerReply, billing__v1__customer_reply);
    reply->customer = customer_message(write->model, customer);
    return reply;
}

/* The customer with EXTERNAL_ID (NULL: nobody's); NULL: none. */
static const struct customer *find_holder(const struct model *model, const char *external_id)
{
    for (size_t i = 0; external_id != NULL && i < model->n_customers; i++) {
        if (same_text(model->customers[i]->external_id, external_id)) {
            return model->customers[i];
        }
    }
    return NULL;
}

static void create_customer(struct write *write, const Billing__V1__CreateCustomer *m)
{
    struct model *model = write->model;
    write_check_text(write, "customer_name", true, LIMIT_CUSTOMER_NAME_BYTES);
    write_check_text(write, "external_id", false, LIMIT_EXTERNAL_ID_BYTES);
    write_check_request_id(write);
    if (!write_begin(write)) {
        return;
    }
    const struct customer *holder = find_holder(model, TEXT_OF(model->step, m, external_id));
    if (holder != NULL) {
        write->refusal->existing = holder->id;
        IGNORE(write_refuse(write, "external_id", STATUS_EXTERNAL_ID_TAKEN)); /* and that is it */
        return;
    }
    struct customer *customer = memory_alloc(model->memory, sizeof *customer);
    *customer = (struct customer){
        .id = write_learn(write, "id"),
        .name = KEEP_FIELD(write, m, customer_name),
        .external_id = KEEP_FIELD(write, m, external_id),
        .created_at = model->now,
        .updated_at = model->now,
    };
    MEMORY_PUSH(model->memory, model->customers, model->n_customers, customer);
    write->answer->result_case = BILLING__V1__RESPONSE__RESULT_CREATE_CUSTOMER;
    write->answer->create_customer = customer_reply(write, customer);
    write_end(write, customer, customer->id, write_request_id(write));
}

static void rename_customer(struct write *write, const Billing__V1__UpdateCustomer *m)
{
    write_check_text(write, "customer_name", true, LIMIT_CUSTOMER_NAME_BYTES);
    if (!write_begin(write)) {
        return;
    }
    struct customer *customer = write_owner(write);
    if (!same_text(customer->name, message_text(write->model->step, m->customer_name))) {
        customer->name = KEEP_FIELD(write, m, customer_name);
        customer->updated_at = write->model->now;
    }
    write->answer->result_case = BILLING__V1__RESPONSE__RESULT_UPDATE_CUSTOMER;
    write->answer->update_customer = customer_reply(write, customer);
}

/* --- usage ------------------------------------------------------------------------------------ */

/* Whether AMOUNT is below 10^15 either way. */
static bool is_bearable(const mpz_t amount)
{
    mpz_t bound;
    mpz_init(bound);
    oracle_power(bound, 15 + ORACLE_SCALE);
    bool bearable = mpz_cmpabs(amount, bound) < 0;
    mpz_clear(bound);
    return bearable;
}

static bool is_allowed(const struct model *model, const char *service)
{
    return !model->listed || service == NULL || find_service(model, service) != NULL;
}

/* Whether ENTRY, which is filled but for its bills_at, may be recorded; where it lands then. */
static bool settle(struct write *write, struct entry *entry, bool occurred_at_given)
{
    struct model *model = write->model;
    int64_t until = model_billed_until(model, write->scope);
    entry->created_at = model->now;
    if (!occurred_at_given) {
        entry->occurred_at = model->now;
    }
    entry->bills_at = entry->occurred_at > until ? entry->occurred_at : until;
    if (!is_bearable(entry->amount)) {
        return write_refuse(write, "amount", STATUS_AMOUNT_TOO_LARGE);
    }
    if (entry->occurred_at > model->now + LIMIT_FUTURE_US) {
        return write_refuse(write, "occurred_at", STATUS_TIME_OUT_OF_RANGE);
    }
    return is_allowed(model, entry->service) ||
           write_refuse(write, "service", STATUS_SERVICE_NOT_ALLOWED);
}

static struct entry *new_entry(struct write *write, Billing__V1__BillRecord__Kind kind)
{
    struct entry *entry = memory_alloc(write->model->memory, sizeof *entry);
    entry->kind = kind;
    mpz_inits(entry->units, entry->price, entry->amount, NULL);
    return entry;
}

static void drop_entry(struct entry *entry)
{
    mpz_clears(entry->units, entry->price, entry->amount, NULL);
}

static void add_entry(struct write *write, struct entry *entry)
{
    struct model *model = write->model;
    entry->customer = write->scope;
    MEMORY_PUSH(model->memory, model->entries, model->n_entries, entry);
}

static void answer_usage(struct write *write, const struct entry *entry)
{
    struct memory *step = write->model->step;
    Billing__V1__UsageReply *reply =
        MESSAGE_NEW(step, Billing__V1__UsageReply, billing__v1__usage_reply);
    reply->usage = usage_message(write->model, entry, false);
    write->answer->result_case = BILLING__V1__RESPONSE__RESULT_CREATE_USAGE;
    write->answer->create_usage = reply;
}

static void check_labels(struct write *write, const Billing__V1__UsageInput *m)
{
    if (m->n_labels > LIMIT_LABELS) {
        refusal_add(write->refusal, "labels", STATUS_OUT_OF_BOUNDS);
    }
}

/* ID is the usage's, if it is recorded now. */
static void create_usage(struct write *write, const Billing__V1__UsageInput *m, const char *id)
{
    struct entry *entry = new_entry(write, BILLING__V1__BILL_RECORD__KIND__USAGE);
    write_check_text(write, "service", true, LIMIT_SERVICE_BYTES);
    write_check_number(write, "units_consumed", false, entry->units);
    write_check_number(write, "price_per_unit", false, entry->price);
    write_check_time(write, "occurred_at", m->has_occurred_at, m->occurred_at);
    check_labels(write, m);
    write_check_request_id(write);
    mpz_mul(entry->amount, entry->units, entry->price);
    for (int i = 0; i < ORACLE_SCALE; i++) { /* both are scaled: once is enough */
        mpz_tdiv_q_ui(entry->amount, entry->amount, 10);
    }
    entry->service = KEEP_FIELD(write, m, service);
    entry->occurred_at = m->occurred_at;
    if (!write_begin(write) || !settle(write, entry, m->has_occurred_at)) {
        drop_entry(entry);
        return;
    }
    const Billing__V1__UsageInput *kept = message_copy(write->model->memory, m);
    entry->labels = kept->labels;
    entry->n_labels = kept->n_labels;
    write_sort_labels(entry->labels, entry->n_labels);
    entry->id = id;
    entry->request_id = write_request_id(write);
    add_entry(write, entry);
    answer_usage(write, entry);
    write_end(write, write->scope, entry->id, entry->request_id);
}

/* --- batches ---------------------------------------------------------------------------------- */

static Billing__V1__UsageBatchResult *item_answer(struct model *model,
                                                  const Billing__V1__UsageInput *m,
                                                  const char *batch_id, size_t index,
                                                  const Billing__V1__Response *got)
{
    Billing__V1__Response *answer =
        MESSAGE_NEW(model->step, Billing__V1__Response, billing__v1__response);
    Billing__V1__UsageBatchResult *result =
        MESSAGE_NEW(model->step, Billing__V1__UsageBatchResult, billing__v1__usage_batch_result);
    const Billing__V1__UsageBatchResult *seen =
        got->result_case == BILLING__V1__RESPONSE__RESULT_CREATE_USAGE_BATCH &&
                index < got->create_usage_batch->n_results
            ? got->create_usage_batch->results[index]
            : result;
    struct refusal refusal = {0};
    struct write write = {
        .model = model,
        .got = got,
        .answer = answer,
        .refusal = &refusal,
        .method = "CreateUsage",
        .payload = m,
        .request_id = m->has_request_id ? message_text(model->step, m->request_id)
                                        : memory_format(model->step, "%s/%zu", batch_id, index),
    };
    create_usage(&write, m, seen->has_id ? message_text(model->memory, seen->id) : "(none)");
    refusal_settle(&refusal);
    if (refusal.status != 0) {
        PUT(result, status, BILLING__V1__USAGE_BATCH_RESULT__STATUS__REFUSED);
        result->problem = problem_message(model, &refusal, write.request_id, seen->problem);
        return result;
    }
    const Billing__V1__Usage *usage = answer->create_usage->usage;
    PUT(result, status,
        write.made != NULL ? BILLING__V1__USAGE_BATCH_RESULT__STATUS__REPLAYED
                           : BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED);
    result->has_id = true;
    result->id = usage->id;
    PUT(result, bills_at, usage->bills_at);
    PUT(result, late, usage->late);
    return result;
}

static void create_batch(struct write *write, const Billing__V1__CreateUsageBatch *m)
{
    struct model *model = write->model;
    Billing__V1__UsageBatchReply *reply =
        MESSAGE_NEW(model->step, Billing__V1__UsageBatchReply, billing__v1__usage_batch_reply);
    write_check_request_id(write);
    if (write->refusal->n_wrong > 0) {
        return;
    }
    reply->results = memory_alloc(model->step, m->n_usage * sizeof *reply->results);
    for (; reply->n_results < m->n_usage; reply->n_results++) {
        reply->results[reply->n_results] = item_answer(
            model, m->usage[reply->n_results], write->request_id, reply->n_results, write->got);
    }
    PUT_TEXT(write->answer, request_id, write->request_id);
    write->answer->result_case = BILLING__V1__RESPONSE__RESULT_CREATE_USAGE_BATCH;
    write->answer->create_usage_batch = reply;
}

/* --- voids and adjustments -------------------------------------------------------------------- */

static void void_usage(struct write *write, const Billing__V1__VoidUsage *m)
{
    struct model *model = write->model;
    if (!m->has_usage_id) {
        refusal_add(write->refusal, "usage_id", STATUS_MISSING_FIELD);
    }
    write_check_text(write, "reason", true, LIMIT_REASON_BYTES);
    write_check_request_id(write);
    if (!write_begin(write)) {
        return;
    }
    struct entry *usage = find_entry(model, write->scope, BILLING__V1__BILL_RECORD__KIND__USAGE,
                                     message_text(model->step, m->usage_id));
    if (usage == NULL || usage->voided != NULL) {
        write->refusal->status = usage == NULL ? STATUS_USAGE_NOT_FOUND : STATUS_ALREADY_VOIDED;
        write->refusal->existing = usage == NULL ? NULL : usage->voided->id;
        return;
    }
    struct entry *entry = new_entry(write, BILLING__V1__BILL_RECORD__KIND__VOID);
    int64_t until = model_billed_until(model, write->scope);
    mpz_neg(entry->units, usage->units);
    mpz_set(entry->price, usage->price);
    mpz_neg(entry->amount, usage->amount);
    entry->service = usage->service;
    entry->usage = usage;
    usage->voided = entry;
    entry->occurred_at = usage->occurred_at;
    entry->created_at = model->now;
    entry->bills_at = usage->bills_at > until ? usage->bills_at : until;
    entry->reason = KEEP_FIELD(write, m, reason);
    entry->id = write_learn(write, "id");
    entry->request_id = write_request_id(write);
    add_entry(write, entry);
    write->answer->result_case = BILLING__V1__RESPONSE__RESULT_VOID_USAGE;
    write->answer->void_usage =
        MESSAGE_NEW(model->step, Billing__V1__VoidReply, billing__v1__void_reply);
    write->answer->void_usage->void_ = void_message(model, entry);
    write_end(write, write->scope, entry->id, entry->request_id);
}

static void create_adjustment(struct write *write, const Billing__V1__CreateAdjustment *m)
{
    struct model *model = write->model;
    struct entry *entry = new_entry(write, BILLING__V1__BILL_RECORD__KIND__ADJUSTMENT);
    write_check_number(write, "amount", true, entry->amount);
    write_check_text(write, "reason", true, LIMIT_REASON_BYTES);
    write_check_text(write, "service", false, LIMIT_SERVICE_BYTES);
    write_check_time(write, "occurred_at", m->has_occurred_at, m->occurred_at);
    write_check_request_id(write);
    entry->service = KEEP_FIELD(write, m, service);
    entry->occurred_at = m->occurred_at;
    if (!write_begin(write) || !settle(write, entry, m->has_occurred_at)) {
        drop_entry(entry);
        return;
    }
    entry->reason = KEEP_FIELD(write, m, reason);
    entry->id = write_learn(write, "id");
    entry->request_id = write_request_id(write);
    add_entry(write, entry);
    write->answer->result_case = BILLING__V1__RESPONSE__RESULT_CREATE_ADJUSTMENT;
    write->answer->create_adjustment =
        MESSAGE_NEW(model->step, Billing__V1__AdjustmentReply, billing__v1__adjustment_reply);
    write->answer->create_adjustment->adjustment = adjustment_message(model, entry);
    write_end(write, write->scope, entry->id, entry->request_id);
}

/* --- the catalogue ---------------------------------------------------------------------------- */

static void put_service(struct write *write, const Billing__V1__PutService *m)
{
    struct model *model = write->model;
    write_check_text(write, "name", true, LIMIT_SERVICE_BYTES);
    write_check_text(write, "unit", false, LIMIT_UNIT_BYTES);
    if (!write_begin(write)) {
        return;
    }
    struct service *service = find_service(model, message_text(model->step, m->name));
    if (service == NULL) {
        service = memory_alloc(model->memory, sizeof *service);
        service->name = KEEP_FIELD(write, m, name);
        service->created_at = model->now;
        MEMORY_PUSH(model->memory, model->services, model->n_services, service);
    }
    if (service->updated_at == 0 || !same_text(service->unit, TEXT_OF(model->step, m, unit))) {
        service->unit = KEEP_FIELD(write, m, unit);
        service->updated_at = model->now;
    }
    write->answer->result_case = BILLING__V1__RESPONSE__RESULT_PUT_SERVICE;
    write->answer->put_service =
        MESSAGE_NEW(model->step, Billing__V1__ServiceReply, billing__v1__service_reply);
    write->answer->put_service->service = service_message(model, service);
}

static void delete_service(struct write *write, const Billing__V1__DeleteService *m)
{
    struct model *model = write->model;
    write_check_text(write, "name", true, LIMIT_SERVICE_BYTES);
    if (!write_begin(write)) {
        return;
    }
    const char *name = message_text(model->step, m->name);
    write->refusal->status = STATUS_SERVICE_NOT_FOUND;
    for (size_t i = 0; i < model->n_services; i++) {
        if (strcmp(model->services[i]->name, name) == 0) {
            model->services[i] = model->services[--model->n_services];
            write->refusal->status = 0;
        }
    }
    write->answer->result_case = BILLING__V1__RESPONSE__RESULT_DELETE_SERVICE;
    write->answer->delete_service =
        MESSAGE_NEW(model->step, Billing__V1__DeletedReply, billing__v1__deleted_reply);
}

/* --- which ------------------------------------------------------------------------------------ */

bool write_answer(struct model *model, const Billing__V1__Request *request,
                  const Billing__V1__Response *got, Billing__V1__Response *answer,
                  struct refusal *refusal)
{
    const void *payload = message_chosen(request);
    const ProtobufCBinaryData *request_id = message_bytes(payload, "request_id");
    struct write write = {
        .model = model,
        .got = got,
        .answer = answer,
        .refusal = refusal,
        .payload = payload,
        .request_id = request_id == NULL ? NULL : message_text(model->step, *request_id),
    };
    switch (request->call_case) {
    case BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER:
        write.method = "CreateCustomer";
        create_customer(&write, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_UPDATE_CUSTOMER:
        rename_customer(&write, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_CREATE_USAGE:
        write.method = "CreateUsage";
        create_usage(&write, payload, write_learn(&write, "id"));
        return true;
    case BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH:
        create_batch(&write, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_VOID_USAGE:
        write.method = "VoidUsage";
        void_usage(&write, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_CREATE_ADJUSTMENT:
        write.method = "CreateAdjustment";
        create_adjustment(&write, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_FINALIZE_INVOICE:
        write.method = "FinalizeInvoice";
        write_finalize_invoice(&write, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_PUT_SERVICE:
        put_service(&write, payload);
        return true;
    case BILLING__V1__REQUEST__CALL_DELETE_SERVICE:
        delete_service(&write, payload);
        return true;
    default:
        return false;
    }
}
