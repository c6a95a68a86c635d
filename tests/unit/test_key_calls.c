/* The calls about API keys, and what a key of some services may write. */
#include "billingd/base/clock.h"
#include "tests/lib/calls.h"
#include "tests/lib/desk.h"
#include "tests/lib/testkit.h"

static const int64_t hour_us = INT64_C(3600) * 1000000;

static const Billing__V1__ApiKey *list_one(struct desk *desk, size_t index, size_t n)
{
    Billing__V1__Response *response = call(desk, CALL(LIST_KEYS), list_keys_input(true));
    assert_int_equal(response->result_case, CALL(LIST_KEYS));
    assert_u64(response->list_keys->n_keys, n);
    return response->list_keys->keys[index];
}

/* --- CreateKey -------------------------------------------------------------------------------- */

static int find_text(const struct record *record, void *arg)
{
    struct record copy = *record;
    struct slice *texts[RECORD_TEXTS_MAX];
    unsigned n = record_texts(&copy, texts);
    for (unsigned i = 0; i < n; i++) {
        if (texts[i]->length > 0) {
            assert_null(memmem(texts[i]->data, texts[i]->length, arg, strlen(arg)));
        }
    }
    return 0;
}

static void create_key__shows_the_secret_once_and_keeps_none(void **state)
{
    static const char *const services[] = {"S3", "Database Hosting"};
    struct desk *desk = desk_open(NULL);
    Billing__V1__CreateKey *m = create_key_input("ingest", BILLING__V1__ROLE__WRITER, services, 2);
    (void)state;
    m->has_expires_at = true;
    m->expires_at = clock_wall_us() + hour_us;
    Billing__V1__Response *response = call(desk, CALL(CREATE_KEY), m);
    assert_int_equal(response->result_case, CALL(CREATE_KEY));
    const Billing__V1__ApiKey *key = response->create_key->api_key;
    const char *token = desk_text(response->create_key->key);
    assert_field(key->name, "ingest");
    assert_int_equal(key->role, BILLING__V1__ROLE__WRITER);
    assert_u64(key->n_services, 2);
    assert_field(key->services[0], "Database Hosting"); /* sorted */
    assert_field(key->services[1], "S3");
    assert_i64(key->expires_at, m->expires_at);
    assert_field(key->created_by, "tester");
    assert_true(key->has_created_at && !key->has_revoked_at && !key->has_last_used_at);
    assert_contains(token, testkit_format("billing_%s_", desk_text(key->id)));

    struct desk_answer *listed =
        desk_submit(desk, desk_request(CALL(LIST_KEYS), list_keys_input(true)));
    desk_wait(desk, listed);
    const char *secret = token + strlen(token) - 43;
    assert_null(memmem(listed->packed, listed->packed_bytes, secret, 43));
    struct store_view *view;
    assert_ok(store_snapshot(memory_store_handle(desk->memory), &view));
    assert_ok(store_scan_journal(view, 0, find_text, (void *)(uintptr_t)secret));
    store_release(view);
    desk_close(desk);
}

static void create_key__wrong_fields__are_all_named(void **state)
{
    struct desk *desk = desk_open(NULL);
    static const char *const twice[] = {"S3", "S4", "S3"};
    const char *longest = testkit_format("%*s", LIMIT_SERVICE_BYTES + 1, "x");
    Billing__V1__CreateKey *m = create_key_input(NULL, (Billing__V1__Role)9, twice, 3);
    (void)state;
    m->has_expires_at = true;
    m->expires_at = 1;
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(CREATE_KEY), m), STATUS_INVALID_FIELDS);
    desk_field(problem, "name", STATUS_MISSING_FIELD);
    assert_contains(desk_field(problem, "role", STATUS_OUT_OF_BOUNDS), "9 is neither");
    assert_contains(desk_field(problem, "expires_at", STATUS_OUT_OF_BOUNDS), "not later than");
    desk_field(problem, "services", STATUS_OUT_OF_BOUNDS);

    const char *many[LIMIT_KEY_SERVICES + 1];
    for (int i = 0; i <= LIMIT_KEY_SERVICES; i++) {
        many[i] = testkit_format("s%d", i);
    }
    const struct {
        const char *name;
        Billing__V1__Role role;
        const char *const *services;
        size_t n;
        const char *field;
        const char *text;
    } cases[] = {
        {"k", BILLING__V1__ROLE__WRITER, twice, 3, "services", "'S3' is there twice"},
        {"k", BILLING__V1__ROLE__READER, twice, 2, "services", "only a writer"},
        {"k", BILLING__V1__ROLE__ADMIN, twice, 2, "services", "only a writer"},
        {"k", BILLING__V1__ROLE__WRITER, many, LIMIT_KEY_SERVICES + 1, "services", "65"},
        {"k", BILLING__V1__ROLE__WRITER, &longest, 1, "services", "257 bytes; 1 to 256"},
        {"k\n", BILLING__V1__ROLE__READER, NULL, 0, "name", "control"},
        {testkit_format("%*s", LIMIT_KEY_NAME_BYTES + 1, "x"), BILLING__V1__ROLE__READER, NULL, 0,
         "name", "129 bytes; 1 to 128"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        m = create_key_input(cases[i].name, cases[i].role, cases[i].services, cases[i].n);
        problem = desk_problem(call(desk, CALL(CREATE_KEY), m), STATUS_OUT_OF_BOUNDS);
        assert_contains(desk_field(problem, cases[i].field, STATUS_OUT_OF_BOUNDS), cases[i].text);
    }
    m = create_key_input("widest", BILLING__V1__ROLE__WRITER, many, LIMIT_KEY_SERVICES);
    assert_int_equal(call(desk, CALL(CREATE_KEY), m)->result_case, CALL(CREATE_KEY));
    assert_u64(memory_store_counts(desk->memory).records, 1);
    desk_close(desk);
}

static void create_key__name_taken__names_the_holder_until_it_is_revoked(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    add_key(desk, "ingest", BILLING__V1__ROLE__READER, NULL);
    const char *id = desk_text(list_one(desk, 0, 1)->id);
    Billing__V1__CreateKey *m = create_key_input("ingest", BILLING__V1__ROLE__ADMIN, NULL, 0);
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(CREATE_KEY), m), STATUS_KEY_EXISTS);
    assert_field(problem->existing_id, id);
    call(desk, CALL(REVOKE_KEY), revoke_key_input(id));
    assert_int_equal(call(desk, CALL(CREATE_KEY), m)->result_case, CALL(CREATE_KEY));
    desk_close(desk);
}

static void create_key__name_that_is_an_id_of_a_key__is_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    add_key(desk, "ingest", BILLING__V1__ROLE__READER, NULL);
    const char *id = desk_text(list_one(desk, 0, 1)->id);
    Billing__V1__CreateKey *m = create_key_input(id, BILLING__V1__ROLE__READER, NULL, 0);
    desk_problem(call(desk, CALL(CREATE_KEY), m), STATUS_OUT_OF_BOUNDS);
    desk_close(desk);
}

/* --- RevokeKey, ListKeys ---------------------------------------------------------------------- */

static void revoke_key__stops_it_at_once_and_again_answers_the_same(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *token = add_key(desk, "ingest", BILLING__V1__ROLE__READER, NULL);
    assert_int_equal(call_as(desk, token, CALL(GET_SERVER_INFO), info_input())->result_case,
                     CALL(GET_SERVER_INFO));
    assert_true(list_one(desk, 0, 1)->has_last_used_at);
    Billing__V1__Response *response = call(desk, CALL(REVOKE_KEY), revoke_key_input("ingest"));
    assert_int_equal(response->result_case, CALL(REVOKE_KEY));
    const Billing__V1__ApiKey *key = response->revoke_key->api_key;
    assert_true(key->has_revoked_at && key->has_last_used_at);
    assert_field(key->revoked_by, "tester");
    desk_problem(call_as(desk, token, CALL(GET_SERVER_INFO), info_input()), STATUS_UNAUTHENTICATED);
    Billing__V1__Response *again =
        call(desk, CALL(REVOKE_KEY), revoke_key_input(desk_text(key->id)));
    assert_int_equal(again->result_case, CALL(REVOKE_KEY));
    assert_i64(again->revoke_key->api_key->revoked_at, key->revoked_at);
    desk_problem(call(desk, CALL(REVOKE_KEY), revoke_key_input("ingest")), STATUS_KEY_NOT_FOUND);
    desk_close(desk);
}

static void list_keys__pages_and_hides_the_revoked_unless_asked(void **state)
{
    struct desk *desk = desk_open(NULL);
    Billing__V1__ListKeys *m = list_keys_input(false);
    (void)state;
    for (int i = 0; i < 5; i++) {
        add_key(desk, testkit_format("key %d", i), BILLING__V1__ROLE__READER, NULL);
    }
    call(desk, CALL(REVOKE_KEY), revoke_key_input("key 1"));
    m->has_limit = true;
    m->limit = 2;
    const char *names = "";
    for (int pages = 0; pages < 3; pages++) {
        Billing__V1__KeysReply *reply = call(desk, CALL(LIST_KEYS), m)->list_keys;
        for (size_t i = 0; i < reply->n_keys; i++) {
            names = testkit_format("%s%s,", names, desk_text(reply->keys[i]->name));
        }
        if (!reply->has_next_cursor) {
            break;
        }
        const char *cursor = desk_text(reply->next_cursor);
        DESK_SET(m, cursor, cursor);
    }
    assert_string_equal(names, "key 0,key 2,key 3,key 4,");
    assert_field(list_one(desk, 1, 5)->name, "key 1");
    desk_close(desk);
}

/* --- writing with a key ----------------------------------------------------------------------- */

static void key__who_records__is_named_in_the_record(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *token = add_key(desk, "ingest", BILLING__V1__ROLE__WRITER, NULL);
    Billing__V1__Response *response =
        call_as(desk, token, CALL(CREATE_USAGE), usage_input(customer, "r1"));
    assert_field(response->create_usage->usage->recorded_by, "key:ingest");
    desk_close(desk);
}

static Billing__V1__UsageInput *of(const char *customer, const char *service, const char *id)
{
    return desk_usage_input(customer, service, "1", "1", id);
}

static void limited_key__usage_of_other_services__is_forbidden(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *token = add_key(desk, "s3", BILLING__V1__ROLE__WRITER, "S3");
    assert_int_equal(
        call_as(desk, token, CALL(CREATE_USAGE), of(customer, "S3", "r1"))->result_case,
        CALL(CREATE_USAGE));
    const Billing__V1__Problem *problem = desk_problem(
        call_as(desk, token, CALL(CREATE_USAGE), of(customer, "S30", "r2")), STATUS_FORBIDDEN);
    assert_contains(desk_field(problem, "service", STATUS_FORBIDDEN),
                    "'key:s3' may not write of 'S30'");
    /* whatever else is wrong, and whatever was recorded before under the id */
    desk_problem(call_as(desk, token, CALL(CREATE_USAGE),
                         desk_usage_input(customer, "S30", "-1", "x", "r1")),
                 STATUS_FORBIDDEN);
    desk_close(desk);
}

static void limited_key__batch__refuses_its_items_one_by_one(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *token = add_key(desk, "s3", BILLING__V1__ROLE__WRITER, "S3");
    Billing__V1__UsageInput *items[] = {of(customer, "S3", "a"), of(customer, "EC2", "b"),
                                        of(customer, "S3", "c")};
    Billing__V1__UsageBatchReply *reply =
        call_as(desk, token, CALL(CREATE_USAGE_BATCH), desk_batch_input(items, 3, NULL))
            ->create_usage_batch;
    assert_non_null(reply);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(reply->results[i]->status,
                         i == 1 ? BILLING__V1__USAGE_BATCH_RESULT__STATUS__REFUSED
                                : BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED);
    }
    desk_check_problem(reply->results[1]->problem, STATUS_FORBIDDEN);
    assert_contains(desk_text(reply->results[1]->problem->detail), "EC2");
    desk_close(desk);
}

static void limited_key__adjustment__must_name_one_of_its_services(void **state)
{
    struct desk *desk = desk_open(NULL);
    static const struct {
        const char *service;
        bool allowed;
    } cases[] = {{"S3", true}, {"EC2", false}, {NULL, false}};
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *token = add_key(desk, "s3", BILLING__V1__ROLE__WRITER, "S3");
    for (size_t i = 0; i < 3; i++) {
        Billing__V1__CreateAdjustment *m = adjustment_input(customer, "-5", "goodwill", NULL);
        DESK_SET(m, service, cases[i].service);
        Billing__V1__Response *response = call_as(desk, token, CALL(CREATE_ADJUSTMENT), m);
        if (cases[i].allowed) {
            assert_int_equal(response->result_case, CALL(CREATE_ADJUSTMENT));
        } else {
            desk_field(desk_problem(response, STATUS_FORBIDDEN), "service", STATUS_FORBIDDEN);
        }
    }
    desk_close(desk);
}

static void limited_key__void__only_of_usage_of_its_services(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *token = add_key(desk, "s3", BILLING__V1__ROLE__WRITER, "S3");
    const char *ids[2];
    static const char *const services[] = {"S3", "EC2"};
    for (int i = 0; i < 2; i++) {
        Billing__V1__Response *response =
            call(desk, CALL(CREATE_USAGE), of(customer, services[i], services[i]));
        ids[i] = desk_text(response->create_usage->usage->id);
    }
    for (int again = 0; again < 2; again++) { /* the second is replayed */
        assert_int_equal(
            call_as(desk, token, CALL(VOID_USAGE), void_input(customer, ids[0], "an error", "v1"))
                ->result_case,
            CALL(VOID_USAGE));
    }
    const Billing__V1__Problem *problem = desk_problem(
        call_as(desk, token, CALL(VOID_USAGE), void_input(customer, ids[1], "an error", "v2")),
        STATUS_FORBIDDEN);
    assert_contains(desk_text(problem->detail), "'EC2', of which 'key:s3' may not write");
    /* an id that was used says no more to who may not */
    desk_problem(
        call_as(desk, token, CALL(VOID_USAGE), void_input(customer, ids[1], "an error", "v1")),
        STATUS_FORBIDDEN);
    desk_problem(
        call_as(desk, token, CALL(VOID_USAGE), void_input(customer, customer, "an error", "v3")),
        STATUS_USAGE_NOT_FOUND);
    assert_int_equal(
        call(desk, CALL(VOID_USAGE), void_input(customer, ids[1], "an error", "v2"))->result_case,
        CALL(VOID_USAGE)); /* nothing was recorded under it */
    desk_close(desk);
}

/* --- last use --------------------------------------------------------------------------------- */

static void last_use__is_in_the_journal_when_the_desk_closes(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *token = add_key(desk, "ingest", BILLING__V1__ROLE__READER, NULL);
    struct slice text = slice_of(token);
    struct identity who;
    assert_ok(keyring_identify(desk->keyring, text, 1000 * hour_us, &who));
    uint64_t before = memory_store_counts(desk->memory).records;
    dispatch_flush(&desk->dispatch); /* the first use is due */
    while (memory_store_counts(desk->memory).records == before) {
        bell_wait(&desk->bell);
        desk_drain(desk);
    }
    desk_drain(desk);
    assert_ok(keyring_identify(desk->keyring, text, 1000 * hour_us + 1, &who));
    dispatch_close(&desk->dispatch); /* what is not due is written at the end */
    committer_destroy(desk->committer);
    desk->committer = NULL;
    struct store_view *view;
    struct store_api_key key;
    assert_ok(store_snapshot(memory_store_handle(desk->memory), &view));
    assert_ok(store_api_key(view, 1, &key));
    assert_i64(key.last_used_us, 1000 * hour_us + 1);
    store_release(view);
    completions_drain(&desk->completions);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(create_key__shows_the_secret_once_and_keeps_none),
    cmocka_unit_test(create_key__wrong_fields__are_all_named),
    cmocka_unit_test(create_key__name_taken__names_the_holder_until_it_is_revoked),
    cmocka_unit_test(create_key__name_that_is_an_id_of_a_key__is_refused),
    cmocka_unit_test(revoke_key__stops_it_at_once_and_again_answers_the_same),
    cmocka_unit_test(list_keys__pages_and_hides_the_revoked_unless_asked),
    cmocka_unit_test(key__who_records__is_named_in_the_record),
    cmocka_unit_test(limited_key__usage_of_other_services__is_forbidden),
    cmocka_unit_test(limited_key__batch__refuses_its_items_one_by_one),
    cmocka_unit_test(limited_key__adjustment__must_name_one_of_its_services),
    cmocka_unit_test(limited_key__void__only_of_usage_of_its_services),
    cmocka_unit_test(last_use__is_in_the_journal_when_the_desk_closes),
};

TESTKIT_MAIN(tests)
