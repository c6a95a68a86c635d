#include "tests/lib/desk.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/testkit.h"

/* --- the desk --------------------------------------------------------------------------------- */

struct desk *desk_open(const struct desk_options *options)
{
    struct desk *desk = testkit_alloc(sizeof *desk);
    struct desk_options none = {0};
    options = options == NULL ? &none : options;
    desk->memory = memory_store_create();
    bell_init(&desk->bell);
    if (options->wake != NULL) {
        completions_init(&desk->completions, options->wake, options->wake_arg);
    } else {
        completions_init(&desk->completions, bell_ring, &desk->bell);
    }
    struct ledger_env env = {
        .currency = "USD",
        .minor_digits = 2,
        .catalogue_listed = options->catalogue_listed,
    };
    size_t queue_ops_max = options->queue_ops_max == 0 ? 100000 : options->queue_ops_max;
    struct committer_options committer = {
        .store = memory_store_handle(desk->memory),
        .env = env,
        .completions = &desk->completions,
        .queue_ops_max = queue_ops_max,
        .queue_bytes_max = (size_t)256 * 1024 * 1024,
        .group_ops_max = 4096,
        .group_bytes_max = (size_t)32 * 1024 * 1024,
    };
    struct readers_options readers = {
        .store = committer.store,
        .env = env,
        .completions = &desk->completions,
        .threads = 2,
        .queue_ops_max = queue_ops_max,
        .queue_bytes_max = (size_t)256 * 1024 * 1024,
    };
    assert_ok(committer_create(&committer, &desk->committer));
    assert_ok(readers_create(&readers, &desk->readers));
    desk->keyring = keyring_create(options->id_key);
    assert_non_null(desk->keyring);
    assert_ok(jobs_create(committer.store, &desk->jobs));
    struct dispatch_options dispatch = {
        .committer = desk->committer,
        .readers = desk->readers,
        .keyring = desk->keyring,
        .jobs = desk->jobs,
        .require_request_id = options->require_request_id,
        .version = "1.2.3",
        .started_at_us = 1000000,
        .currency = "USD",
    };
    dispatch_init(&desk->dispatch, &dispatch, options->id_key);
    desk->who = (struct identity){.name = SLICE("tester"), .role = ROLE_ADMIN};
    return desk;
}

static void free_answers(struct desk *desk)
{
    while (desk->answers != NULL) {
        struct desk_answer *next = desk->answers->next;
        if (desk->answers->response != NULL) {
            billing__v1__response__free_unpacked(desk->answers->response, NULL);
        }
        free(desk->answers->packed);
        free(desk->answers);
        desk->answers = next;
    }
}

void desk_close(struct desk *desk)
{
    dispatch_close(&desk->dispatch);
    readers_destroy(desk->readers);
    committer_destroy(desk->committer);
    jobs_destroy(desk->jobs);
    completions_drain(&desk->completions);
    completions_done(&desk->completions);
    bell_done(&desk->bell);
    assert_u64(desk->dispatch.stats.in_flight, 0);
    dispatch_done(&desk->dispatch);
    free_answers(desk);
    keyring_destroy(desk->keyring);
    memory_store_destroy(desk->memory);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void reply_cb(struct request *request)
{
    struct desk_answer *answer = request->door;
    assert_false(answer->done); /* exactly once */
    answer->packed_bytes = billing__v1__response__get_packed_size(&request->response);
    answer->packed = malloc(answer->packed_bytes + 1);
    assert_non_null(answer->packed);
    assert_u64(billing__v1__response__pack(&request->response, answer->packed),
               answer->packed_bytes);
    answer->response = billing__v1__response__unpack(NULL, answer->packed_bytes, answer->packed);
    assert_non_null(answer->response);
    answer->arena_bytes = arena_bytes(&request->arena);
    answer->done = true;
    dispatch_answered(request);
    request_free(request);
}

struct desk_answer *desk_submit(struct desk *desk, const Billing__V1__Request *request)
{
    size_t bytes = billing__v1__request__get_packed_size(request);
    uint8_t *packed = malloc(bytes + 1);
    struct desk_answer *answer = calloc(1, sizeof *answer);
    assert_non_null(packed);
    assert_non_null(answer);
    billing__v1__request__pack(request, packed);
    answer->next = desk->answers;
    desk->answers = answer;
    struct request *made =
        request_create(&desk->dispatch, &desk->who, REQUEST_ARENA_BYTES_MAX, reply_cb, answer);
    assert_non_null(made);
    int rc = request_unpack(made, packed, bytes);
    free(packed); /* it must not be referred to any more */
    if (rc == 0) {
        dispatch_submit(&desk->dispatch, made);
        dispatch_flush(&desk->dispatch);
    } else {
        dispatch_refuse(made, rc, "not unpacked");
    }
    return answer;
}

size_t desk_drain(struct desk *desk)
{
    size_t n = completions_drain(&desk->completions);
    dispatch_flush(&desk->dispatch);
    return n;
}

Billing__V1__Response *desk_wait(struct desk *desk, struct desk_answer *answer)
{
    while (!answer->done) {
        bell_wait(&desk->bell);
        desk_drain(desk);
    }
    return answer->response;
}

Billing__V1__Response *desk_call(struct desk *desk, const Billing__V1__Request *request)
{
    return desk_wait(desk, desk_submit(desk, request));
}

/* --- requests --------------------------------------------------------------------------------- */

Billing__V1__Request *desk_request(Billing__V1__Request__CallCase call, void *message)
{
    Billing__V1__Request *request = testkit_alloc(sizeof *request);
    billing__v1__request__init(request);
    request->call_case = call;
    request->create_customer = message; /* all members of the union are pointers */
    return request;
}

Billing__V1__CreateCustomer *desk_customer_input(const char *name, const char *external_id,
                                                 const char *request_id)
{
    Billing__V1__CreateCustomer *m = testkit_alloc(sizeof *m);
    billing__v1__create_customer__init(m);
    DESK_SET(m, customer_name, name);
    DESK_SET(m, external_id, external_id);
    DESK_SET(m, request_id, request_id);
    return m;
}

Billing__V1__UsageInput *desk_usage_input(const char *customer_id, const char *service,
                                          const char *units, const char *price,
                                          const char *request_id)
{
    Billing__V1__UsageInput *m = testkit_alloc(sizeof *m);
    billing__v1__usage_input__init(m);
    DESK_SET(m, customer_id, customer_id);
    DESK_SET(m, service, service);
    DESK_SET(m, units_consumed, units);
    DESK_SET(m, price_per_unit, price);
    DESK_SET(m, request_id, request_id);
    return m;
}

void desk_add_label(Billing__V1__UsageInput *input, const char *name, const char *value)
{
    Billing__V1__Label **labels = testkit_alloc((input->n_labels + 1) * sizeof(void *));
    Billing__V1__Label *label = testkit_alloc(sizeof *label);
    billing__v1__label__init(label);
    DESK_SET(label, name, name);
    DESK_SET(label, value, value);
    if (input->n_labels > 0) {
        memcpy(labels, input->labels, input->n_labels * sizeof(void *));
    }
    labels[input->n_labels++] = label;
    input->labels = labels;
}

Billing__V1__CreateUsageBatch *desk_batch_input(Billing__V1__UsageInput **items, size_t n,
                                                const char *request_id)
{
    Billing__V1__CreateUsageBatch *m = testkit_alloc(sizeof *m);
    billing__v1__create_usage_batch__init(m);
    m->usage = items;
    m->n_usage = n;
    DESK_SET(m, request_id, request_id);
    return m;
}

const char *desk_add_customer(struct desk *desk, const char *external_id)
{
    Billing__V1__Response *response = desk_call(
        desk, desk_request(BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER,
                           desk_customer_input("A test customer name", external_id, NULL)));
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_CREATE_CUSTOMER);
    return desk_text(response->create_customer->customer->id);
}

const char *desk_add_usage(struct desk *desk, const char *customer_id, const char *request_id)
{
    Billing__V1__UsageInput *m =
        desk_usage_input(customer_id, "Database Hosting", "58", "0.05", request_id);
    Billing__V1__Response *response =
        desk_call(desk, desk_request(BILLING__V1__REQUEST__CALL_CREATE_USAGE, m));
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_CREATE_USAGE);
    return desk_text(response->create_usage->usage->id);
}

/* --- answers ---------------------------------------------------------------------------------- */

const char *desk_text(ProtobufCBinaryData field)
{
    return testkit_format("%.*s", (int)field.len,
                          field.data == NULL ? "" : (const char *)field.data);
}

void desk_check_problem(const Billing__V1__Problem *problem, int status)
{
    const struct status_info *info = status_info(status);
    assert_non_null(problem);
    assert_text(problem->code.data, problem->code.len, info->name);
    assert_text(problem->title.data, problem->title.len, info->title);
    assert_text(problem->type.data, problem->type.len,
                testkit_format("urn:billing:problem:%s", info->name));
    assert_u64(problem->status, info->http);
    assert_true(problem->has_detail && problem->detail.len > 0);
    assert_int_equal(problem->recorded, BILLING__V1__PROBLEM__RECORDED__NO);
    assert_int_equal(problem->has_retry_after_ms, info->retryable);
}

const Billing__V1__Problem *desk_problem(const Billing__V1__Response *response, int status)
{
    if (response->result_case != BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        testkit_fail("answered with a result, not with %s", status_info(status)->name);
    }
    desk_check_problem(response->problem, status);
    return response->problem;
}

const char *desk_field(const Billing__V1__Problem *problem, const char *field, int status)
{
    for (size_t i = 0; i < problem->n_errors; i++) {
        const Billing__V1__FieldProblem *error = problem->errors[i];
        if (strcmp(desk_text(error->field), field) == 0) {
            assert_text(error->code.data, error->code.len, status_info(status)->name);
            return desk_text(error->message);
        }
    }
    testkit_fail("'%s' is not among the %zu fields of the problem", field, problem->n_errors);
}
