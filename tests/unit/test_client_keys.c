/* The calls of the client library about API keys and long work: what goes over the wire, what comes
 * back, and what is certain where an answer was lost. */
#include <stdlib.h>
#include <string.h>

#include <billing/admin.h>

#include "tests/unit/client_pair.h"
#include "tests/unit/fake_admin.h"

#define T0 INT64_C(1795345298000000)

/* --- keys ------------------------------------------------------------------------------------- */

static billing_key_input *whole_input(void)
{
    billing_key_input *input = billing_key_input_new();
    assert_i64(billing_key_input_set_name(input, "metering"), 0);
    assert_i64(billing_key_input_set_role(input, BILLING_ROLE_WRITER), 0);
    assert_i64(billing_key_input_add_service(input, "Backup"), 0);
    assert_i64(billing_key_input_add_service(input, "Object Storage"), 0);
    assert_i64(billing_key_input_set_expires_us(input, T0), 0);
    return input;
}

static void key_create__every_field__sent(void **state)
{
    struct pair *pair = *state;
    billing_key_input *input = whole_input();
    billing_object *reply;
    assert_i64(billing_key_create(pair->client, input, &reply, NULL), 0);
    assert_string_equal(billing_object_text(reply, "key"), FAKE_NEW_KEY);
    assert_string_equal(billing_object_text(reply, "api_key.role"), "writer");
    assert_i64(billing_object_time_us(reply, "api_key.expires_at"), T0);
    billing_object_free(reply);
    billing_key_input_free(input);
    Billing__V1__Request *request = pair_request(pair);
    const Billing__V1__CreateKey *call = request->create_key;
    assert_field(call, name, "metering");
    assert_int_equal(call->role, BILLING__V1__ROLE__WRITER);
    assert_u64(call->n_services, 2);
    assert_text(call->services[0].data, call->services[0].len, "Backup");
    assert_text(call->services[1].data, call->services[1].len, "Object Storage");
    assert_i64(call->expires_at, T0);
    pair_request_done(request);
}

static void key_create__nothing_set__nothing_sent(void **state)
{
    struct pair *pair = *state;
    billing_key_input *input = billing_key_input_new();
    assert_i64(billing_key_create(pair->client, input, NULL, NULL), 0);
    billing_key_input_free(input);
    Billing__V1__Request *request = pair_request(pair);
    assert_false(request->create_key->has_name);
    assert_false(request->create_key->has_role);
    assert_false(request->create_key->has_expires_at);
    assert_u64(request->create_key->n_services, 0);
    pair_request_done(request);
}

static void services__of_a_key__read_by_index_and_not_behind_the_end(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_key_list(pair->client, NULL, &reply, NULL), 0);
    const billing_object *any = billing_object_item(reply, "keys", 0);
    const billing_object *two = billing_object_item(reply, "keys", 1);
    assert_u64(billing_object_count(any, "services"), 0);
    assert_null(billing_object_text_item(any, "services", 0));
    assert_u64(billing_object_count(two, "services"), 2);
    assert_string_equal(billing_object_text_item(two, "services", 1), "Object \"Storage\"");
    assert_null(billing_object_text_item(two, "services", 2));
    assert_null(billing_object_item(two, "services", 0)); /* which are no objects */
    assert_null(billing_object_text(two, "services"));
    assert_int_equal(billing_object_kind(two, "services"), BILLING_FIELD_TEXTS);
    assert_null(billing_object_text_item(reply, "keys", 0)); /* which are no texts */
    assert_null(billing_object_text_item(two, "name", 0));
    assert_null(billing_object_text_item(NULL, "services", 0));
    billing_object_free(reply);
}

static void key_list__query__sent(void **state)
{
    struct pair *pair = *state;
    billing_query *query = billing_query_new();
    assert_i64(billing_query_set_include_revoked(query, true), 0);
    assert_i64(billing_query_set_limit(query, 7), 0);
    assert_i64(billing_key_list(pair->client, query, NULL, NULL), 0);
    Billing__V1__Request *request = pair_request(pair);
    assert_true(request->list_keys->include_revoked);
    assert_u64(request->list_keys->limit, 7);
    pair_request_done(request);
    assert_i64(billing_customer_list(pair->client, query, NULL, NULL), BILLING_E_ARGUMENT);
    assert_i64(billing_query_set_include_revoked(query, false), 0);
    assert_i64(billing_key_list(pair->client, query, NULL, NULL), 0);
    request = pair_request(pair);
    assert_false(request->list_keys->has_include_revoked);
    pair_request_done(request);
    billing_query_free(query);
}

static void key_revoke__name_or_id__sent(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_key_revoke(pair->client, "metering", &reply, NULL), 0);
    assert_i64(billing_object_time_us(reply, "api_key.revoked_at"), T0 + 7);
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    assert_field(request->revoke_key, key_id, "metering");
    pair_request_done(request);
}

static void key_input__bad_arguments__refused(void **state)
{
    billing_key_input *input = billing_key_input_new();
    (void)state;
    assert_i64(billing_key_input_set_role(input, (billing_role)0), BILLING_E_ARGUMENT);
    assert_i64(billing_key_input_set_role(input, (billing_role)4), BILLING_E_ARGUMENT);
    assert_i64(billing_key_input_set_expires_us(input, -1), BILLING_E_RANGE);
    assert_i64(billing_key_input_set_expires_us(input, INT64_MAX), BILLING_E_RANGE);
    assert_i64(billing_key_input_add_service(input, NULL), BILLING_E_ARGUMENT);
    for (int i = 0; i < BILLING_KEY_SERVICES_MAX; i++) {
        assert_i64(billing_key_input_add_service(input, "S"), 0);
    }
    assert_i64(billing_key_input_add_service(input, "S"), BILLING_E_FULL);
    assert_i64(billing_key_input_set_name(NULL, "a"), BILLING_E_ARGUMENT);
    assert_i64(billing_key_input_set_role(NULL, BILLING_ROLE_ADMIN), BILLING_E_ARGUMENT);
    assert_i64(billing_key_input_add_service(NULL, "a"), BILLING_E_ARGUMENT);
    assert_i64(billing_key_input_set_expires_us(NULL, 0), BILLING_E_ARGUMENT);
    assert_i64(billing_query_set_include_revoked(NULL, true), BILLING_E_ARGUMENT);
    billing_key_input_free(input);
    billing_key_input_free(NULL);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void jobs__directories_and_ids__sent(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_backup_start(pair->client, "/backups/1", &reply, NULL), 0);
    assert_string_equal(billing_object_text(reply, "job.state"), "running");
    billing_object_free(reply);
    assert_i64(billing_verification_start(pair->client, NULL, NULL), 0);
    assert_i64(billing_job_get(pair->client, "job_backup", &reply, NULL), 0);
    assert_string_equal(billing_object_text(reply, "job.state"), "done");
    assert_u64(billing_object_uint64(reply, "job.bytes"), 65536);
    billing_object_free(reply);
    assert_i64(billing_job_cancel(pair->client, "job_slow", NULL, NULL), 0);
    Billing__V1__Request *request = pair_request(pair);
    assert_field(request->start_backup, directory, "/backups/1");
    pair_request_done(request);
    request = pair_request(pair);
    assert_int_equal(request->call_case, BILLING__V1__REQUEST__CALL_START_VERIFICATION);
    pair_request_done(request);
    request = pair_request(pair);
    assert_field(request->get_job, job_id, "job_backup");
    pair_request_done(request);
    request = pair_request(pair);
    assert_field(request->cancel_job, job_id, "job_slow");
    pair_request_done(request);
}

static void verification__findings__read(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_job_get(pair->client, "job_verify", &reply, NULL), 0);
    assert_u64(billing_object_uint64(reply, "job.findings_count"), 2);
    assert_u64(billing_object_count(reply, "job.findings"), 1);
    const billing_object *finding = billing_object_item(reply, "job.findings", 0);
    assert_string_equal(billing_object_text(finding, "fault"), "wrong");
    billing_object_free(reply);
}

/* --- lost answers ----------------------------------------------------------------------------- */

enum call {
    CREATE_KEY,
    REVOKE_KEY,
    START_BACKUP,
    START_VERIFICATION,
    CANCEL_JOB,
    LIST_KEYS,
    GET_JOB,
    CALL__COUNT,
};

static int run_call(billing_client *client, enum call call, billing_error **ret_error)
{
    billing_key_input *input = whole_input();
    int status = 1;
    switch (call) {
    case CREATE_KEY:
        status = billing_key_create(client, input, NULL, ret_error);
        break;
    case REVOKE_KEY:
        status = billing_key_revoke(client, "metering", NULL, ret_error);
        break;
    case START_BACKUP:
        status = billing_backup_start(client, "/b", NULL, ret_error);
        break;
    case START_VERIFICATION:
        status = billing_verification_start(client, NULL, ret_error);
        break;
    case CANCEL_JOB:
        status = billing_job_cancel(client, "job_slow", NULL, ret_error);
        break;
    case LIST_KEYS:
        status = billing_key_list(client, NULL, NULL, ret_error);
        break;
    case GET_JOB:
        status = billing_job_get(client, "job_backup", NULL, ret_error);
        break;
    case CALL__COUNT:
        break;
    }
    billing_key_input_free(input);
    return status;
}

/* The result of CALL of a fake with SCRIPT, and in CODE the error's. */
static int run_script(const struct fake_step *script, size_t steps, enum call call,
                      const char **ret_code)
{
    billing_options *options = billing_options_new();
    billing_client *client;
    billing_error *error;
    struct fake_daemon *fake = fake_start(script, steps);
    assert_i64(billing_options_set_url(options, fake_url(fake)), 0);
    assert_i64(billing_options_set_retry_delay_ms(options, 0), 0);
    assert_i64(billing_client_new(options, &client), 0);
    billing_options_free(options);
    int status = run_call(client, call, &error);
    *ret_code = testkit_format("%s", error == NULL ? "" : billing_error_code(error));
    billing_error_free(error);
    billing_client_free(client);
    fake_stop(fake);
    return status;
}

static void calls__lost_then_answered__done(void **state)
{
    static const struct fake_step script[] = {{.act = FAKE_HANG_UP}};
    const char *code;
    (void)state;
    for (int i = 0; i < CALL__COUNT; i++) {
        assert_i64(run_script(script, 1, (enum call)i, &code), 0);
    }
}

/* The try whose answer was lost may be what a later one is refused for. */
static void calls__lost_then_refused_for_what_they_did__unknown(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_HANG_UP},
        {.act = FAKE_PROBLEM, .code = "no_more", .http = 409},
    };
    const char *code;
    (void)state;
    for (int i = 0; i <= START_VERIFICATION; i++) {
        assert_i64(run_script(script, 2, (enum call)i, &code), BILLING_E_UNKNOWN);
        assert_string_equal(code, "no_more");
    }
    assert_i64(run_script(script, 2, LIST_KEYS, &code), BILLING_E_REFUSED);
}

static void calls__refused_at_once__certainly_nothing_done(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_PROBLEM, .code = "no_more", .http = 409},
    };
    const char *code;
    (void)state;
    for (int i = 0; i < CALL__COUNT; i++) {
        assert_i64(run_script(script, 1, (enum call)i, &code), BILLING_E_REFUSED);
    }
}

static void calls__no_client_or_no_input__argument(void **state)
{
    (void)state;
    for (int i = 0; i < CALL__COUNT; i++) {
        assert_i64(run_call(NULL, (enum call)i, NULL), BILLING_E_ARGUMENT);
    }
    assert_i64(billing_key_create(NULL, NULL, NULL, NULL), BILLING_E_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

static const struct CMUnitTest tests[] = {
    TEST(key_create__every_field__sent),
    TEST(key_create__nothing_set__nothing_sent),
    TEST(services__of_a_key__read_by_index_and_not_behind_the_end),
    TEST(key_list__query__sent),
    TEST(key_revoke__name_or_id__sent),
    cmocka_unit_test(key_input__bad_arguments__refused),
    TEST(jobs__directories_and_ids__sent),
    TEST(verification__findings__read),
    cmocka_unit_test(calls__lost_then_answered__done),
    cmocka_unit_test(calls__lost_then_refused_for_what_they_did__unknown),
    cmocka_unit_test(calls__refused_at_once__certainly_nothing_done),
    cmocka_unit_test(calls__no_client_or_no_input__argument),
};

TESTKIT_MAIN(tests)
