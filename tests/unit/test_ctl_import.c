/* How rows of the formats become records: csv, ndjson and focus. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "billingctl/import_counts.h"
#include "billingctl/import_focus.h"
#include "billingctl/import_format.h"
#include "tests/lib/testkit.h"

struct memory {
    const char *data;
    size_t length;
};

static ssize_t read_memory(void *arg, char *buffer, size_t bytes)
{
    struct memory *memory = arg;
    size_t take = memory->length < bytes ? memory->length : bytes;
    memcpy(buffer, memory->data, take);
    memory->data += take;
    memory->length -= take;
    return (ssize_t)take;
}

static void put_value(struct text *text, const char *name, const char *value)
{
    if (value != NULL) {
        text_printf(text, "%s=%s ", name, value);
    }
}

/* What is recorded of ROW, or why it is not. */
static void put_row(struct text *text, const struct import_row *row)
{
    text_printf(text, "%" PRIu64, row->line);
    if (row->last_line != row->line) {
        text_printf(text, "-%" PRIu64, row->last_line);
    }
    text_puts(text, ": ");
    if (row->rejected) {
        text_printf(text, "!%s\n", row->reason.text);
        return;
    }
    static const char *const kinds[] = {"", "adjustment ", "void "};
    text_puts(text, kinds[row->kind]);
    put_value(text, "customer", row->customer);
    put_value(text, "name", row->customer_name);
    put_value(text, "currency", row->currency);
    put_value(text, "service", row->service);
    put_value(text, "units", row->units);
    put_value(text, "price", row->price);
    put_value(text, "amount", row->amount);
    put_value(text, "why", row->why);
    put_value(text, "voids", row->voided_request_id);
    if (row->has_time) {
        text_printf(text, "time=%" PRId64 " ", row->time_us);
    }
    put_value(text, "id", row->request_id);
    for (size_t i = 0; i < row->label_count; i++) {
        text_printf(text, "[%s=%s] ", row->labels[i].name, row->labels[i].value);
    }
    text_puts(text, "\n");
}

/* All rows of DATA, a line each; then, unless it ended well, how it ended. */
static const char *import(const struct import_format *format, const char *data, size_t length)
{
    struct memory memory = {.data = data, .length = length};
    struct source source;
    struct import_reader reader;
    struct import_row row = {0};
    struct reason reason;
    struct text text = {0};
    source_init(&source, read_memory, &memory);
    enum import_result result = import_reader_init(&reader, format, &source, &reason);
    while (result == IMPORT_ROW) {
        result = import_reader_next(&reader, &row, &reason);
        if (result == IMPORT_ROW) {
            put_row(&text, &row);
        }
    }
    if (result == IMPORT_UNREADABLE) {
        text_printf(&text, "unreadable: %s\n", reason.text);
    }
    const char *all = testkit_format("%s", text_of(&text));
    text_done(&text);
    import_row_done(&row);
    import_reader_done(&reader);
    source_done(&source);
    return all;
}

static void imports(const struct import_format *format, const char *data, const char *expected)
{
    assert_string_equal(import(format, data, strlen(data)), expected);
}

static void format_of__name__tells(void **state)
{
    (void)state;
    assert_string_equal(import_format_of("a.csv")->name, "csv");
    assert_string_equal(import_format_of("-")->name, "csv");
    assert_string_equal(import_format_of("dir.ndjson/a")->name, "csv");
    assert_string_equal(import_format_of("a.ndjson")->name, "ndjson");
    assert_string_equal(import_format_of("a.jsonl")->name, "ndjson");
}

/* --- csv -------------------------------------------------------------------------------------- */

static void csv__all_columns__mapped(void **state)
{
    (void)state;
    imports(&import_csv,
            "request_id,customer_id,service,units_consumed,price_per_unit,occurred_at,"
            "label.region,label.x y\n"
            "r1,c1,\"DB, big\",58,0.05,1970-01-01T00:00:01Z,eu,v\n"
            "r2,,S,1e3,0,,,\n",
            "2: customer=c1 service=DB, big units=58 price=0.05 time=1000000 id=r1 [region=eu] "
            "[x y=v] \n"
            "3: service=S units=1e3 price=0 id=r2 \n");
}

static void csv__external_id__prefixed(void **state)
{
    (void)state;
    imports(&import_csv,
            "external_id,customer_id,service,units_consumed,price_per_unit\n"
            "x 1,,S,1,1\n"
            ",external:y,S,1,1\n"
            "x,c,S,1,1\n",
            "2: customer=external:x 1 service=S units=1 price=1 \n"
            "3: customer=external:y service=S units=1 price=1 \n"
            "4: !both customer_id and external_id are given\n");
}

static void csv__bad_header__nothing_is_read(void **state)
{
    (void)state;
    imports(&import_csv, "", "unreadable: there is no line with the names of the columns\n");
    imports(&import_csv, "service,units_consumed,price_per_unit,colour\na,1,1,x\n",
            "unreadable: there is no column 'colour'\n");
    imports(&import_csv, "service,units_consumed,price_per_unit,service\n",
            "unreadable: the column 'service' is there twice\n");
    imports(&import_csv, "service,units_consumed,price_per_unit,label.a,label.a\n",
            "unreadable: the column 'label.a' is there twice\n");
    imports(&import_csv, "service,units_consumed,price_per_unit,label.\n",
            "unreadable: there is no column 'label.'\n");
    imports(&import_csv, "service,units_consumed\n",
            "unreadable: the column 'price_per_unit' is missing\n");
    imports(&import_csv, "service,units\"consumed\n",
            "unreadable: the line with the names of the columns: a quote within a field that is "
            "not quoted\n");
    imports(&import_csv, "{\"service\": \"x\"}\n",
            "unreadable: the line with the names of the columns: a quote within a field that is "
            "not quoted\n");
}

static void csv__bad_rows__rejected_alone(void **state)
{
    (void)state;
    imports(&import_csv,
            "service,units_consumed,price_per_unit,occurred_at\n"
            "a,1,1\n"
            "a,1,1,,\n"
            "a,\"1\"2,1,\n"
            "\"a\nb\",1,1,yesterday\n"
            "good,1,1,\n"
            "a,1,1,1969-01-01\n",
            "2: !malformed: 3 columns instead of 4\n"
            "3: !malformed: 5 columns instead of 4\n"
            "4: !malformed: text behind a closing quote\n"
            "5-6: !occurred_at: 'yesterday' is not a time like 2026-11-22T11:01:38Z or "
            "2026-11-22\n"
            "7: service=good units=1 price=1 \n"
            "8: !occurred_at: '1969-01-01' lies outside the years 1970 to 9999\n");
}

static void csv__quote_never_closed__rows_before_stand(void **state)
{
    (void)state;
    imports(&import_csv, "service,units_consumed,price_per_unit\na,1,1\n\"b,1,1\nc,1,1\n",
            "2: service=a units=1 price=1 \n"
            "unreadable: line 3: a quote is opened in what begins here, never closed\n");
}

static void csv__kinds__mapped_and_checked(void **state)
{
    (void)state;
    imports(&import_csv,
            "kind,customer_id,request_id,service,units_consumed,price_per_unit,amount,reason,"
            "voided_request_id,occurred_at,bills_at,voided_at,labels\n"
            "usage,c,u,S,2,3,6,,,1970-01-01T00:00:01Z,never,never,\"{\"\"a\"\": \"\"1\"\", "
            "\"\"b\"\": \"\"\"\"}\"\n"
            "void,c,v,S,-2,3,-6,wrong,u,1970-01-01T00:00:01Z,,,\"{\"\"a\"\": \"\"1\"\"}\"\n"
            "adjustment,c,a,,,,-1.5,sorry,,,,,\n"
            ",c,u,S,2,3,,sorry,,,,,\n"
            "usage,c,u,S,2,3,,,x,,,,\n"
            "adjustment,c,a,,1,,1,sorry,,,,,\n"
            "adjustment,c,a,,,1,1,sorry,,,,,\n"
            "adjustment,c,a,,,,1,sorry,u,,,,\n"
            "adjustment,c,a,,,,1,sorry,,,,,\"{\"\"a\"\": \"\"1\"\"}\"\n"
            "void,c,v,,,,,wrong,,,,,\n"
            "Usage,c,u,S,2,3,,,,,,,\n",
            "2: customer=c service=S units=2 price=3 amount=6 time=1000000 id=u [a=1] [b=] \n"
            "3: void customer=c service=S units=-2 price=3 amount=-6 why=wrong voids=u "
            "time=1000000 id=v [a=1] \n"
            "4: adjustment customer=c amount=-1.5 why=sorry id=a \n"
            "5: !reason: usage has none\n"
            "6: !voided_request_id: usage has none\n"
            "7: !units_consumed: an adjustment has none\n"
            "8: !price_per_unit: an adjustment has none\n"
            "9: !voided_request_id: an adjustment has none\n"
            "10: !labels: an adjustment has none\n"
            "11: !voided_request_id: is missing\n"
            "12: !kind: 'Usage' is not usage, adjustment or void\n");
}

static void csv__bad_label_objects__rejected_alone(void **state)
{
    (void)state;
    imports(&import_csv,
            "service,units_consumed,price_per_unit,labels,label.x\n"
            "S,1,1,[],\n"
            "S,1,1,\"{\"\"a\"\": 1}\",\n"
            "S,1,1,\"{\"\"a\"\": \"\"1\"\", \"\"a\"\": \"\"2\"\"}\",\n"
            "S,1,1,\"{\",\n"
            "S,1,1,{},y\n",
            "2: !labels: not one JSON object\n"
            "3: !labels: must be a string\n"
            "4: !labels: a member is there twice\n"
            "5: !labels: not JSON: it ends too early\n"
            "6: service=S units=1 price=1 [x=y] \n");
    imports(&import_csv, "service,units_consumed,price_per_unit,labels,labels\n",
            "unreadable: the column 'labels' is there twice\n");
}

static void csv__seventeen_labels__rejected(void **state)
{
    (void)state;
    struct text file = {0};
    text_puts(&file, "service,units_consumed,price_per_unit");
    for (int i = 0; i < 17; i++) {
        text_printf(&file, ",label.l%d", i);
    }
    text_puts(&file, "\na,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1\n"
                     "a,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,\n");
    const char *rows = import(&import_csv, text_of(&file), file.length);
    assert_contains(rows, "2: !labels: more than 16\n3: service=a");
    assert_contains(rows, "[l15=1] \n");
    text_done(&file);
}

/* --- ndjson ----------------------------------------------------------------------------------- */

static void ndjson__items__mapped(void **state)
{
    (void)state;
    imports(&import_ndjson,
            "{\"customer_id\": \"c\", \"service\": \"S\", \"units_consumed\": 58, "
            "\"price_per_unit\": 0.050, \"occurred_at\": \"1970-01-01T00:00:01Z\", "
            "\"request_id\": \"r\", \"labels\": {\"region\": \"eu\", \"x\": \"\"}}\r\n"
            "\n"
            "  \t\n"
            "{\"units_consumed\": \"12.50\", \"price_per_unit\": 1e-7}",
            "1: customer=c service=S units=58 price=0.050 time=1000000 id=r [region=eu] [x=] \n"
            "4: units=12.50 price=1e-7 \n");
    imports(&import_ndjson, "", "");
}

static void ndjson__kinds__mapped(void **state)
{
    (void)state;
    imports(&import_ndjson,
            "{\"kind\": \"adjustment\", \"external_id\": \"e\", \"amount\": -0.10, \"reason\": "
            "\"sorry\", \"request_id\": \"a\", \"bills_at\": \"\"}\n"
            "{\"kind\": \"void\", \"customer_id\": \"c\", \"reason\": \"wrong\", "
            "\"voided_request_id\": \"u\", \"request_id\": \"v\"}\n"
            "{\"kind\": \"credit\"}\n"
            "{\"kind\": \"adjustment\", \"amount\": true}\n",
            "1: adjustment customer=external:e amount=-0.10 why=sorry id=a \n"
            "2: void customer=c why=wrong voids=u id=v \n"
            "3: !kind: 'credit' is not usage, adjustment or void\n"
            "4: !amount: must be a number\n");
}

static void ndjson__digits__kept(void **state)
{
    (void)state;
    imports(
        &import_ndjson,
        "{\"units_consumed\": 0.123456789012345678, \"price_per_unit\": 100.10}\n"
        "{\"units_consumed\": 999999999999999999, \"price_per_unit\": -0.5}\n"
        "{\"units_consumed\": 123456789012345678901234567890, \"price_per_unit\": 1E5}\n"
        "{\"price_per_unit\":10000000000000000000,\"units_consumed\":-9300000000000000000}\n"
        "{\"service\": \"\\\"12345678901234567890\", \"units_consumed\":"
        " 1000000000000000000000000000000000000000.0}\n",
        "1: units=0.123456789012345678 price=100.10 \n"
        "2: units=999999999999999999 price=-0.5 \n"
        "3: units=123456789012345678901234567890e0 price=1E5 \n"
        "4: units=-9300000000000000000e0 price=10000000000000000000e0 \n"
        "5: service=\"12345678901234567890 units=1000000000000000000000000000000000000000.0 \n");
}

static void ndjson__bad_lines__rejected_alone(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "{\"service\": \"a\"",
        "{\"service\": \"a\"} x",
        "{\"service\": \"a\"}{}",
        "{\"service\": \"a\"}12345678901234567890 and 16",
        "{\"units_consumed\": 12345678901234567890",
        "{\"units_consumed\": 1234567890123456789 12345678901234567890}",
        "[1]",
        "null",
        "{\"colour\": \"red\"}",
        "{\"service\": 5}",
        "{\"service\": null}",
        "{\"units_consumed\": true}",
        "{\"units_consumed\": [1]}",
        "{\"labels\": []}",
        "{\"labels\": {\"a\": 1}}",
        "{\"labels\": {\"a\": {\"b\": {}}}}",
        "{\"occurred_at\": \"soon\"}",
        "{\"service\": \"a\\u0000b\"}",
        "{\"ser\\u0000vice\": \"a\"}",
        "{\"service\": \"\xFF\"}",
        "nonsense",
        "{'service': \"a\"}",
        "{\"units_consumed\": 1, \"units_consumed\": 100}",
        "{\"labels\": {\"a\": \"1\", \"a\": \"2\"}}",
        "{\"labels\": {}, \"labels\": {\"a\": \"2\"}}",
        "{\"units_consumed\": 1,}",
        "{\"units_consumed\": 1} // one",
        "\"service\"",
    };
    struct text file = {0};
    size_t count = sizeof lines / sizeof lines[0];
    for (size_t i = 0; i < count; i++) {
        text_printf(&file, "%s\n", lines[i]);
    }
    /* A backslash, and no NUL; colons, quotes of either kind, and braces in a string. */
    text_puts(&file, "{\"service\": \"a\\\\u0000b\"}\n{\"service\": \"':\\\":{}\"}\n");
    const char *rows = import(&import_ndjson, text_of(&file), file.length);
    for (size_t i = 0; i < count; i++) {
        if (strstr(rows, testkit_format("%s%zu: !", i == 0 ? "" : "\n", i + 1)) == NULL) {
            testkit_fail("taken: %s\n%s", lines[i], rows);
        }
    }
    assert_contains(rows, "\n29: service=a\\u0000b \n30: service=':\":{} \n");
    text_done(&file);
}

static void ndjson__raw_nul__rejected(void **state)
{
    (void)state;
    static const char line[] = "{\"service\": \"a\0b\"}\n";
    assert_string_equal(import(&import_ndjson, line, sizeof line - 1),
                        "1: !malformed: a NUL byte\n");
}

/* --- focus ------------------------------------------------------------------------------------ */

#define FOCUS_HEADER                                                                               \
    "BillingPeriodStart,ChargeCategory,ChargePeriodStart,ConsumedQuantity,ListUnitPrice,"          \
    "ProviderName,RegionId,ResourceId,Id,ServiceName,SkuId,SubAccountId,SubAccountName,Tags\n"

static void focus__usage__mapped(void **state)
{
    (void)state;
    imports(&import_focus,
            FOCUS_HEADER "2024-09-01 00:00:00,Usage,2024-09-18 22:00:00,2.000000000000000,"
                         "0.0000004,AWS,us-west-2,arn:x,11472,SQS,G95,517,Atlas,{}\n"
                         "2024-09-01 00:00:00,Usage,2024-09-18 22:00:00,1,1,"
                         "AWS,NULL,,7,SQS,NULL,517,NULL,NULL\n",
            "2: customer=external:517 name=Atlas service=SQS units=2.000000000000000 "
            "price=0.0000004 time=1726696800000000 id=focus:2024-09-01:AWS:11472 "
            "[region=us-west-2] [resource=arn:x] [sku=G95] \n"
            "3: customer=external:517 name=517 service=SQS units=1 price=1 "
            "time=1726696800000000 id=focus:2024-09-01:AWS:7 \n");
}

static void focus__not_plain_usage__adjustment_of_the_billed_cost(void **state)
{
    (void)state;
    imports(
        &import_focus,
        "BilledCost,ChargeDescription," FOCUS_HEADER
        "-2.613700,for us,2024-09-01 00:00:00,Credit,1970-01-01 "
        "00:00:01,1,1,A,eu,r,1,S,sku,5,N,{}\n"
        "1,,2024-09-01 00:00:00,NULL,1970-01-01 00:00:01,1,1,A,,,2,S,,5,N,\n"
        "2,NULL,2024-09-01 00:00:00,Usage,1970-01-01 00:00:01,NULL,1,A,,,3,NULL,,5,N,\n"
        "3,d,2024-09-01 00:00:00,Usage,1970-01-01 00:00:01,1,,A,,,4,S,,5,N,\n"
        "-4,d,2024-09-01 00:00:00,Usage,1970-01-01 00:00:01,-0.5,1,A,,,5,S,,5,N,\n"
        "0,d,2024-09-01 00:00:00,Usage,1970-01-01 00:00:01,1,-1e-9,A,,,6,S,,5,N,\n"
        "NULL,d,2024-09-01 00:00:00,Tax,1970-01-01 00:00:01,1,1,A,,,7,S,,5,N,\n"
        "1,d,2024-09-01 00:00:00,Usage,1970-01-01 00:00:01,-0,1,A,,,8,S,,5,N,\n",
        "2: adjustment customer=external:5 name=N service=S amount=-2.613700 why=Credit: for us "
        "time=1000000 id=focus:2024-09-01:A:1 \n"
        "3: adjustment customer=external:5 name=N service=S amount=1 why=Charge "
        "time=1000000 id=focus:2024-09-01:A:2 \n"
        "4: adjustment customer=external:5 name=N amount=2 why=Usage time=1000000 "
        "id=focus:2024-09-01:A:3 \n"
        "5: adjustment customer=external:5 name=N service=S amount=3 why=Usage: d time=1000000 "
        "id=focus:2024-09-01:A:4 \n"
        "6: adjustment customer=external:5 name=N service=S amount=-4 why=Usage: d time=1000000 "
        "id=focus:2024-09-01:A:5 \n"
        "7: adjustment customer=external:5 name=N service=S amount=0 why=Usage: d time=1000000 "
        "id=focus:2024-09-01:A:6 \n"
        "8: !BilledCost: is missing\n"
        "9: customer=external:5 name=N service=S units=-0 price=1 time=1000000 "
        "id=focus:2024-09-01:A:8 \n");
    imports(&import_focus,
            FOCUS_HEADER "2024-09-01 00:00:00,Credit,2024-09-18 22:00:00,1,1,A,,,1,S,,5,N,\n",
            "2: !BilledCost: is missing\n");
}

static void focus_reason__long__cut_between_characters(void **state)
{
    (void)state;
    char description[2000];
    struct text reason = {0};
    /* "Credit: " and 1015 letters leave one byte for a character of two. */
    memset(description, 'x', 1015);
    memcpy(description + 1015, "\xC3\xA4\xC3\xA4", 5);
    import_focus_reason("Credit", description, &reason);
    assert_u64(reason.length, 1023);
    assert_int_equal(text_of(&reason)[1022], 'x');
    text_clear(&reason);
    memmove(description, description + 1, 1019); /* and now for both of its bytes */
    import_focus_reason("Credit", description, &reason);
    assert_u64(reason.length, 1024);
    assert_string_equal(text_of(&reason) + 1022, "\xC3\xA4");
    text_done(&reason);
}

/* A row of one of our exports is what it says, to the letter. */
static void focus__own_export__read_back(void **state)
{
    (void)state;
    imports(&import_focus,
            "BilledCost,ChargeDescription,x_RequestId,x_VoidedRequestId," FOCUS_HEADER
            "1,,r1,,2024-09-01 00:00:00,Usage,1970-01-01T00:00:01Z,1,1,A,NULL,,9,NULL,k,5,NULL,"
            "\"{\"\"a\"\": \"\"b\"\", \"\"resource\"\": \"\"\"\"}\"\n"
            "-1,wrong,r2,r1,2024-09-01 00:00:00,Usage,1970-01-01T00:00:01Z,-1,1,A,,,,S,,5,N,\n"
            "-1,sorry,r3,,2024-09-01 00:00:00,Credit,1970-01-01T00:00:01Z,,,A,,,,,,5,N,\n"
            "1,,,,2024-09-01 00:00:00,Usage,1970-01-01T00:00:01Z,1,1,A,NULL,,9,S,,5,N,{}\n"
            "1,,r4,,2024-09-01 00:00:00,Usage,1970-01-01T00:00:01Z,1,1,A,,,9,S,,5,N,[]\n",
            "2: customer=external:5 name=NULL service=NULL units=1 price=1 time=1000000 id=r1 "
            "[region=NULL] [sku=k] [a=b] [resource=] \n"
            "3: void customer=external:5 name=N service=S why=wrong voids=r1 time=1000000 id=r2 \n"
            "4: adjustment customer=external:5 name=N amount=-1 why=sorry time=1000000 id=r3 \n"
            "5: customer=external:5 name=N service=S units=1 price=1 time=1000000 "
            "id=focus:2024-09-01:A:9 \n"
            "6: !Tags: not one JSON object\n");
}

static void focus__bad_times__rejected(void **state)
{
    (void)state;
    static const char file[] = FOCUS_HEADER "2024-09-01 00:00:00,Usage,NULL,1,1,A,,,1,S,,5,N,\n"
                                            "2024-09-01 00:00:00,Usage,soon,1,1,A,,,1,S,,5,N,\n"
                                            "NULL,Usage,2024-09-18 22:00:00,1,1,A,,,1,S,,5,N,\n";
    const char *rows = import(&import_focus, file, strlen(file));
    assert_contains(rows, "2: !ChargePeriodStart: is missing\n3: !ChargePeriodStart: 'soon'");
    assert_contains(rows, "4: !BillingPeriodStart: '' is not a time");
}

static void focus__currency__kept_where_it_is_there(void **state)
{
    (void)state;
    static const char file[] = "BillingCurrency," FOCUS_HEADER
                               "EUR,2024-09-01 00:00:00,Usage,2024-09-18,1,1,A,,,1,S,,5,N,\n"
                               ",2024-09-01 00:00:00,Usage,2024-09-18,1,1,A,,,1,S,,5,N,\n"
                               "NULL,2024-09-01 00:00:00,Usage,2024-09-18,1,1,A,,,1,S,,5,N,\n";
    const char *rows = import(&import_focus, file, strlen(file));
    assert_contains(rows, "2: customer=external:5 name=N currency=EUR service=S");
    assert_contains(rows, "3: customer=external:5 name=N service=S");
    assert_contains(rows, "4: customer=external:5 name=N service=S");
}

static void focus__header__needs_its_columns(void **state)
{
    (void)state;
    imports(&import_focus, "service,units_consumed,price_per_unit\n",
            "unreadable: no FOCUS file: the column 'ChargeCategory' is missing\n");
    imports(&import_focus, "Id,Id\n",
            "unreadable: no FOCUS file: the column 'ChargeCategory' is missing\n");
}

static void focus_request_id__awkward_parts__hashed_apart(void **state)
{
    (void)state;
    static const struct {
        const char *period;
        const char *provider;
        const char *id;
        const char *expected; /* how it begins */
    } cases[] = {
        {"2024-09-01 00:00:00", "AWS", "1", "focus:2024-09-01:AWS:1"},
        {"2024-09-01T00:00:00Z", "Oracle Cloud", "a/b", "focus:2024-09-01:Oracle Cloud:a/b"},
        {"2024-09-01T02:00:00Z", "AWS", "1", "focus:2024-09-01T02:00:00.000000Z:AWS:1"},
        {"2024-09-01", "A:W", "S", ""}, /* no time */
        {"2024-09-01 00:00:00", "A:W", "S", "focus:sha256:"},
        {"2024-09-01 00:00:00", "A", "W:S", "focus:sha256:"},
        {"2024-09-01 00:00:00", "\xC3\x84", "1", "focus:sha256:"},
        {"2024-09-01 00:00:00", "A",
         "123456789012345678901234567890123456789012345678901234567890"
         "123456789012345678901234567890123456789012345678901234567890",
         "focus:sha256:"},
    };
    const char *before = "";
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text id = {0};
        struct reason reason;
        bool made =
            import_focus_request_id(cases[i].period, cases[i].provider, cases[i].id, &id, &reason);
        assert_int_equal(made, *cases[i].expected != '\0');
        assert_true(strncmp(text_of(&id), cases[i].expected, strlen(cases[i].expected)) == 0);
        assert_true(id.length <= BILLING_REQUEST_ID_BYTES_MAX);
        assert_string_not_equal(text_of(&id), before);
        before = testkit_format("%s", text_of(&id));
        text_done(&id);
    }
}

static void focus__real_sample__one_row_is_no_usage(void **state)
{
    (void)state;
    const char *path = testkit_shared_data("focus_sample_600.csv");
    if (path == NULL) {
        skip();
    }
    size_t length;
    char *data = testkit_read_file(path, &length);
    const char *rows = import(&import_focus, data, length);
    size_t count = 0;
    size_t adjustments = 0;
    for (const char *row = rows; *row != '\0'; row = strchr(row, '\n') + 1) {
        assert_true(strncmp(strchr(row, ' '), " !", 2) != 0);
        adjustments += strncmp(strchr(row, ' '), " adjustment ", 12) == 0;
        count++;
    }
    assert_u64(count, 600);
    assert_u64(adjustments, 1);
    assert_contains(rows, "\n458: adjustment customer=external:11353890204 name=Atlas Orion "
                          "currency=USD service=Amazon Elastic Compute Cloud "
                          "amount=-2.61370000000 why=Credit: AWS Open Source Promotional Credits");
    free(data);
}

/* --- counts ----------------------------------------------------------------------------------- */

static void counts__kinds__told_where_there_are_others_than_usage(void **state)
{
    (void)state;
    struct import_counts counts = {
        .rows = 12, .recorded = {3, 1, 2}, .replayed = {5, 0, 0}, .rejected = 1};
    struct text text = {0};
    import_counts_put_line(&counts, &text);
    assert_string_equal(text_of(&text), "12 rows: 6 recorded (3 usage, 1 adjustment, 2 voids), "
                                        "5 replayed, 1 rejected");
    text_clear(&text);
    import_counts_put_json(&counts, &text);
    assert_string_equal(text_of(&text),
                        "{\"import\": {\"rows\": 12, \"recorded\": 6, \"replayed\": 5, "
                        "\"rejected\": 1, \"usage_recorded\": 3, \"usage_replayed\": 5, "
                        "\"adjustments_recorded\": 1, \"adjustments_replayed\": 0, "
                        "\"voids_recorded\": 2, \"voids_replayed\": 0}}\n");
    text_clear(&text);
    import_counts_put_csv(&counts, &text);
    assert_string_equal(text_of(&text),
                        "rows,recorded,replayed,rejected,usage_recorded,usage_replayed,"
                        "adjustments_recorded,adjustments_replayed,voids_recorded,voids_replayed\n"
                        "12,6,5,1,3,5,1,0,2,0\n");
    text_done(&text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(format_of__name__tells),
    cmocka_unit_test(csv__all_columns__mapped),
    cmocka_unit_test(csv__external_id__prefixed),
    cmocka_unit_test(csv__bad_header__nothing_is_read),
    cmocka_unit_test(csv__bad_rows__rejected_alone),
    cmocka_unit_test(csv__quote_never_closed__rows_before_stand),
    cmocka_unit_test(csv__kinds__mapped_and_checked),
    cmocka_unit_test(csv__bad_label_objects__rejected_alone),
    cmocka_unit_test(csv__seventeen_labels__rejected),
    cmocka_unit_test(ndjson__items__mapped),
    cmocka_unit_test(ndjson__kinds__mapped),
    cmocka_unit_test(ndjson__digits__kept),
    cmocka_unit_test(ndjson__bad_lines__rejected_alone),
    cmocka_unit_test(ndjson__raw_nul__rejected),
    cmocka_unit_test(focus__usage__mapped),
    cmocka_unit_test(focus__not_plain_usage__adjustment_of_the_billed_cost),
    cmocka_unit_test(focus_reason__long__cut_between_characters),
    cmocka_unit_test(focus__own_export__read_back),
    cmocka_unit_test(focus__bad_times__rejected),
    cmocka_unit_test(focus__currency__kept_where_it_is_there),
    cmocka_unit_test(focus__header__needs_its_columns),
    cmocka_unit_test(focus_request_id__awkward_parts__hashed_apart),
    cmocka_unit_test(focus__real_sample__one_row_is_no_usage),
    cmocka_unit_test(counts__kinds__told_where_there_are_others_than_usage),
};

TESTKIT_MAIN(tests)
