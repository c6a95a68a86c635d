/* Replies as CSV: their columns, their rows, and what stands in a cell. */
#include <stdlib.h>
#include <string.h>

#include "billing.pb-c.h"
#include "billingd/net/http_csv.h"
#include "tests/lib/testkit.h"

enum {
    END_US = 11,
};

/* The field NAME of a message, set to TEXT. */
#define SET(message, name, text)                                                                   \
    do {                                                                                           \
        (message)->has_##name = true;                                                              \
        (message)->name.data = (uint8_t *)(uintptr_t)(text);                                       \
        (message)->name.len = strlen(text);                                                        \
    } while (0)

static const char *csv(const ProtobufCMessage *reply)
{
    struct json_text text = {0};
    assert_ok(http_csv_write(&text, reply));
    const char *copy = testkit_format("%.*s", (int)text.length, text.data);
    free(text.data);
    return copy;
}

/* --- bills ------------------------------------------------------------------------------------ */

#define COLUMNS                                                                                    \
    "customer_id,start,end,currency,id,service,price_per_unit,units_consumed,exact_amount,amount," \
    "records,voided,late,occurred_at,reason\r\n"
#define WINDOW "cus_1,1970-01-01T00:00:00.000000Z,1970-01-01T00:00:00.000011Z,USD,"

static Billing__V1__BillLine line;
static Billing__V1__BillAdjustment adjustment;
static Billing__V1__BillLine *lines[] = {&line};
static Billing__V1__BillAdjustment *adjustments[] = {&adjustment};
static Billing__V1__Bill bill;
static Billing__V1__BillReply reply;

static int begin(void **state)
{
    (void)state;
    billing__v1__bill_line__init(&line);
    SET(&line, service, "Database Hosting");
    SET(&line, price_per_unit, "0.05");
    SET(&line, units_consumed, "58.1");
    SET(&line, exact_amount, "2.905");
    SET(&line, amount, "2.9");
    line.has_records = line.has_voided = line.has_late = true;
    line.records = UINT64_MAX;
    line.voided = 0;
    line.late = 1;
    billing__v1__bill_adjustment__init(&adjustment);
    SET(&adjustment, id, "adj_1");
    SET(&adjustment, exact_amount, "-0.5");
    SET(&adjustment, amount, "-0.5");
    SET(&adjustment, reason, "good, \"will\"");
    adjustment.has_occurred_at = true;
    adjustment.occurred_at = 1;
    billing__v1__bill__init(&bill);
    SET(&bill, customer_id, "cus_1");
    bill.has_start = bill.has_end = true;
    bill.end = END_US;
    SET(&bill, currency, "USD");
    SET(&bill, exact_total, "2.405");
    SET(&bill, total, "2.4");
    SET(&bill, rounding, "-0.005");
    billing__v1__bill_reply__init(&reply);
    reply.bill = &bill;
    return 0;
}

static void fill_bill(void)
{
    bill.lines = lines;
    bill.n_lines = 1;
    bill.adjustments = adjustments;
    bill.n_adjustments = 1;
}

static void bill__lines_then_adjustments_then_the_total(void **state)
{
    (void)state;
    fill_bill();
    assert_string_equal(csv(&reply.base),
                        "kind," COLUMNS "line," WINDOW
                        ",Database Hosting,0.05,58.1,2.905,2.9,18446744073709551615,0,1,,\r\n"
                        "adjustment," WINDOW "adj_1,,,,-0.5,-0.5,,,,1970-01-01T00:00:00.000001Z,"
                        "\"good, \"\"will\"\"\"\r\n"
                        "total," WINDOW ",,,,2.405,2.4,,,,,\r\n");
}

static void bill__of_nothing__has_its_total(void **state)
{
    (void)state;
    assert_string_equal(csv(&reply.base), "kind," COLUMNS "total," WINDOW ",,,,2.405,2.4,,,,,\r\n");
}

/* So that pages, one behind the other, have it once. */
static void bill__with_more_to_come__has_no_total_yet(void **state)
{
    (void)state;
    fill_bill();
    SET(&reply, next_cursor, "00");
    const char *text = csv(&reply.base);
    assert_contains(text, "\r\nadjustment,");
    assert_null(strstr(text, "total,"));
}

static void invoice__is_a_bill_with_its_number(void **state)
{
    (void)state;
    Billing__V1__Invoice invoice = BILLING__V1__INVOICE__INIT;
    Billing__V1__InvoiceReply of = BILLING__V1__INVOICE_REPLY__INIT;
    of.invoice = &invoice;
    invoice.has_number = true;
    invoice.number = 7;
    SET(&invoice, customer_id, "cus_1");
    invoice.lines = lines;
    invoice.n_lines = 1;
    SET(&invoice, exact_total, "0.123456789012345678");
    SET(&invoice, total, "0.12");
    SET(&invoice, digest, "ab");
    assert_string_equal(csv(&of.base),
                        "kind,number," COLUMNS "line,7,cus_1,,,,,Database Hosting,0.05,58.1,2.905,"
                        "2.9,18446744073709551615,0,1,,\r\n"
                        "total,7,cus_1,,,,,,,,0.123456789012345678,0.12,,,,,\r\n");
}

/* --- lists ------------------------------------------------------------------------------------ */

static void list__is_a_row_an_item_and_a_column_a_field(void **state)
{
    (void)state;
    Billing__V1__BillTotals first = BILLING__V1__BILL_TOTALS__INIT;
    Billing__V1__BillTotals second = BILLING__V1__BILL_TOTALS__INIT;
    Billing__V1__BillTotals *items[] = {&first, &second};
    Billing__V1__BillsReply of = BILLING__V1__BILLS_REPLY__INIT;
    const char *header = "customer_id,name,external_id,start,end,currency,lines,records,voided,"
                         "late,adjustments,exact_total,total,rounding,problem\r\n";
    assert_string_equal(csv(&of.base), header);
    of.bills = items;
    of.n_bills = 2;
    SET(&of, next_cursor, "00");
    SET(&first, name, "Acme");
    first.has_start = true;
    SET(&first, total, "-1");
    SET(&second, external_id, "x");
    second.has_adjustments = true;
    SET(&second, problem, "too_large");
    assert_string_equal(csv(&of.base),
                        testkit_format("%s,Acme,,1970-01-01T00:00:00.000000Z,,,,,,,,,-1,,\r\n"
                                       ",,x,,,,,,,,0,,,,too_large\r\n",
                                       header));
}

static void list__words_and_flags__are_as_in_json(void **state)
{
    (void)state;
    Billing__V1__BillRecord record = BILLING__V1__BILL_RECORD__INIT;
    Billing__V1__BillRecord *items[] = {&record};
    Billing__V1__BillRecordsReply of = BILLING__V1__BILL_RECORDS_REPLY__INIT;
    of.records = items;
    of.n_records = 1;
    record.has_kind = true;
    record.kind = BILLING__V1__BILL_RECORD__KIND__ADJUSTMENT;
    record.has_late = true;
    assert_contains(csv(&of.base), "recorded_by\r\nadjustment,,,,,,,,,,false,,,\r\n");
    record.late = true;
    assert_contains(csv(&of.base), "\r\nadjustment,,,,,,,,,,true,,,\r\n");
}

/* --- cells ------------------------------------------------------------------------------------ */

static void cells__of_text__are_quoted_and_no_formulas(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cell;
    } cases[] = {
        {"plain text", "plain text"},
        {"", ""},
        {"a,b", "\"a,b\""},
        {"a;b", "\"a;b\""},
        {"say \"a\"", "\"say \"\"a\"\"\""},
        {"\"", "\"\"\"\""},
        {" a", "\" a\""},
        {"a ", "\"a \""},
        {"a\r\nb", "\"a\r\nb\""},
        {"a\tb", "\"a\tb\""},
        {"\xC3\xA9\xE2\x82\xAC", "\xC3\xA9\xE2\x82\xAC"},
        {"=1+2", "'=1+2"},
        {"+1", "'+1"},
        {"-1", "'-1"},
        {"@SUM(A1)", "'@SUM(A1)"},
        {"=HYPERLINK(\"http://x\",1)", "\"'=HYPERLINK(\"\"http://x\"\",1)\""},
        {"a=1", "a=1"},
        {"'=1", "'=1"},
    };
    Billing__V1__BillTotals item = BILLING__V1__BILL_TOTALS__INIT;
    Billing__V1__BillTotals *items[] = {&item};
    Billing__V1__BillsReply of = BILLING__V1__BILLS_REPLY__INIT;
    of.bills = items;
    of.n_bills = 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SET(&item, name, cases[i].text);
        const char *row = strstr(csv(&of.base), "\r\n") + 2;
        assert_string_equal(row, testkit_format(",%s,,,,,,,,,,,,,\r\n", cases[i].cell));
    }
}

/* A credit is a number, and stays one. */
static void cells__of_numbers__are_bare(void **state)
{
    (void)state;
    fill_bill();
    assert_contains(csv(&reply.base), ",-0.5,-0.5,");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(bill__lines_then_adjustments_then_the_total, begin),
    cmocka_unit_test_setup(bill__of_nothing__has_its_total, begin),
    cmocka_unit_test_setup(bill__with_more_to_come__has_no_total_yet, begin),
    cmocka_unit_test_setup(invoice__is_a_bill_with_its_number, begin),
    cmocka_unit_test(list__is_a_row_an_item_and_a_column_a_field),
    cmocka_unit_test(list__words_and_flags__are_as_in_json),
    cmocka_unit_test(cells__of_text__are_quoted_and_no_formulas),
    cmocka_unit_test_setup(cells__of_numbers__are_bare, begin),
};

TESTKIT_MAIN(tests)
