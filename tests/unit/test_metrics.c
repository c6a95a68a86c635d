/* /metrics: every metric that it shows is there in order, and moves when what it counts does.  What
 * passes too quickly in a daemon is held still here; tests/integration/test_says.c has the
 * rest. */
#include <stdlib.h>

#include "billingd/metrics.h"
#include "billingd/report/report.h"
#include "tests/lib/door.h"
#include "tests/lib/exposition.h"
#include "tests/lib/sentry.h"
#include "tests/lib/testkit.h"

static struct report *report;

static struct exposition read_metrics(struct door *door)
{
    struct metrics_sources sources = {
        .dispatch = &door->desk->dispatch,
        .store = memory_store_handle(door->desk->memory),
        .report = report,
    };
    struct metrics_text text = {0};
    metrics_write(&sources, &text);
    assert_false(text.failed);
    const char *kept = testkit_format("%.*s", (int)text.length, text.data);
    free(text.data);
    return exposition_read(kept);
}

static double value(struct door *door, const char *series)
{
    struct exposition metrics = read_metrics(door);
    return exposition_value(&metrics, series);
}

#define assert_value(door, series, expected) assert_i64((int64_t)value(door, series), expected)

static struct door *open_door(void)
{
    struct rpc_options options = door_options();
    return door_open(&options, NULL, 0);
}

static Billing__V1__Request *customer_request(const char *name, const char *request_id)
{
    return desk_request(BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER,
                        desk_customer_input(name, NULL, request_id));
}

static Billing__V1__Request *usage_request(const char *customer_id)
{
    return desk_request(BILLING__V1__REQUEST__CALL_CREATE_USAGE,
                        desk_usage_input(customer_id, "S", "1", "2", NULL));
}

/* --- tests ------------------------------------------------------------------------------------ */

static void metrics__of_a_new_daemon__are_in_order(void **state)
{
    struct door *door = open_door();
    (void)state;
    struct exposition metrics = read_metrics(door);
    assert_true(metrics.n_families > 35);
    assert_value(door, "billingd_build_info{version=\"1.2.3\",currency=\"USD\"}", 1);
    assert_value(door, "billingd_start_time_seconds", 1);
    assert_true(value(door, "process_resident_memory_bytes") > 100000);
    assert_true(value(door, "process_virtual_memory_bytes") > 100000);
    assert_true(value(door, "process_open_fds") >= 3);
    assert_true(value(door, "process_max_fds") >= value(door, "process_open_fds"));
    assert_true(value(door, "process_cpu_seconds_total") >= 0);
    assert_true(exposition_has(&metrics, "process_start_time_seconds"));
    door_close(door);
}

/* The manual has a row for each, and for no other. */
static void metrics__each__is_in_the_operators_manual(void **state)
{
    struct door *door = open_door();
    (void)state;
    size_t bytes;
    char *manual =
        testkit_read_file(testkit_format("%s/docs/operations.md", testkit_source_dir()), &bytes);
    struct exposition metrics = read_metrics(door);
    for (size_t i = 0; i < metrics.n_families; i++) {
        const char *name = metrics.families[i];
        bool row = strstr(manual, testkit_format("| `%s` |", name)) != NULL ||
                   strstr(manual, testkit_format("| `%s{", name)) != NULL ||
                   strstr(manual, testkit_format("`%s`, ", name)) != NULL ||
                   strstr(manual, testkit_format(", `%s` |", name)) != NULL;
        if (!row) {
            testkit_fail("docs/operations.md has no row for %s", name);
        }
    }
    for (const char *at = strstr(manual, "| `billingd_"); at != NULL;
         at = strstr(at + 1, "| `billingd_")) {
        const char *name = testkit_format("%.*s", (int)strcspn(at + 3, "`{"), at + 3);
        if (!exposition_has(&metrics, name)) {
            testkit_fail("docs/operations.md has %s, the daemon has not", name);
        }
    }
    free(manual);
    door_close(door);
}

static void metrics__requests_at_a_slow_disk__show_queue_flight_and_memory(void **state)
{
    struct door *door = open_door();
    struct door_client *client = client_open(door);
    (void)state;
    assert_value(door, "billingd_connections{door=\"unix\"}", 1);
    memory_store_hold_commits(door->desk->memory);
    client_request(client, customer_request("A", "1"), 1);
    door_wait_in_flight(door, 1);
    memory_store_wait_held(door->desk->memory);
    client_request(client, customer_request("B", "2"), 2);
    client_request(client, customer_request("C", "3"), 3);
    door_wait_in_flight(door, 3);
    assert_value(door, "billingd_requests_in_flight", 3);
    assert_value(door, "billingd_queue_requests{queue=\"write\"}", 2);
    assert_true(value(door, "billingd_queue_bytes{queue=\"write\"}") > 100);
    assert_true(value(door, "billingd_memory_bytes{room=\"requests\"}") >
                value(door, "billingd_queue_bytes{queue=\"write\"}"));
    assert_value(door, "billingd_records_total", 0);
    memory_store_open_gate(door->desk->memory);
    for (uint64_t i = 1; i <= 3; i++) {
        client_expect(client, i);
    }
    assert_value(door, "billingd_requests_in_flight", 0);
    assert_value(door, "billingd_queue_bytes{queue=\"write\"}", 0);
    assert_value(door, "billingd_records_total", 3);
    assert_value(door, "billingd_commit_records_sum", 3);
    assert_value(door, "billingd_commit_records_count", 2);
    assert_value(door, "billingd_commit_duration_seconds_count", 2);
    assert_value(door, "billingd_commit_sync_duration_seconds_count", 2);
    assert_true(value(door, "billingd_commit_duration_seconds_sum") >=
                value(door, "billingd_commit_sync_duration_seconds_sum"));
    assert_value(door, "billingd_requests_total{method=\"CreateCustomer\",outcome=\"recorded\"}",
                 3);
    assert_value(door, "billingd_request_duration_seconds_count{kind=\"write\"}", 3);
    assert_true(value(door, "billingd_request_duration_seconds_sum{kind=\"write\"}") > 0);
    client_close(client);
    door_wait_connections(door, 0);
    assert_value(door, "billingd_connections{door=\"unix\"}", 0);
    assert_value(door, "billingd_memory_bytes{room=\"requests\"}", 0);
    door_close(door);
}

static void metrics__replays_reuses_and_refusals__are_counted(void **state)
{
    struct door *door = open_door();
    struct door_client *client = client_open(door);
    (void)state;
    client_request(client, customer_request("A", "1"), 1);
    client_expect(client, 1);
    client_request(client, customer_request("A", "1"), 2);
    client_expect(client, 2);
    client_request(client, customer_request("B", "1"), 3);
    client_expect(client, 3);
    client_request(client, customer_request("", "4"), 4);
    client_expect(client, 4);
    assert_value(door, "billingd_replays_total", 1);
    assert_value(door, "billingd_request_id_reuses_total", 1);
    assert_value(door, "billingd_refusals_total{code=\"request_id_reused\"}", 1);
    assert_value(door, "billingd_refusals_total{code=\"out_of_bounds\"}", 1);
    assert_value(door, "billingd_requests_total{method=\"CreateCustomer\",outcome=\"replayed\"}",
                 1);
    assert_value(door,
                 "billingd_requests_total{method=\"CreateCustomer\",outcome=\"request_id_reused\"}",
                 1);
    door_close(door);
}

/* What the limits refuse before anybody looks at it is told as well. */
static void metrics__more_a_second_than_one_may__are_refusals(void **state)
{
    struct door *door = open_door();
    struct door_client *client = client_open(door);
    (void)state;
    door->desk->dispatch.options.requests_per_second_max = 1;
    for (uint64_t i = 1; i <= 10; i++) {
        client_request(client, customer_request("A", "1"), i);
        client_expect(client, i);
    }
    double refused = value(door, "billingd_refusals_total{code=\"rate_limited\"}");
    assert_true(refused > 0);
    assert_value(door,
                 "billingd_requests_total{method=\"CreateCustomer\",outcome=\"rate_limited\"}",
                 (int64_t)refused);
    assert_value(door, "billingd_requests_total{method=\"CreateCustomer\",outcome=\"recorded\"}",
                 1);
    assert_value(door, "billingd_request_duration_seconds_count{kind=\"write\"}", 10);
    door_close(door);
}

static void metrics__items_of_a_batch__are_counted_by_what_became_of_them(void **state)
{
    struct door *door = open_door();
    struct desk *desk = door->desk;
    struct door_client *client = client_open(door);
    (void)state;
    client_request(client, customer_request("A", "1"), 1);
    const char *id = desk_text(client_expect(client, 1)->create_customer->customer->id);
    Billing__V1__UsageInput *items[] = {
        desk_usage_input(id, "S", "1", "2", "u1"),
        desk_usage_input(id, "S", "1", "2", "u1"),
        desk_usage_input(id, "S", "x", "2", "u2"),
        desk_usage_input(id, "S", "1", "2", "u3"),
    };
    client_request(client,
                   desk_request(BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH,
                                desk_batch_input(items, 4, NULL)),
                   2);
    client_expect(client, 2);
    assert_value(door, "billingd_batch_items_total{outcome=\"recorded\"}", 2);
    assert_value(door, "billingd_batch_items_total{outcome=\"replayed\"}", 1);
    assert_value(door, "billingd_batch_items_total{outcome=\"refused\"}", 1);
    assert_value(door, "billingd_requests_total{method=\"CreateUsageBatch\",outcome=\"ok\"}", 1);
    assert_u64(desk->dispatch.stats.replays, 1);
    door_close(door);
}

static void metrics__half_a_frame__is_memory_of_the_doors(void **state)
{
    struct door *door = open_door();
    struct door_client *client = client_open(door);
    (void)state;
    assert_value(door, "billingd_memory_bytes{room=\"requests\"}", 0);
    client_send(client, "\0\1", 2);
    while (value(door, "billingd_memory_bytes{room=\"requests\"}") == 0) {
        door_turn(door);
    }
    door->desk->dispatch.memory.bytes_max = 4711;
    assert_value(door, "billingd_memory_max_bytes", 4711);
    door_close(door);
}

static void metrics__a_full_disk__shows_until_there_is_room(void **state)
{
    struct door *door = open_door();
    struct door_client *client = client_open(door);
    (void)state;
    memory_store_fail(door->desk->memory, MEMORY_COMMIT, STATUS_STORAGE_FULL, 0, 1);
    client_request(client, customer_request("A", "1"), 1);
    client_expect(client, 1);
    assert_value(door, "billingd_storage_full", 1);
    assert_value(door, "billingd_refusals_total{code=\"storage_full\"}", 1);
    client_request(client, customer_request("A", "1"), 2);
    client_expect(client, 2);
    assert_value(door, "billingd_storage_full", 0);
    door_close(door);
}

static void metrics__of_the_store__are_what_it_says(void **state)
{
    struct door *door = open_door();
    (void)state;
    memory_store_set_stats(door->desk->memory, &(struct store_stats){
                                                   .file_bytes = 11,
                                                   .used_bytes = 12,
                                                   .map_bytes = 13,
                                                   .disk_free_bytes = 14,
                                                   .segments = 15,
                                                   .segments_replaced = 16,
                                                   .head_records = 17,
                                                   .head_bytes = 18,
                                                   .views = 19,
                                                   .oldest_view_us = 1,
                                                   .sealer_status = STATUS_STORAGE_FULL,
                                               });
    assert_value(door, "billingd_store_size_bytes", 11);
    assert_value(door, "billingd_store_used_bytes", 12);
    assert_value(door, "billingd_store_map_size_bytes", 13);
    assert_value(door, "billingd_store_disk_free_bytes", 14);
    assert_value(door, "billingd_store_segments", 15);
    assert_value(door, "billingd_store_segments_replaced", 16);
    assert_value(door, "billingd_store_head_records", 17);
    assert_value(door, "billingd_memory_bytes{room=\"store_head\"}", 18);
    assert_value(door, "billingd_store_readers", 19);
    assert_true(value(door, "billingd_store_oldest_reader_age_seconds") > 1);
    assert_value(door, "billingd_store_sealer_failing", 1);
    memory_store_set_stats(door->desk->memory, &(struct store_stats){.segments_damaged = true});
    assert_value(door, "billingd_store_sealer_failing", 1);
    memory_store_set_stats(door->desk->memory, &(struct store_stats){0});
    assert_value(door, "billingd_store_sealer_failing", 0);
    assert_value(door, "billingd_store_oldest_reader_age_seconds", 0);
    door_close(door);
}

static void metrics__reports__are_counted_by_fate(void **state)
{
    struct sentry *sentry = sentry_start("HTTP/1.1 200 OK\r\n");
    struct door *door = open_door();
    (void)state;
    struct report_options options = {
        .dsn = sentry_dsn(sentry), .environment = "testing", .version = "1"};
    assert_ok(report_create(&options, &report));
    struct door_client *client = client_open(door);
    client_request(client, customer_request("A", "1"), 1);
    const char *id = desk_text(client_expect(client, 1)->create_customer->customer->id);
    memory_store_damage(door->desk->memory, 1);
    for (uint64_t i = 2; i <= 3; i++) {
        client_request(client, usage_request(id), i);
        client_expect(client, i);
    }
    report_flush(report, 60000);
    assert_value(door, "billingd_error_reports_total{fate=\"sent\"}", 1);
    assert_value(door, "billingd_error_reports_total{fate=\"limited\"}", 1);
    assert_value(door, "billingd_error_reports_total{fate=\"failed\"}", 0);
    assert_true(value(door, "billingd_log_lines_total{level=\"error\"}") >= 2);
    json_object *event = sentry_event(sentry, 0);
    assert_string_equal(sentry_text(event, "tags.method"), "CreateUsage");
    assert_string_equal(sentry_text(event, "tags.code"), "storage_damaged");
    json_object_put(event);
    report_destroy(report, 2000);
    report = NULL;
    door_close(door);
    sentry_stop(sentry);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(metrics__of_a_new_daemon__are_in_order),
    cmocka_unit_test(metrics__each__is_in_the_operators_manual),
    cmocka_unit_test(metrics__requests_at_a_slow_disk__show_queue_flight_and_memory),
    cmocka_unit_test(metrics__replays_reuses_and_refusals__are_counted),
    cmocka_unit_test(metrics__more_a_second_than_one_may__are_refusals),
    cmocka_unit_test(metrics__items_of_a_batch__are_counted_by_what_became_of_them),
    cmocka_unit_test(metrics__half_a_frame__is_memory_of_the_doors),
    cmocka_unit_test(metrics__a_full_disk__shows_until_there_is_room),
    cmocka_unit_test(metrics__of_the_store__are_what_it_says),
    cmocka_unit_test(metrics__reports__are_counted_by_fate),
};

TESTKIT_MAIN(tests)
