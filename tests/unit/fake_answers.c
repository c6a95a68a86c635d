#include "tests/unit/fake_answers.h"

#include <string.h>

#include "tests/unit/fake_admin.h"
#include "tests/unit/fake_fields.h"
#include "tests/unit/fake_ledger.h"

enum {
    BATCH_MAX = 10000,
};

ProtobufCBinaryData fake_request_id(const Billing__V1__Request *request)
{
    switch ((int)request->call_case) {
    case BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER:
        return request->create_customer->request_id;
    case BILLING__V1__REQUEST__CALL_CREATE_USAGE:
        return request->create_usage->request_id;
    case BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH:
        return request->create_usage_batch->request_id;
    case BILLING__V1__REQUEST__CALL_VOID_USAGE:
        return request->void_usage->request_id;
    case BILLING__V1__REQUEST__CALL_CREATE_ADJUSTMENT:
        return request->create_adjustment->request_id;
    case BILLING__V1__REQUEST__CALL_FINALIZE_INVOICE:
        return request->finalize_invoice->request_id;
    default:
        return (ProtobufCBinaryData){0};
    }
}

static void begin(Billing__V1__Response *response, const Billing__V1__Request *request)
{
    billing__v1__response__init(response);
    VALUE(response, call_id, request->call_id);
    response->result_case = (Billing__V1__Response__ResultCase)request->call_case;
    response->request_id = fake_request_id(request);
    response->has_request_id = response->request_id.len > 0;
}

/* --- problems --------------------------------------------------------------------------------- */

void fake_problem(const Billing__V1__Request *request, const struct fake_step *step,
                  fake_send_fn send, void *arg)
{
    Billing__V1__Response response = BILLING__V1__RESPONSE__INIT;
    Billing__V1__Problem problem = BILLING__V1__PROBLEM__INIT;
    if (request != NULL) {
        begin(&response, request);
    }
    TEXT(&problem, title, "Told to fail");
    TEXT(&problem, detail, "by the script");
    TEXT(&problem, code, step->code);
    VALUE(&problem, status, step->http);
    VALUE(&problem, recorded,
          step->unknown ? BILLING__V1__PROBLEM__RECORDED__UNKNOWN
                        : BILLING__V1__PROBLEM__RECORDED__NO);
    if (step->retry_after_ms > 0) {
        VALUE(&problem, retry_after_ms, step->retry_after_ms);
    }
    if (step->existing_id != NULL) {
        TEXT(&problem, existing_id, step->existing_id);
    }
    response.result_case = BILLING__V1__RESPONSE__RESULT_PROBLEM;
    response.problem = &problem;
    send(&response, arg);
}

static void refuse_fields(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__Problem problem = BILLING__V1__PROBLEM__INIT;
    Billing__V1__FieldProblem fields[2];
    Billing__V1__FieldProblem *list[2] = {&fields[0], &fields[1]};
    for (int i = 0; i < 2; i++) {
        billing__v1__field_problem__init(&fields[i]);
    }
    TEXT(&fields[0], field, "customer_name");
    TEXT(&fields[0], code, "out_of_bounds");
    TEXT(&fields[0], message, "must not be 'refused'");
    TEXT(&fields[1], field, "external_id"); /* and nothing else of it */
    TEXT(&problem, title, "Several fields are wrong");
    TEXT(&problem, code, "invalid_fields");
    TEXT(&problem, existing_id, "cus_0");
    VALUE(&problem, status, 422);
    VALUE(&problem, recorded, BILLING__V1__PROBLEM__RECORDED__NO);
    problem.n_errors = 2;
    problem.errors = list;
    response->result_case = BILLING__V1__RESPONSE__RESULT_PROBLEM;
    response->problem = &problem;
    send(response, arg);
}

/* --- customers -------------------------------------------------------------------------------- */

static void fill_customer(Billing__V1__Customer *customer, const char *id)
{
    billing__v1__customer__init(customer);
    TEXT(customer, id, id);
    TEXT(customer, name, "Acme \"\xc3\xa9\"");
    VALUE(customer, created_at, T0);
    VALUE(customer, updated_at, T0 + 1);
}

static void answer_customer(const Billing__V1__Request *request, Billing__V1__Response *response,
                            fake_send_fn send, void *arg)
{
    Billing__V1__CustomerReply reply = BILLING__V1__CUSTOMER_REPLY__INIT;
    Billing__V1__Customer customer;
    fill_customer(&customer, "cus_1");
    reply.customer = &customer;
    if (request->call_case == BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER) {
        const Billing__V1__CreateCustomer *call = request->create_customer;
        customer.name = call->customer_name;
        customer.has_external_id = call->has_external_id;
        customer.external_id = call->external_id;
        if (call->customer_name.len == 7 && memcmp(call->customer_name.data, "refused", 7) == 0) {
            refuse_fields(response, send, arg);
            return;
        }
    }
    response->create_customer = &reply; /* one union: get and update lie there too */
    send(response, arg);
}

static void answer_customers(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__CustomersReply reply = BILLING__V1__CUSTOMERS_REPLY__INIT;
    Billing__V1__Customer customers[2];
    Billing__V1__Customer *list[2] = {&customers[0], &customers[1]};
    fill_customer(&customers[0], "cus_1");
    fill_customer(&customers[1], "cus_2");
    reply.n_customers = 2;
    reply.customers = list;
    TEXT(&reply, next_cursor, "go_on-1");
    response->list_customers = &reply;
    send(response, arg);
}

/* --- usage ------------------------------------------------------------------------------------ */

static void fill_usage(Billing__V1__Usage *usage)
{
    billing__v1__usage__init(usage);
    TEXT(usage, id, "use_1");
    TEXT(usage, customer_id, "cus_1");
    TEXT(usage, service, "Database Hosting");
    TEXT(usage, units_consumed, "58");
    TEXT(usage, price_per_unit, "0.05");
    TEXT(usage, amount, "2.9");
    VALUE(usage, occurred_at, T0);
    VALUE(usage, created_at, T0 + 5);
    VALUE(usage, bills_at, T0);
    VALUE(usage, late, 0);
    TEXT(usage, recorded_by, "local");
}

static void answer_usage(const Billing__V1__Request *request, Billing__V1__Response *response,
                         fake_send_fn send, void *arg)
{
    Billing__V1__UsageReply reply = BILLING__V1__USAGE_REPLY__INIT;
    Billing__V1__Usage usage;
    fill_usage(&usage);
    if (request->call_case == BILLING__V1__REQUEST__CALL_CREATE_USAGE) {
        const Billing__V1__UsageInput *input = request->create_usage;
        usage.has_request_id = input->has_request_id;
        usage.request_id = input->request_id;
        usage.n_labels = input->n_labels;
        usage.labels = input->labels;
    }
    reply.usage = &usage;
    response->create_usage = &reply;
    send(response, arg);
}

static void answer_usage_list(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__UsageListReply reply = BILLING__V1__USAGE_LIST_REPLY__INIT;
    Billing__V1__Usage usage;
    Billing__V1__Usage *list[1] = {&usage};
    fill_usage(&usage);
    reply.n_usage = 1;
    reply.usage = list;
    response->list_usage = &reply;
    send(response, arg);
}

/* Recorded, replayed, refused and so on. */
static void answer_batch(const Billing__V1__Request *request, Billing__V1__Response *response,
                         fake_send_fn send, void *arg)
{
    static const int statuses[] = {
        BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED,
        BILLING__V1__USAGE_BATCH_RESULT__STATUS__REPLAYED,
        BILLING__V1__USAGE_BATCH_RESULT__STATUS__REFUSED,
    };
    Billing__V1__UsageBatchReply reply = BILLING__V1__USAGE_BATCH_REPLY__INIT;
    Billing__V1__Problem problem = BILLING__V1__PROBLEM__INIT;
    Billing__V1__UsageBatchResult results[3];
    Billing__V1__UsageBatchResult *list[BATCH_MAX];
    for (size_t i = 0; i < 3; i++) {
        billing__v1__usage_batch_result__init(&results[i]);
        VALUE(&results[i], status, (Billing__V1__UsageBatchResult__Status)statuses[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        TEXT(&results[i], id, "use_1");
        VALUE(&results[i], bills_at, T0);
        VALUE(&results[i], late, i == 1);
    }
    TEXT(&problem, code, "missing_field");
    results[2].problem = &problem;
    reply.n_results = request->create_usage_batch->n_usage;
    reply.n_results = reply.n_results > BATCH_MAX ? BATCH_MAX : reply.n_results;
    for (size_t i = 0; i < reply.n_results; i++) {
        list[i] = &results[i % 3];
    }
    reply.results = list;
    response->create_usage_batch = &reply;
    send(response, arg);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void answer_request(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__RequestReply reply = BILLING__V1__REQUEST_REPLY__INIT;
    Billing__V1__RequestRecord record = BILLING__V1__REQUEST_RECORD__INIT;
    TEXT(&record, request_id, "r-1");
    TEXT(&record, method, "CreateUsage");
    TEXT(&record, id, "use_1");
    VALUE(&record, created_at, T0);
    reply.request = &record;
    response->get_request = &reply;
    send(response, arg);
}

static void answer_info(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__ServerInfoReply reply = BILLING__V1__SERVER_INFO_REPLY__INIT;
    Billing__V1__ServerInfo info = BILLING__V1__SERVER_INFO__INIT;
    TEXT(&info, version, "0.1.0");
    VALUE(&info, started_at, T0);
    VALUE(&info, usage_records, UINT64_MAX);
    TEXT(&info, records_per_commit, "12.5");
    reply.server = &info;
    response->get_server_info = &reply;
    send(response, arg);
}

static void answer_health(Billing__V1__Response *response, fake_send_fn send, void *arg)
{
    Billing__V1__HealthReply reply = BILLING__V1__HEALTH_REPLY__INIT;
    VALUE(&reply, status, BILLING__V1__HEALTH_REPLY__STATUS__SHUTTING_DOWN);
    VALUE(&reply, ready, 0);
    response->check_health = &reply;
    send(response, arg);
}

void fake_answer(const Billing__V1__Request *request, bool replayed, fake_send_fn send, void *arg)
{
    Billing__V1__Response response;
    begin(&response, request);
    if (replayed) {
        VALUE(&response, replayed, 1);
    }
    switch ((int)request->call_case) {
    case BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER:
    case BILLING__V1__REQUEST__CALL_GET_CUSTOMER:
    case BILLING__V1__REQUEST__CALL_UPDATE_CUSTOMER:
        answer_customer(request, &response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_LIST_CUSTOMERS:
        answer_customers(&response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_CREATE_USAGE:
    case BILLING__V1__REQUEST__CALL_GET_USAGE:
        answer_usage(request, &response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH:
        answer_batch(request, &response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_LIST_USAGE:
        answer_usage_list(&response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_GET_REQUEST:
        answer_request(&response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_GET_SERVER_INFO:
        answer_info(&response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_CHECK_HEALTH:
        answer_health(&response, send, arg);
        break;
    case BILLING__V1__REQUEST__CALL_CREATE_KEY:
    case BILLING__V1__REQUEST__CALL_LIST_KEYS:
    case BILLING__V1__REQUEST__CALL_REVOKE_KEY:
    case BILLING__V1__REQUEST__CALL_START_BACKUP:
    case BILLING__V1__REQUEST__CALL_START_VERIFICATION:
    case BILLING__V1__REQUEST__CALL_GET_JOB:
    case BILLING__V1__REQUEST__CALL_CANCEL_JOB:
        fake_answer_admin(request, &response, send, arg);
        break;
    default:
        fake_answer_ledger(request, &response, send, arg);
        break;
    }
}
