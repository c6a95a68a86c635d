/* What the daemon says of the store's own work: when it changes, and once. */
#include "billingd/base/log.h"
#include "billingd/store_watch.h"
#include "proto/status.h"
#include "tests/lib/testkit.h"

static struct {
    unsigned n;
    const char *message; /* of the last error; static */
    int64_t segment;     /* that it names; 0: none */
} told;

static void error_cb(enum log_area area, const char *message, const struct log_field *fields,
                     void *arg)
{
    (void)area;
    (void)arg;
    told.n++;
    told.message = message;
    told.segment = fields->name != NULL && fields->type == LOG_FIELD_INT ? fields->number : 0;
}

static int setup(void **state)
{
    (void)state;
    memset(&told, 0, sizeof told);
    log_set_error_hook(error_cb, NULL);
    return 0;
}

static void note(struct store_watch *watch, int sealer_status)
{
    store_watch_note(watch, &(struct store_stats){.sealer_status = sealer_status});
}

static void note__sealer_fails_and_recovers__told_once_each(void **state)
{
    struct store_watch watch = {0};
    uint64_t infos = log_lines(LOG_LEVEL_INFO);
    (void)state;
    note(&watch, 0);
    assert_u64(log_lines(LOG_LEVEL_INFO), infos);
    note(&watch, STATUS_NO_MEMORY);
    note(&watch, STATUS_STORAGE_FULL);
    assert_u64(told.n, 1);
    assert_contains(told.message, "cannot be sealed");
    note(&watch, 0);
    note(&watch, 0);
    assert_u64(log_lines(LOG_LEVEL_INFO), infos + 1);
    note(&watch, STATUS_NO_MEMORY);
    assert_u64(told.n, 2);
}

static void note__no_room_to_seal__is_a_warning(void **state)
{
    struct store_watch watch = {0};
    uint64_t warnings = log_lines(LOG_LEVEL_WARNING);
    (void)state;
    note(&watch, STATUS_STORAGE_FULL);
    note(&watch, STATUS_STORAGE_FULL);
    assert_u64(log_lines(LOG_LEVEL_WARNING), warnings + 1);
    assert_u64(told.n, 0);
}

static void note__damaged_segment__named_once(void **state)
{
    struct store_watch watch = {0};
    const struct store_stats damaged = {.segments_damaged = true, .segment_damaged = 7};
    (void)state;
    store_watch_note(&watch, &damaged);
    store_watch_note(&watch, &damaged);
    assert_u64(told.n, 1);
    assert_contains(told.message, "a segment is damaged");
    assert_i64(told.segment, 7);
}

static void note__damaged_segment_that_was_replaced__said_to_be_one(void **state)
{
    struct store_watch watch = {0};
    const struct store_stats damaged = {.segments_damaged = true};
    (void)state;
    store_watch_note(&watch, &damaged);
    assert_u64(told.n, 1);
    assert_contains(told.message, "a replaced segment is damaged");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(note__sealer_fails_and_recovers__told_once_each, setup),
    cmocka_unit_test_setup(note__no_room_to_seal__is_a_warning, setup),
    cmocka_unit_test_setup(note__damaged_segment__named_once, setup),
    cmocka_unit_test_setup(note__damaged_segment_that_was_replaced__said_to_be_one, setup),
};

TESTKIT_MAIN(tests)
