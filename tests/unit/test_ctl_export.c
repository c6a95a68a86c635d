/* How records become rows of an export: csv, ndjson and focus. */
#include <stdlib.h>
#include <string.h>

#include "billingctl/export_format.h"
#include "tests/lib/testkit.h"

/* 2024-09-18T22:00:00Z */
#define SEPTEMBER_US INT64_C(1726696800000000)
/* 2024-10-02T00:00:00Z */
#define OCTOBER_US INT64_C(1727827200000000)

static struct export_row usage_row(void)
{
    return (struct export_row){
        .kind = EXPORT_USAGE,
        .customer = {.id = "cus_1", .name = "A, B", .external_id = "517"},
        .currency = "USD",
        .request_id = "r1",
        .voided_request_id = "",
        .service = "S \"x\"",
        .units = "2.5",
        .price = "0.0000004",
        .amount = "0.000001",
        .reason = "",
        .occurred_us = SEPTEMBER_US,
        .bills_us = SEPTEMBER_US,
        .voided_us = -1,
        .labels = {{"region", "eu"}, {"team", "a\"b"}, {"sku", ""}, {"resource", "NULL"}},
        .label_count = 4,
    };
}

static struct export_row void_row(void)
{
    struct export_row row = usage_row();
    row.kind = EXPORT_VOID;
    row.request_id = "v1";
    row.voided_request_id = "r1";
    row.units = "-2.5";
    row.amount = "-0.000001";
    row.reason = "wrong";
    row.usage_bills_us = SEPTEMBER_US;
    return row;
}

static struct export_row adjustment_row(void)
{
    struct export_row row = usage_row();
    row.kind = EXPORT_ADJUSTMENT;
    row.units = "";
    row.price = "";
    row.amount = "-12.5";
    row.reason = "sorry";
    row.label_count = 0;
    return row;
}

static const char *text_of_row(const struct export_format *format, const struct export_row *row)
{
    struct text text = {0};
    format->put_row(row, &text);
    const char *copy = testkit_format("%s", text_of(&text));
    text_done(&text);
    return copy;
}

/* --- csv and ndjson --------------------------------------------------------------------------- */

static void csv__each_kind__as_import_reads_it(void **state)
{
    (void)state;
    struct text header = {0};
    struct export_row row = usage_row();
    export_csv.put_header(&header);
    assert_string_equal(text_of(&header),
                        "kind,customer_id,request_id,service,units_consumed,price_per_unit,amount,"
                        "reason,voided_request_id,occurred_at,bills_at,voided_at,labels\n");
    text_done(&header);
    row.voided_us = OCTOBER_US;
    assert_string_equal(text_of_row(&export_csv, &row),
                        "usage,external:517,r1,\"S \"\"x\"\"\",2.5,0.0000004,0.000001,,,"
                        "2024-09-18T22:00:00.000000Z,2024-09-18T22:00:00.000000Z,"
                        "2024-10-02T00:00:00.000000Z,\"{\"\"region\"\": \"\"eu\"\", "
                        "\"\"team\"\": \"\"a\\\"\"b\"\", \"\"sku\"\": \"\"\"\", "
                        "\"\"resource\"\": \"\"NULL\"\"}\"\n");
    row = void_row();
    row.label_count = 0;
    row.customer.external_id = "";
    assert_string_equal(text_of_row(&export_csv, &row),
                        "void,cus_1,v1,\"S \"\"x\"\"\",-2.5,0.0000004,-0.000001,wrong,r1,"
                        "2024-09-18T22:00:00.000000Z,2024-09-18T22:00:00.000000Z,,\n");
    row = adjustment_row();
    row.service = "";
    assert_string_equal(text_of_row(&export_csv, &row),
                        "adjustment,external:517,r1,,,,-12.5,sorry,,"
                        "2024-09-18T22:00:00.000000Z,2024-09-18T22:00:00.000000Z,,\n");
}

static void ndjson__each_kind__what_is_not_there_left_out(void **state)
{
    (void)state;
    struct export_row row = usage_row();
    row.label_count = 2;
    assert_string_equal(text_of_row(&export_ndjson, &row),
                        "{\"kind\": \"usage\", \"customer_id\": \"external:517\", \"request_id\": "
                        "\"r1\", \"service\": \"S \\\"x\\\"\", \"units_consumed\": 2.5, "
                        "\"price_per_unit\": 0.0000004, \"amount\": 0.000001, \"occurred_at\": "
                        "\"2024-09-18T22:00:00.000000Z\", \"bills_at\": "
                        "\"2024-09-18T22:00:00.000000Z\", \"labels\": {\"region\": \"eu\", "
                        "\"team\": \"a\\\"b\"}}\n");
    row = adjustment_row();
    assert_contains(text_of_row(&export_ndjson, &row),
                    "\"amount\": -12.5, \"reason\": \"sorry\", \"occurred_at\"");
    row = void_row();
    assert_contains(text_of_row(&export_ndjson, &row), "\"voided_request_id\": \"r1\"");
    assert_null(export_ndjson.put_header);
}

/* --- focus ------------------------------------------------------------------------------------ */

/* The cell of ROW in COLUMN; those of our rows hold no comma but where the whole is quoted, so that
 * a comma outside quotes ends one. */
static const char *cell(const struct export_row *row, const char *column)
{
    struct text header = {0};
    const char *rest = text_of_row(&export_focus, row);
    export_focus.put_header(&header);
    for (const char *name = text_of(&header); *name != '\0';) {
        size_t name_length = strcspn(name, ",\n");
        size_t length = 0;
        for (bool quoted = false; quoted || strchr(",\n", rest[length]) == NULL; length++) {
            quoted ^= rest[length] == '"';
        }
        if (strlen(column) == name_length && strncmp(name, column, name_length) == 0) {
            text_done(&header);
            return testkit_format("%.*s", (int)length, rest);
        }
        name += name_length + 1;
        rest += length + 1;
    }
    testkit_fail("no column '%s'", column);
    return "";
}

static void cells(const struct export_row *row, const char *const (*expected)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = cell(row, expected[i][0]);
        if (strcmp(value, expected[i][1]) != 0) {
            testkit_fail("%s is '%s', not '%s'", expected[i][0], value, expected[i][1]);
        }
    }
}

#define CELLS(row, ...)                                                                            \
    cells((row), (const char *const[][2]){__VA_ARGS__},                                            \
          sizeof((const char *const[][2]){__VA_ARGS__}) / sizeof(const char *[2]))

static void focus__header__all_columns_in_order_then_ours(void **state)
{
    (void)state;
    struct text header = {0};
    const char *before = "";
    size_t count = 0;
    export_focus.put_header(&header);
    for (const char *name = text_of(&header); *name != '\0';) {
        size_t length = strcspn(name, ",\n");
        const char *copy = testkit_format("%.*s", (int)length, name);
        count++;
        if (count <= 43) {
            assert_true(strcmp(before, copy) < 0); /* as the specification sorts them */
            before = copy;
        } else {
            assert_true(strncmp(copy, "x_", 2) == 0);
        }
        name += length + 1;
    }
    assert_u64(count, 45);
    text_done(&header);
}

static void focus__usage__what_is_true_is_filled(void **state)
{
    (void)state;
    struct export_row row = usage_row();
    CELLS(
        &row, {"BilledCost", "0.000001"}, {"ListCost", "0.000001"}, {"ContractedCost", "0.000001"},
        {"EffectiveCost", "0.000001"}, {"BillingAccountId", "cus_1"},
        {"BillingAccountName", "\"A, B\""}, {"SubAccountId", "517"}, {"SubAccountName", "\"A, B\""},
        {"BillingCurrency", "USD"}, {"BillingPeriodStart", "2024-09-01T00:00:00Z"},
        {"BillingPeriodEnd", "2024-10-01T00:00:00Z"}, {"ChargeCategory", "Usage"},
        {"ChargeClass", ""}, {"ChargeDescription", ""}, {"ChargeFrequency", "Usage-Based"},
        {"ChargePeriodStart", "2024-09-18T22:00:00Z"}, {"ChargePeriodEnd", "2024-09-18T22:00:01Z"},
        {"ConsumedQuantity", "2.5"}, {"PricingQuantity", "2.5"}, {"ListUnitPrice", "0.0000004"},
        {"ContractedUnitPrice", "0.0000004"}, {"ServiceName", "\"S \"\"x\"\"\""},
        {"RegionId", "eu"}, {"ResourceId", "NULL"}, {"SkuId", ""},
        {"Tags", "\"{\"\"team\"\": \"\"a\\\"\"b\"\", \"\"sku\"\": \"\"\"\"}\""},
        {"ProviderName", ""}, {"PricingCategory", ""}, {"AvailabilityZone", ""},
        {"x_RequestId", "r1"}, {"x_VoidedRequestId", ""});
}

static void focus__no_external_id__the_id_stands_for_it(void **state)
{
    (void)state;
    struct export_row row = usage_row();
    row.customer.external_id = "";
    CELLS(&row, {"SubAccountId", "cus_1"}, {"BillingAccountId", "cus_1"});
}

static void focus__fraction_of_a_second__kept(void **state)
{
    (void)state;
    struct export_row row = usage_row();
    row.occurred_us = INT64_C(1735689599999999); /* the last microsecond of 2024 */
    row.bills_us = row.occurred_us;
    CELLS(&row, {"ChargePeriodStart", "2024-12-31T23:59:59.999999Z"},
          {"ChargePeriodEnd", "2025-01-01T00:00:00Z"},
          {"BillingPeriodStart", "2024-12-01T00:00:00Z"},
          {"BillingPeriodEnd", "2025-01-01T00:00:00Z"});
}

/* "Correction" is for what an earlier period billed, as the specification has it. */
static void focus__void__negative_and_a_correction_in_a_later_month(void **state)
{
    (void)state;
    struct export_row row = void_row();
    CELLS(&row, {"ChargeCategory", "Usage"}, {"ChargeClass", ""}, {"ConsumedQuantity", "-2.5"},
          {"BilledCost", "-0.000001"}, {"ChargeDescription", "wrong"}, {"x_RequestId", "v1"},
          {"x_VoidedRequestId", "r1"});
    row.bills_us = OCTOBER_US;
    CELLS(&row, {"ChargeClass", "Correction"}, {"BillingPeriodStart", "2024-10-01T00:00:00Z"},
          {"ChargePeriodStart", "2024-09-18T22:00:00Z"});
    row.usage_bills_us = OCTOBER_US;
    CELLS(&row, {"ChargeClass", ""});
}

static void focus__adjustment__credit_or_adjustment_by_its_sign(void **state)
{
    (void)state;
    static const char *const amounts[][2] = {
        {"-0.01", "Credit"}, {"0", "Adjustment"}, {"7", "Adjustment"}};
    struct export_row row = adjustment_row();
    for (size_t i = 0; i < 3; i++) {
        row.amount = amounts[i][0];
        CELLS(&row, {"ChargeCategory", amounts[i][1]}, {"BilledCost", amounts[i][0]},
              {"ListCost", amounts[i][0]}, {"ConsumedQuantity", ""}, {"ListUnitPrice", ""},
              {"ChargeFrequency", "One-Time"}, {"ChargeDescription", "sorry"}, {"Tags", ""});
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(csv__each_kind__as_import_reads_it),
    cmocka_unit_test(ndjson__each_kind__what_is_not_there_left_out),
    cmocka_unit_test(focus__header__all_columns_in_order_then_ours),
    cmocka_unit_test(focus__usage__what_is_true_is_filled),
    cmocka_unit_test(focus__no_external_id__the_id_stands_for_it),
    cmocka_unit_test(focus__fraction_of_a_second__kept),
    cmocka_unit_test(focus__void__negative_and_a_correction_in_a_later_month),
    cmocka_unit_test(focus__adjustment__credit_or_adjustment_by_its_sign),
};

TESTKIT_MAIN(tests)
