/* Batches: an answer an item, in order; one bad item never fails the others; and the largest and
 * worst of them stay within bounds. */
#include <time.h>

#include "billingd/base/clock.h"
#include "tests/lib/desk.h"
#include "tests/lib/testkit.h"

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

enum {
    RECORDED = BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED,
    REPLAYED = BILLING__V1__USAGE_BATCH_RESULT__STATUS__REPLAYED,
    REFUSED = BILLING__V1__USAGE_BATCH_RESULT__STATUS__REFUSED,
};

/* --- helpers ---------------------------------------------------------------------------------- */

static struct desk_answer *submit(struct desk *desk, Billing__V1__UsageInput **items, size_t n,
                                  const char *request_id)
{
    return desk_submit(
        desk, desk_request(CALL(CREATE_USAGE_BATCH), desk_batch_input(items, n, request_id)));
}

static Billing__V1__Response *send_batch(struct desk *desk, Billing__V1__UsageInput **items,
                                         size_t n, const char *request_id)
{
    return desk_wait(desk, submit(desk, items, n, request_id));
}

/* The results of a batch that was carried out. */
static Billing__V1__UsageBatchResult **results(const Billing__V1__Response *response, size_t n)
{
    assert_int_equal(response->result_case, CALL(CREATE_USAGE_BATCH));
    assert_u64(response->create_usage_batch->n_results, n);
    return response->create_usage_batch->results;
}

static Billing__V1__UsageInput *item(const char *customer, const char *request_id)
{
    return desk_usage_input(customer, "Database Hosting", "58", "0.05", request_id);
}

static Billing__V1__UsageInput **many(const char *customer, size_t n)
{
    Billing__V1__UsageInput **items = testkit_alloc(n * sizeof *items);
    for (size_t i = 0; i < n; i++) {
        items[i] = item(customer, NULL);
    }
    return items;
}

static void assert_refused(const Billing__V1__UsageBatchResult *result, int status)
{
    assert_int_equal(result->status, REFUSED);
    assert_false(result->has_id || result->has_bills_at || result->has_late);
    desk_check_problem(result->problem, status);
}

static uint64_t records(struct desk *desk)
{
    return memory_store_counts(desk->memory).records;
}

/* --- items ------------------------------------------------------------------------------------ */

static void batch__good_and_bad_items__are_answered_each_in_its_place(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, "ext");
    const char *earlier = desk_add_usage(desk, customer, "earlier");
    Billing__V1__UsageInput *items[] = {
        item(customer, "a"),
        item("external:ext", "b"),
        item(customer, "earlier"),                                /* replayed */
        desk_usage_input(customer, "S", "58", "0.05", "earlier"), /* reused */
        item("cus_0000000000000000", "c"),                        /* nobody */
        desk_usage_input(customer, "S", "NaN", "-1", "d"),        /* two fields wrong */
        desk_usage_input(customer, "S", "1e15", "1", "e"),        /* too large */
        desk_usage_input(NULL, NULL, NULL, NULL, "f"),            /* four missing */
        item(customer, "g\n"),                                    /* a bad id */
        item(customer, "h"),
        item(customer, "i"),
    };
    items[9]->has_occurred_at = true;
    items[9]->occurred_at = clock_wall_us() + INT64_C(25) * 3600 * 1000000;
    size_t n = sizeof items / sizeof items[0];
    Billing__V1__UsageBatchResult **got = results(send_batch(desk, items, n, NULL), n);
    for (size_t i = 0; i < n; i++) {
        bool good = i < 2 || i == 10;
        assert_int_equal((int)got[i]->status == RECORDED, good);
        if (good) {
            assert_memory_equal(got[i]->id.data, "use_", 4);
            assert_true(got[i]->has_bills_at && got[i]->has_late && !got[i]->late);
            assert_null(got[i]->problem);
        }
    }
    assert_int_equal(got[2]->status, REPLAYED);
    assert_text(got[2]->id.data, got[2]->id.len, earlier);
    assert_refused(got[3], STATUS_REQUEST_ID_REUSED);
    assert_text(got[3]->problem->existing_id.data, got[3]->problem->existing_id.len, earlier);
    assert_text(got[3]->problem->request_id.data, got[3]->problem->request_id.len, "earlier");
    desk_field(got[3]->problem, "service", STATUS_REQUEST_ID_REUSED);
    assert_refused(got[4], STATUS_CUSTOMER_NOT_FOUND);
    assert_refused(got[5], STATUS_INVALID_FIELDS);
    assert_u64(got[5]->problem->n_errors, 2);
    assert_refused(got[6], STATUS_AMOUNT_TOO_LARGE);
    assert_refused(got[7], STATUS_MISSING_FIELD);
    assert_u64(got[7]->problem->n_errors, 4);
    assert_text(got[7]->problem->request_id.data, got[7]->problem->request_id.len, "f");
    assert_refused(got[8], STATUS_OUT_OF_BOUNDS);
    assert_false(got[8]->problem->has_request_id);
    assert_refused(got[9], STATUS_TIME_OUT_OF_RANGE);
    assert_u64(records(desk), 5);
    assert_u64(memory_store_counts(desk->memory).calls[MEMORY_COMMIT], 3);
    desk_close(desk);
}

static void batch__twice_the_same_item__the_second_is_replayed(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__UsageInput *items[] = {
        item(customer, "a"),
        item(customer, "a"),
        desk_usage_input(customer, "S", "58", "0.05", "a"),
    };
    items[1]->price_per_unit = raw_bytes("0.050");
    Billing__V1__UsageBatchResult **got = results(send_batch(desk, items, 3, NULL), 3);
    assert_int_equal(got[0]->status, RECORDED);
    assert_int_equal(got[1]->status, REPLAYED);
    assert_string_equal(desk_text(got[1]->id), desk_text(got[0]->id));
    assert_i64(got[1]->bills_at, got[0]->bills_at);
    assert_refused(got[2], STATUS_REQUEST_ID_REUSED);
    assert_u64(records(desk), 2);
    assert_u64(desk->dispatch.stats.replays, 1);
    desk_close(desk);
}

static void batch__nothing_new__is_no_commit(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__UsageInput **items = many(desk_add_customer(desk, NULL), 5);
    send_batch(desk, items, 5, "key");
    uint64_t commits = memory_store_counts(desk->memory).calls[MEMORY_COMMIT];
    Billing__V1__UsageBatchResult **got = results(send_batch(desk, items, 5, "key"), 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(got[i]->status, REPLAYED);
    }
    assert_u64(memory_store_counts(desk->memory).calls[MEMORY_COMMIT], commits);
    desk_close(desk);
}

/* --- request ids ------------------------------------------------------------------------------ */

static void batch__with_a_key__gives_its_items_the_key_and_their_index(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__UsageInput **items = many(customer, 12);
    items[3] = item(customer, "own");
    Billing__V1__Response *response = send_batch(desk, items, 12, "key");
    Billing__V1__UsageBatchResult **got = results(response, 12);
    assert_text(response->request_id.data, response->request_id.len, "key");
    for (int i = 0; i < 12; i++) {
        Billing__V1__GetRequest get = BILLING__V1__GET_REQUEST__INIT;
        DESK_SET(&get, customer_id, customer);
        DESK_SET(&get, request_id, i == 3 ? "own" : testkit_format("key/%d", i));
        Billing__V1__Response *found = desk_call(desk, desk_request(CALL(GET_REQUEST), &get));
        assert_int_equal(found->result_case, CALL(GET_REQUEST));
        assert_string_equal(desk_text(found->get_request->request->id), desk_text(got[i]->id));
    }
    /* The same thing asked for alone is the same request. */
    assert_string_equal(desk_add_usage(desk, customer, "key/7"), desk_text(got[7]->id));
    assert_u64(records(desk), 13);
    desk_close(desk);
}

static void batch__an_item_without_any_id__refuses_the_whole(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__UsageInput *items[] = {item(customer, "a"), item(customer, "b"),
                                        item(customer, NULL), item(customer, NULL)};
    const Billing__V1__Problem *problem =
        desk_problem(send_batch(desk, items, 4, NULL), STATUS_MISSING_FIELD);
    desk_field(problem, "usage[2].request_id", STATUS_MISSING_FIELD);
    assert_u64(records(desk), 1);
    desk_close(desk);
}

static void batch__key_at_its_bound__leaves_room_for_every_index(void **state)
{
    struct desk *desk = desk_open(NULL);
    char key[130];
    (void)state;
    Billing__V1__UsageInput **items = many(desk_add_customer(desk, NULL), 10000);
    memset(key, 'k', sizeof key);
    key[123] = '\0';
    Billing__V1__UsageBatchResult **got = results(send_batch(desk, items, 10000, key), 10000);
    for (size_t i = 0; i < 10000; i++) {
        assert_int_equal(got[i]->status, RECORDED);
    }
    key[123] = 'k';
    key[126] = '\0';
    got = results(send_batch(desk, items, 1, key), 1); /* "/0" just fits */
    assert_int_equal(got[0]->status, RECORDED);
    key[126] = 'k';
    key[127] = '\0';
    got = results(send_batch(desk, items, 1, key), 1);
    assert_int_equal(got[0]->status, REFUSED);
    desk_field(got[0]->problem, "request_id", STATUS_OUT_OF_BOUNDS);
    key[127] = 'k';
    key[129] = '\0';
    desk_field(desk_problem(send_batch(desk, items, 1, key), STATUS_OUT_OF_BOUNDS), "request_id",
               STATUS_OUT_OF_BOUNDS);
    desk_field(desk_problem(send_batch(desk, items, 1, ""), STATUS_OUT_OF_BOUNDS), "request_id",
               STATUS_OUT_OF_BOUNDS);
    desk_close(desk);
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void batch__ten_thousand_items__are_one_commit(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__UsageInput **items = many(desk_add_customer(desk, NULL), 10000);
    uint64_t commits = memory_store_counts(desk->memory).calls[MEMORY_COMMIT];
    Billing__V1__UsageBatchResult **got = results(send_batch(desk, items, 10000, "key"), 10000);
    for (size_t i = 0; i < 10000; i++) {
        assert_int_equal(got[i]->status, RECORDED);
    }
    struct memory_counts counts = memory_store_counts(desk->memory);
    assert_u64(counts.calls[MEMORY_COMMIT], commits + 1);
    assert_u64(counts.keys_announced, 10001); /* with the customer's own */
    assert_u64(records(desk), 10001);
    got = results(send_batch(desk, items, 10000, "key"), 10000);
    assert_int_equal(got[9999]->status, REPLAYED);
    assert_u64(records(desk), 10001);
    desk_close(desk);
}

static void batch__none_or_too_many_items__is_refused_as_a_whole(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__UsageInput **items = many(desk_add_customer(desk, NULL), 10001);
    desk_field(desk_problem(send_batch(desk, items, 10001, "key"), STATUS_OUT_OF_BOUNDS), "usage",
               STATUS_OUT_OF_BOUNDS);
    desk_field(desk_problem(send_batch(desk, items, 0, "key"), STATUS_OUT_OF_BOUNDS), "usage",
               STATUS_OUT_OF_BOUNDS);
    assert_u64(records(desk), 1);
    desk_close(desk);
}

static void batch__fields_that_are_not_known__concern_their_item_or_the_whole(void **state)
{
    struct desk *desk = desk_open(NULL);
    uint8_t one = 1;
    ProtobufCMessageUnknownField unknown = {77, PROTOBUF_C_WIRE_TYPE_VARINT, 1, &one};
    (void)state;
    Billing__V1__UsageInput **items = many(desk_add_customer(desk, NULL), 2);
    items[1]->base.n_unknown_fields = 1;
    items[1]->base.unknown_fields = &unknown;
    Billing__V1__UsageBatchResult **got = results(send_batch(desk, items, 2, "key"), 2);
    assert_int_equal(got[0]->status, RECORDED);
    assert_refused(got[1], STATUS_UNKNOWN_FIELD);
    Billing__V1__CreateUsageBatch *m = desk_batch_input(items, 1, "key");
    m->base.n_unknown_fields = 1;
    m->base.unknown_fields = &unknown;
    desk_problem(desk_call(desk, desk_request(CALL(CREATE_USAGE_BATCH), m)), STATUS_UNKNOWN_FIELD);
    desk_close(desk);
}

/* --- the worst -------------------------------------------------------------------------------- */

/* An item with everything wrong that can be, in the way that takes the longest to tell. */
static Billing__V1__UsageInput *worst_item(void)
{
    static const char control[] = "\x01"
                                  "0123456789012345678901234567890123456789012345678901234567890";
    static const char digits[] = "99999999999999999999999999999999999999999999999999999999999999";
    static uint8_t one = 1;
    static ProtobufCMessageUnknownField unknown[] = {
        {536870911, PROTOBUF_C_WIRE_TYPE_VARINT, 1, &one},
        {536870910, PROTOBUF_C_WIRE_TYPE_VARINT, 1, &one},
    };
    Billing__V1__UsageInput *m = desk_usage_input(NULL, control, digits, digits, control);
    m->has_occurred_at = true;
    m->occurred_at = INT64_MIN;
    desk_add_label(m, control, "");
    m->base.n_unknown_fields = 2;
    m->base.unknown_fields = unknown;
    return m;
}

static void batch__ten_thousand_items_all_wrong__is_bounded_in_memory_and_on_the_wire(void **state)
{
    struct desk *desk = desk_open(NULL);
    Billing__V1__UsageInput **items = testkit_alloc(10000 * sizeof(void *));
    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        items[i] = worst_item();
    }
    struct desk_answer *answer = submit(desk, items, 10000, "key");
    Billing__V1__UsageBatchResult **got = results(desk_wait(desk, answer), 10000);
    for (size_t i = 0; i < 10000; i++) {
        assert_refused(got[i], STATUS_INVALID_FIELDS);
        assert_u64(got[i]->problem->n_errors, REQUEST_FIELD_ERRORS_MAX);
    }
    print_message("packed: %zu bytes, arena: %zu\n", answer->packed_bytes, answer->arena_bytes);
    assert_true(answer->packed_bytes < LIMIT_FRAME_BYTES_DEFAULT);
    assert_true(answer->arena_bytes < (size_t)128 * 1024 * 1024);
    assert_u64(records(desk), 0);
    desk_close(desk);
}

static double seconds_for(struct desk *desk, Billing__V1__UsageInput **items, size_t n)
{
    struct timespec before;
    struct timespec after;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before), 0);
    results(send_batch(desk, items, n, "key"), n);
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after), 0);
    return (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

/* Ten times the items take about ten times as long, not a hundred times. */
static void batch__wrong_items__cost_in_proportion_to_their_number(void **state)
{
    struct desk *desk = desk_open(NULL);
    Billing__V1__UsageInput **items = testkit_alloc(10000 * sizeof(void *));
    double few = 1e9;
    double many_more = 1e9;
    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        items[i] = worst_item();
    }
    for (int try = 0; try < 20 && many_more > 40 * few; try++) { /* others use the machine, too */
        double seconds = seconds_for(desk, items, 1000);
        few = seconds < few ? seconds : few;
        seconds = seconds_for(desk, items, 10000);
        many_more = seconds < many_more ? seconds : many_more;
    }
    if (many_more > 40 * few) {
        testkit_fail("1000 items: %.3f s; 10000: %.3f s", few, many_more);
    }
    desk_close(desk);
}

/* As much as fits a frame, recorded, and then replayed. */
static void batch__full_of_labels__is_recorded_and_replayed(void **state)
{
    struct desk *desk = desk_open(NULL);
    char value[1025];
    (void)state;
    Billing__V1__UsageInput **items = many(desk_add_customer(desk, NULL), 10000);
    memset(value, 'v', sizeof value - 1);
    value[1024] = '\0';
    for (size_t i = 0; i < 10000; i++) {
        desk_add_label(items[i], "a", value);
        desk_add_label(items[i], "b", value + 600);
    }
    for (int round = 0; round < 2; round++) {
        struct desk_answer *answer = submit(desk, items, 10000, "key");
        Billing__V1__UsageBatchResult **got = results(desk_wait(desk, answer), 10000);
        for (size_t i = 0; i < 10000; i++) {
            assert_int_equal(got[i]->status, round == 0 ? RECORDED : REPLAYED);
        }
        print_message("arena: %zu\n", answer->arena_bytes);
    }
    desk_close(desk);
}

/* --- the store fails -------------------------------------------------------------------------- */

static void batch__storage_full__records_nothing_of_it(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__UsageInput **items = many(desk_add_customer(desk, NULL), 10);
    memory_store_fail(desk->memory, MEMORY_APPEND, STATUS_STORAGE_FULL, 5, 1);
    const Billing__V1__Problem *problem =
        desk_problem(send_batch(desk, items, 10, "key"), STATUS_STORAGE_FULL);
    assert_text(problem->request_id.data, problem->request_id.len, "key");
    assert_u64(records(desk), 1);
    Billing__V1__UsageBatchResult **got = results(send_batch(desk, items, 10, "key"), 10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(got[i]->status, RECORDED);
    }
    desk_close(desk);
}

static void batch__beside_one_that_meets_damage__is_recorded(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *damaged = desk_add_customer(desk, NULL);
    const char *sound = desk_add_customer(desk, NULL);
    memory_store_damage(desk->memory, 1);
    memory_store_hold_commits(desk->memory);
    Billing__V1__UsageInput *bad[] = {item(sound, "x"), item(damaged, "y")};
    struct desk_answer *first = submit(desk, many(sound, 3), 3, "first");
    memory_store_wait_held(desk->memory);
    struct desk_answer *second = submit(desk, many(sound, 3), 3, "second");
    struct desk_answer *third = submit(desk, bad, 2, NULL);
    struct desk_answer *fourth = submit(desk, many(sound, 3), 3, "second"); /* replays */
    memory_store_open_gate(desk->memory);
    results(desk_wait(desk, first), 3);
    assert_int_equal(results(desk_wait(desk, second), 3)[0]->status, RECORDED);
    desk_problem(desk_wait(desk, third), STATUS_CORRUPT);
    assert_int_equal(results(desk_wait(desk, fourth), 3)[2]->status, REPLAYED);
    assert_u64(records(desk), 8);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(batch__good_and_bad_items__are_answered_each_in_its_place),
    cmocka_unit_test(batch__twice_the_same_item__the_second_is_replayed),
    cmocka_unit_test(batch__nothing_new__is_no_commit),
    cmocka_unit_test(batch__with_a_key__gives_its_items_the_key_and_their_index),
    cmocka_unit_test(batch__an_item_without_any_id__refuses_the_whole),
    cmocka_unit_test(batch__key_at_its_bound__leaves_room_for_every_index),
    cmocka_unit_test(batch__ten_thousand_items__are_one_commit),
    cmocka_unit_test(batch__none_or_too_many_items__is_refused_as_a_whole),
    cmocka_unit_test(batch__fields_that_are_not_known__concern_their_item_or_the_whole),
    cmocka_unit_test(batch__ten_thousand_items_all_wrong__is_bounded_in_memory_and_on_the_wire),
    cmocka_unit_test(batch__wrong_items__cost_in_proportion_to_their_number),
    cmocka_unit_test(batch__full_of_labels__is_recorded_and_replayed),
    cmocka_unit_test(batch__storage_full__records_nothing_of_it),
    cmocka_unit_test(batch__beside_one_that_meets_damage__is_recorded),
};

TESTKIT_MAIN(tests)
