/* The status table: one meaning a code, one code a meaning, and the rows that the contract
 * fixes. */
#include <limits.h>
#include <string.h>

#include "proto/status.h"
#include "tests/lib/testkit.h"

static const int all[] = {
#define ROW_NUMBER(name, number, code, http, retryable, title) STATUS_##name,
    STATUS_MAP(ROW_NUMBER)
#undef ROW_NUMBER
};

enum {
    N_ALL = sizeof all / sizeof all[0],
};

static void table__every_row__found_by_number_and_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ALL; i++) {
        const struct status_info *info = status_info(all[i]);
        assert_i64(info->status, all[i]);
        assert_true(info->status < 0);
        assert_i64(status_from_code(info->name, strlen(info->name)), all[i]);
    }
}

static void table__numbers_and_codes__unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ALL; i++) {
        for (size_t j = i + 1; j < N_ALL; j++) {
            assert_true(all[i] != all[j]);
            assert_string_not_equal(status_info(all[i])->name, status_info(all[j])->name);
        }
    }
}

static void table__every_row__fit_to_be_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ALL; i++) {
        const struct status_info *info = status_info(all[i]);
        assert_u64(strspn(info->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(info->name));
        assert_true(strlen(info->name) > 0 && strlen(info->title) > 0);
        assert_true(info->http >= 400 && info->http <= 599);
        /* sending again can help only where the trouble passes by itself */
        assert_true(!info->retryable || info->http == 408 || info->http == 429 ||
                    info->http == 503);
    }
}

static void info__unknown_number__internal(void **state)
{
    (void)state;
    static const int unknown[] = {0, 1, -1000, 200, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_i64(status_info(unknown[i])->status, STATUS_INTERNAL);
    }
}

static void from_code__not_a_code__zero(void **state)
{
    (void)state;
    assert_i64(status_from_code("", 0), 0);
    assert_i64(status_from_code(NULL, 0), 0);
    assert_i64(status_from_code("bus", 3), 0);
    assert_i64(status_from_code("busy", 3), 0);
    assert_i64(status_from_code("busy", 4), STATUS_BUSY);
    assert_i64(status_from_code("busy!", 4), STATUS_BUSY); /* the length counts, not a NUL */
    assert_i64(status_from_code("busy", 5), 0);
    assert_i64(status_from_code("BUSY", 4), 0);
    assert_i64(status_from_code("busy ", 5), 0);
}

/* What callers rely on by name and number; a change here is a change of the contract. */
static void table__rows_of_the_contract__as_promised(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int http;
        bool retryable;
    } rows[] = {
        {"malformed_json", 400, false},
        {"invalid_query", 400, false},
        {"unauthenticated", 401, false},
        {"forbidden", 403, false},
        {"customer_not_found", 404, false},
        {"method_not_allowed", 405, false},
        {"external_id_taken", 409, false},
        {"too_large", 413, false},
        {"unsupported_media_type", 415, false},
        {"wrong_type", 422, false},
        {"missing_field", 422, false},
        {"unknown_field", 422, false},
        {"out_of_bounds", 422, false},
        {"amount_too_large", 422, false},
        {"service_not_allowed", 422, false},
        {"request_id_reused", 422, false},
        {"time_out_of_range", 422, false},
        {"rate_limited", 429, true},
        {"internal", 500, false},
        {"busy", 503, true},
        {"storage_full", 503, true},
        {"shutting_down", 503, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int status = status_from_code(rows[i].code, strlen(rows[i].code));
        if (status == 0) {
            testkit_fail("no %s", rows[i].code);
        }
        assert_i64(status_info(status)->http, rows[i].http);
        assert_true(status_info(status)->retryable == rows[i].retryable);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(table__every_row__found_by_number_and_code),
    cmocka_unit_test(table__numbers_and_codes__unique),
    cmocka_unit_test(table__every_row__fit_to_be_sent),
    cmocka_unit_test(info__unknown_number__internal),
    cmocka_unit_test(from_code__not_a_code__zero),
    cmocka_unit_test(table__rows_of_the_contract__as_promised),
};

TESTKIT_MAIN(tests)
