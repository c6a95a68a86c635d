/* `usage import` against a real daemon: everything recorded once, what cannot be is told, and an
 * import that stops can be run again. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/ctl_run.h"
#include "tests/lib/daemon.h"
#include "tests/lib/testkit.h"

static struct daemon_process *billingd;
static struct ctl_setup setup;

/* --- helpers ---------------------------------------------------------------------------------- */

static const char *new_customer(void)
{
    return ctl_line(CTL_ENDS(&setup, 0, "customer", "create", "C", "--output", "id").out);
}

static const char *file_of(const char *name, const char *text)
{
    const char *path = testkit_format("%s/%s", testkit_tmpdir(), name);
    testkit_write_file(path, text, strlen(text));
    return path;
}

/* The result of an import of usage alone as `--output json` prints it. */
static const char *counts(unsigned rows, unsigned recorded, unsigned replayed, unsigned rejected)
{
    return testkit_format("{\"import\": {\"rows\": %u, \"recorded\": %u, \"replayed\": %u, "
                          "\"rejected\": %u, \"usage_recorded\": %u, \"usage_replayed\": %u, "
                          "\"adjustments_recorded\": 0, \"adjustments_replayed\": 0, "
                          "\"voids_recorded\": 0, \"voids_replayed\": 0}}\n",
                          rows, recorded, replayed, rejected, recorded, replayed);
}

static size_t records_of(const char *customer)
{
    struct ctl_result list =
        CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--output", "id");
    return ctl_count(list.out, "\n");
}

/* Import PATH for CUSTOMER with derived ids and compare the counts. */
static void derives(const char *customer, const char *path, int status, const char *expected)
{
    struct ctl_result result = CTL_ENDS(&setup, status, "usage", "import", path, "--customer",
                                        customer, "--derive-ids", "--output", "json");
    assert_string_equal(result.out, expected);
}

/* --- csv and ndjson --------------------------------------------------------------------------- */

static void csv__with_request_ids__recorded_once(void **state)
{
    (void)state;
    const char *customer = new_customer();
    const char *path = file_of("a.csv", "request_id,service,units_consumed,price_per_unit,"
                                        "occurred_at,label.region\r\n"
                                        "r1,\"A, B\",58,0.05,2026-10-01,eu\r\n"
                                        "r2,C,1,1,,\r\n");
    struct ctl_result first =
        CTL_ENDS(&setup, 0, "usage", "import", path, "--customer", customer, "--output", "json");
    assert_string_equal(first.out, counts(2, 2, 0, 0));
    assert_string_equal(first.err, "billingctl: 2 rows: 2 recorded, 0 replayed, 0 rejected\n");
    struct ctl_result again = CTL_ENDS(&setup, 0, "usage", "import", path, "--customer", customer,
                                       "--output", "csv", "--quiet");
    assert_string_equal(again.out, "rows,recorded,replayed,rejected,usage_recorded,usage_replayed,"
                                   "adjustments_recorded,adjustments_replayed,voids_recorded,"
                                   "voids_replayed\n2,0,2,0,0,2,0,0,0,0\n");
    assert_string_equal(again.err, "");
    struct ctl_result list =
        CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--output", "csv");
    assert_contains(list.out, ",\"A, B\",58,0.05,2.9,2026-10-01T00:00:00.000000Z,");
    assert_contains(list.out, ",r1,");
    assert_contains(list.out, "\"{\"\"region\"\": \"\"eu\"\"}\"");
    assert_u64(ctl_count(list.out, "\n"), 3);
}

static void ndjson__from_stdin__recorded(void **state)
{
    (void)state;
    const char *customer = new_customer();
    const char *path =
        file_of("a.ndjson",
                testkit_format("{\"customer_id\": \"%s\", \"service\": \"S\", \"units_consumed\": "
                               "0.5, \"price_per_unit\": \"0.05\", \"request_id\": \"n1\"}\n"
                               "{\"service\": \"S\", \"units_consumed\": 1, \"price_per_unit\": 1, "
                               "\"request_id\": \"n2\", \"labels\": {\"a\": \"b\"}}\n",
                               customer));
    struct ctl_setup piped = setup;
    piped.stdin_path = path;
    struct ctl_result result = CTL_ENDS(&piped, 0, "usage", "import", "-", "--format", "ndjson",
                                        "--customer", customer, "--output", "json");
    assert_string_equal(result.out, counts(2, 2, 0, 0));
    /* By its name the same file is ndjson too. */
    result =
        CTL_ENDS(&setup, 0, "usage", "import", path, "--customer", customer, "--output", "json");
    assert_string_equal(result.out, counts(2, 0, 2, 0));
    assert_u64(records_of(customer), 2);
}

static void rows_without_ids__whole_import__refused(void **state)
{
    (void)state;
    const char *customer = new_customer();
    const char *csv = file_of("a.csv", "service,units_consumed,price_per_unit\nA,1,1\nB,1,1\n");
    const char *ndjson =
        file_of("a.ndjson", "{\"service\": \"A\", \"units_consumed\": 1, \"price_per_unit\": 1}\n");
    const char *const paths[] = {csv, ndjson};
    for (size_t i = 0; i < 2; i++) {
        struct ctl_result result =
            CTL_ENDS(&setup, 2, "usage", "import", paths[i], "--customer", customer);
        assert_string_equal(result.out, "");
        assert_contains(result.err, "--derive-ids");
    }
    assert_u64(records_of(customer), 0);
    /* Where some have ids, those that have none are rejected alone. */
    const char *some = file_of("b.csv", "request_id,service,units_consumed,price_per_unit\n"
                                        "r,A,1,1\n,B,1,1\n");
    struct ctl_result result = CTL_ENDS(&setup, 1, "usage", "import", some, "--customer", customer);
    assert_contains(result.err, "line 3: request_id: is missing\n");
    assert_u64(records_of(customer), 1);
}

static void derived_ids__rows_moved_about__recorded_once(void **state)
{
    (void)state;
    const char *customer = new_customer();
    derives(customer,
            file_of("a.csv", "service,units_consumed,price_per_unit,occurred_at\n"
                             "A,1,0.05,2026-10-01\nB,2,1,2026-10-02\nA,1,0.05,2026-10-01\n"),
            0, counts(3, 3, 0, 0));
    /* Another name, other columns, another order, numbers and times written otherwise. */
    derives(customer,
            file_of("b.csv", "occurred_at,price_per_unit,label.x,units_consumed,service\n"
                             "2026-10-01T02:00:00+02:00,0.050,,1.0,A\n"
                             "2026-10-01,5e-2,,01,A\n2026-10-02,1,,2,B\n"),
            0, counts(3, 0, 3, 0));
    /* A part of it. */
    derives(customer,
            file_of("c.csv", "service,units_consumed,price_per_unit,occurred_at\n"
                             "A,1,0.05,2026-10-01\n"),
            0, counts(1, 0, 1, 0));
    /* In ndjson. */
    derives(customer,
            file_of("d.ndjson", "{\"service\": \"B\", \"units_consumed\": 2, \"price_per_unit\": 1,"
                                " \"occurred_at\": \"2026-10-02T00:00:00Z\"}\n"),
            0, counts(1, 0, 1, 0));
    /* A third row like two others is one more; so is one that differs in a label. */
    derives(customer,
            file_of("e.csv", "service,units_consumed,price_per_unit,occurred_at,label.x\n"
                             "A,1,0.05,2026-10-01,\nA,1,0.05,2026-10-01,\nA,1,0.05,2026-10-01,\n"
                             "A,1,0.05,2026-10-01,y\n"),
            0, counts(4, 2, 2, 0));
    assert_u64(records_of(customer), 5);
}

/* One customer, however it is named, is one: in the file and on the command line. */
static void derived_ids__customer_named_otherwise__recorded_once(void **state)
{
    (void)state;
    const char *id = ctl_line(
        CTL_ENDS(&setup, 0, "customer", "create", "D", "--external-id", "d-1", "--output", "id")
            .out);
    static const char rows[] = "service,units_consumed,price_per_unit,occurred_at\n"
                               "A,1,0.05,2026-10-01\nA,1,0.05,2026-10-01\n";
    const char *plain = file_of("a.csv", rows);
    derives(id, plain, 0, counts(2, 2, 0, 0));
    derives("external:d-1", plain, 0, counts(2, 0, 2, 0));
    const char *mixed = file_of(
        "b.csv", testkit_format("customer_id,external_id,service,units_consumed,price_per_unit,"
                                "occurred_at\n"
                                "%s,,A,1,0.05,2026-10-01\n,d-1,A,1,0.05,2026-10-01\n"
                                "external:d-1,,A,1,0.05,2026-10-01\n",
                                id));
    derives("nobody", mixed, 0, counts(3, 1, 2, 0));
    derives(
        "nobody",
        file_of("c.ndjson",
                "{\"customer_id\": \"external:d-1\", \"service\": \"A\", \"units_consumed\": 1, "
                "\"price_per_unit\": 0.05, \"occurred_at\": \"2026-10-01T00:00:00Z\"}\n"),
        0, counts(1, 0, 1, 0));
    assert_u64(records_of(id), 3);
}

static void derived_ids__no_such_customer__rejected_alone(void **state)
{
    (void)state;
    const char *customer = new_customer();
    const char *path =
        file_of("a.ndjson", "{\"customer_id\": \"external:nobody\", \"service\": \"A\", "
                            "\"units_consumed\": 1, \"price_per_unit\": 1}\n"
                            "{\"customer_id\": \"\", \"service\": \"A\", "
                            "\"units_consumed\": 1, \"price_per_unit\": 1}\n"
                            "{\"customer_id\": \"external:nobody\", \"service\": \"B\", "
                            "\"units_consumed\": 1, \"price_per_unit\": 1}\n"
                            "{\"service\": \"A\", "
                            "\"units_consumed\": 1, \"price_per_unit\": 1}\n");
    struct ctl_result result = CTL_ENDS(&setup, 1, "usage", "import", path, "--customer", customer,
                                        "--derive-ids", "--output", "json");
    assert_string_equal(result.out, counts(4, 1, 0, 3));
    assert_contains(result.err, "line 1: ");
    assert_contains(result.err, "line 2: ");
    assert_contains(result.err, "line 3: ");
    assert_contains(result.err, "(customer_not_found)");
    /* Where nothing at all says whose it is. */
    result = CTL_ENDS(&setup, 1, "usage", "import", path, "--derive-ids", "--output", "json");
    assert_string_equal(result.out, counts(4, 0, 0, 4));
}

static void same_id_in_one_batch__second_is_replayed(void **state)
{
    (void)state;
    const char *customer = new_customer();
    const char *path = file_of("a.csv", "request_id,service,units_consumed,price_per_unit\n"
                                        "r,A,1,1\nr,A,1,1\nr,A,2,1\n");
    struct ctl_result result =
        CTL_ENDS(&setup, 1, "usage", "import", path, "--customer", customer, "--output", "json");
    assert_string_equal(result.out, counts(3, 1, 1, 1));
    assert_contains(result.err, "line 4: ");
    assert_contains(result.err, "(request_id_reused)");
    assert_u64(records_of(customer), 1);
}

/* A batch of such rows would not fit into one frame: they go in several. */
static void large_rows__more_than_a_frame_of_them__all_recorded(void **state)
{
    (void)state;
    enum {
        ROWS = 1100,
        LABEL_BYTES = 1000,
    };
    const char *path = testkit_format("%s/large.csv", testkit_tmpdir());
    const char *customer = new_customer();
    char value[LABEL_BYTES + 1];
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    memset(value, 'v', LABEL_BYTES);
    value[LABEL_BYTES] = '\0';
    assert_true(fputs("service,units_consumed,price_per_unit", file) >= 0);
    for (int label = 0; label < 16; label++) {
        assert_true(fprintf(file, ",label.l%d", label) > 0);
    }
    for (int row = 0; row < ROWS; row++) {
        assert_true(fprintf(file, "\nS,%d,1", row) > 0);
        for (int label = 0; label < 16; label++) {
            assert_true(fprintf(file, ",%s", value) > 0);
        }
    }
    assert_int_equal(fclose(file), 0);
    derives(customer, path, 0, counts(ROWS, ROWS, 0, 0));
}

/* --- rejected rows ---------------------------------------------------------------------------- */

static const char mixed_csv[] = "request_id,service,units_consumed,price_per_unit,occurred_at\n"
                                "m1,A,1,1,\n"
                                "m2,A,-1,1,\n"
                                "m3,A,1\n"
                                "m4,\"two\nlines\",1,1,\n"
                                "m5,A,1,1,never\n"
                                "m6,a\"b,1,1,\n"
                                "m7,A,NaN,x,\n"
                                "m8,A,1,1,2026-10-01";

static void rejected_rows__others_recorded__told_with_their_lines(void **state)
{
    (void)state;
    static const char *const batches[] = {"1", "3", "1000"};
    for (size_t i = 0; i < 3; i++) {
        const char *customer = new_customer();
        const char *rejects = testkit_format("%s/rejects.csv", testkit_tmpdir());
        struct ctl_result result =
            CTL_ENDS(&setup, 1, "usage", "import", file_of("mixed.csv", mixed_csv), "--customer",
                     customer, "--batch", batches[i], "--rejects", rejects, "--output", "json");
        assert_string_equal(result.out, counts(8, 2, 0, 6));
        const char *const lines[] = {"line 3: ",
                                     "line 4: malformed: 3 columns",
                                     "line 5: ",
                                     "line 7: occurred_at: 'never'",
                                     "line 8: malformed: a quote",
                                     "line 9: "};
        const char *at = result.err;
        for (size_t j = 0; j < sizeof lines / sizeof lines[0]; j++) {
            at = strstr(at, lines[j]); /* in the order of the file */
            if (at == NULL) {
                testkit_fail("no '%s' in its place in:\n%s", lines[j], result.err);
            }
        }
        assert_contains(at, "units_consumed: 'NaN'");
        assert_contains(at, "price_per_unit: 'x'");
        char *rejected = testkit_read_file(rejects, NULL);
        assert_string_equal(rejected,
                            "request_id,service,units_consumed,price_per_unit,occurred_at\n"
                            "m2,A,-1,1,\nm3,A,1\nm4,\"two\nlines\",1,1,\nm5,A,1,1,never\n"
                            "m6,a\"b,1,1,\nm7,A,NaN,x,\n");
        free(rejected);
        assert_u64(records_of(customer), 2);
    }
}

static void rejects__the_file_itself__refused(void **state)
{
    (void)state;
    const char *path = file_of("a.csv", mixed_csv);
    CTL_ENDS(&setup, 2, "usage", "import", path, "--rejects", path);
    char *data = testkit_read_file(path, NULL);
    assert_string_equal(data, mixed_csv);
    free(data);
    CTL_ENDS(&setup, 1, "usage", "import", path, "--rejects", "/nowhere/at/all");
    CTL_ENDS(&setup, 1, "usage", "import", path, "--customer", new_customer(), "--rejects",
             "/dev/full");
}

/* Rows around one that is longer than a row can be. */
static const char *file_with_long_row(const char *name, const char *before, const char *open,
                                      const char *close, const char *behind)
{
    enum {
        LONG_BYTES = 3 * 1024 * 1024,
    };
    const char *path = testkit_format("%s/%s", testkit_tmpdir(), name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(before, file) >= 0 && fputs(open, file) >= 0);
    for (int i = 0; i < LONG_BYTES; i++) {
        assert_int_equal(fputc(i % 100 == 99 ? ',' : 'x', file), i % 100 == 99 ? ',' : 'x');
    }
    assert_true(fputs(close, file) >= 0 && fputs(behind, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void long_row__in_the_middle__rejected_alone(void **state)
{
    (void)state;
    const char *csv = file_with_long_row("long.csv",
                                         "request_id,service,units_consumed,price_per_unit\n"
                                         "r1,A,1,1\n",
                                         "r2,\"two\nlines", "\",1,1\n", "r3,A,1,1\nr4,A,1\n");
    const char *ndjson = file_with_long_row("long.ndjson",
                                            "{\"service\": \"A\", \"units_consumed\": 1, "
                                            "\"price_per_unit\": 1, \"request_id\": \"r1\"}\n",
                                            "{\"service\": \"", "\"}\n",
                                            "{\"service\": \"A\", \"units_consumed\": 1, "
                                            "\"price_per_unit\": 1, \"request_id\": \"r3\"}\n"
                                            "no row\n");
    const struct {
        const char *path;
        const char *last;     /* what is said of the row at the end */
        const char *rejected; /* what --rejects has: the long row is not kept */
    } cases[] = {
        {csv, "line 6: malformed: 3 columns",
         "request_id,service,units_consumed,price_per_unit\n"
         "r4,A,1\n"},
        {ndjson, "line 4: malformed: not JSON", "no row\n"},
    };
    const char *rejects = testkit_format("%s/rejects", testkit_tmpdir());
    for (size_t i = 0; i < 2; i++) {
        const char *customer = new_customer();
        struct ctl_result result =
            CTL_ENDS(&setup, 1, "usage", "import", cases[i].path, "--customer", customer,
                     "--rejects", rejects, "--output", "json");
        assert_string_equal(result.out, counts(4, 2, 0, 2));
        assert_contains(result.err,
                        testkit_format("line %d: malformed: longer than 1 MiB\n", i == 0 ? 3 : 2));
        assert_contains(result.err, cases[i].last);
        char *rejected = testkit_read_file(rejects, NULL);
        assert_string_equal(rejected, cases[i].rejected);
        free(rejected);
        assert_u64(records_of(customer), 2);
    }
}

static void unreadable__file_or_rest__ends_with_1(void **state)
{
    (void)state;
    const char *customer = new_customer();
    CTL_ENDS(&setup, 1, "usage", "import", "/nowhere/at/all.csv");
    CTL_ENDS(&setup, 1, "usage", "import", testkit_tmpdir());
    CTL_ENDS(&setup, 1, "usage", "import", "/dev/null");
    CTL_ENDS(&setup, 0, "usage", "import", "/dev/null", "--format", "ndjson");
    struct ctl_result header =
        CTL_ENDS(&setup, 1, "usage", "import",
                 file_of("h.csv", "request_id,service,units_consumed,price_per_unit,color\n"
                                  "r,A,1,1,red\n"),
                 "--customer", customer);
    assert_contains(header.err, "there is no column 'color'");
    assert_u64(records_of(customer), 0);
    struct ctl_result rest =
        CTL_ENDS(&setup, 1, "usage", "import",
                 file_of("q.csv", "request_id,service,units_consumed,price_per_unit\n"
                                  "r1,A,1,1\nr2,\"A,1,1\nr3,A,1,1\n"),
                 "--customer", customer, "--output", "json");
    assert_string_equal(rest.out, counts(1, 1, 0, 0));
    assert_contains(rest.err, "line 3: a quote is opened");
    assert_contains(rest.err, "all rows up to line 2 are settled; mend the file and import it "
                              "again: nothing is charged twice\n");
    struct ctl_result focus = CTL_ENDS(&setup, 1, "usage", "import",
                                       file_of("f.csv", "BilledCost,ChargeCategory\n1,Usage\n"));
    assert_contains(focus.err,
                    "there is no column 'BilledCost'; a FOCUS file needs --format focus");
    assert_u64(records_of(customer), 1);
}

/* --- focus ------------------------------------------------------------------------------------ */

static const char focus_csv[] =
    "BilledCost,BillingPeriodStart,ChargeCategory,ChargeDescription,ChargePeriodStart,"
    "ConsumedQuantity,ListUnitPrice,ProviderName,ServiceName,SubAccountId,SubAccountName\n"
    "1,2024-09-01 00:00:00,Usage,,2024-09-18 22:00:00,2.000000000000000,0.00000040000,AWS,SQS,f1,"
    "One\n"
    "1,2024-09-01 00:00:00,Usage,,2024-09-18 22:00:00,2.000000000000000,0.00000040000,AWS,SQS,f1,"
    "One\n"
    "1,2024-09-01 00:00:00,Usage,,2024-09-18 22:00:00,1,1,AWS,SQS,f2,NULL\n"
    "-2.50,2024-09-01 00:00:00,Credit,for us,2024-09-18 22:00:00,NULL,NULL,AWS,SQS,f3,Three\n"
    "-2.50,2024-09-01 00:00:00,Credit,for us,2024-09-18 22:00:00,NULL,NULL,AWS,SQS,f3,Three\n"
    "1234567890.1234567890,2024-09-01 00:00:00,Tax,,2024-09-18 22:00:00,1,1,AWS,SQS,f3,Three\n"
    "NULL,2024-09-01 00:00:00,Tax,,2024-09-18 22:00:00,1,1,AWS,SQS,f3,Three\n"
    "1000000000000000,2024-09-01 00:00:00,Tax,,2024-09-18 22:00:00,1,1,AWS,SQS,f3,Three\n"
    "1,2024-09-01 00:00:00,Usage,,2024-09-18 22:00:00,1,1,AWS,SQS,f4,Another name\n";

static void focus__without_ids__derived_and_customers_created(void **state)
{
    (void)state;
    CTL_ENDS(&setup, 0, "customer", "create", "Was here before", "--external-id", "f4");
    const char *path = file_of("focus.csv", focus_csv);
    const char *rejects = testkit_format("%s/focus_rejects", testkit_tmpdir());
    for (unsigned run = 0; run < 2; run++) {
        struct ctl_result result = CTL_ENDS(&setup, 1, "usage", "import", path, "--format", "focus",
                                            "--output", "csv", "--rejects", rejects);
        assert_contains(result.out,
                        run == 0 ? "\n9,6,0,3,4,0,2,0,0,0\n" : "\n9,0,6,3,0,4,0,2,0,0\n");
        assert_contains(result.err, "line 7: amount: '1234567890.1234567890': more than 18");
        assert_contains(result.err, "line 8: BilledCost: is missing\n");
        assert_contains(result.err, "line 9: ");
        assert_contains(result.err, "(amount_too_large)");
        char *rejected = testkit_read_file(rejects, NULL);
        assert_u64(ctl_count(rejected, ",Tax,"), 3);
        assert_u64(ctl_count(rejected, "\n"), 4);
        free(rejected);
    }
    assert_u64(records_of("external:f1"), 2);
    assert_contains(CTL_ENDS(&setup, 0, "customer", "get", "external:f1").out, "  One\n");
    assert_contains(CTL_ENDS(&setup, 0, "customer", "get", "external:f2").out, "  f2\n");
    assert_contains(CTL_ENDS(&setup, 0, "customer", "get", "external:f4").out, "Was here before");
    struct ctl_result list =
        CTL_ENDS(&setup, 0, "adjustment", "list", "--customer", "external:f3", "--output", "csv");
    assert_u64(ctl_count(list.out, ",-2.5,Credit: for us,SQS,2024-09-18T22:00:00.000000Z,"), 2);
}

/* Adjustments and voids between usage: all settled in the order of the file, each once. */
static void kinds__in_one_file__recorded_in_order(void **state)
{
    (void)state;
    const char *customer = new_customer();
    const char *path =
        file_of("kinds.csv", "kind,request_id,service,units_consumed,price_per_unit,amount,reason,"
                             "voided_request_id,occurred_at\n"
                             "usage,k1,A,2,3,,,,2026-10-01\n"
                             "void,k2,,,,,wrong,k1,\n"
                             "usage,k3,A,5,1,,,,2026-10-02\n"
                             "adjustment,k4,,,,-0.5,sorry,,2026-10-03\n"
                             "void,k5,,,,,again,k1,\n"
                             "void,k6,,,,,what,nothing,\n"
                             "void,k7,,,,,what,k2,\n"
                             "adjustment,k1,,,,-0.5,taken,,2026-10-03\n"
                             "adjustment,k4,,,,-0.7,other,,2026-10-03\n"
                             "adjustment,k8,,,,,no amount,,2026-10-03\n");
    struct ctl_result first =
        CTL_ENDS(&setup, 1, "usage", "import", path, "--customer", customer, "--output", "csv");
    assert_contains(first.out, "\n10,4,0,6,2,0,1,0,1,0\n");
    const char *const lines[] = {
        "line 6: ",
        "(already_voided)",
        ("line 7: voided_request_id: 'nothing' has recorded no usage of this customer "
         "(request_not_found)\n"),
        ("line 8: voided_request_id: 'k2' has recorded no usage of this customer "
         "(usage_not_found)\n"),
        "line 9: ",
        "(request_id_reused)",
        "line 10: ",
        "(request_id_reused)",
        "line 11: ",
        "(missing_field)",
    };
    const char *at = first.err;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        at = strstr(at, lines[i]);
        if (at == NULL) {
            testkit_fail("no '%s' in its place in:\n%s", lines[i], first.err);
        }
    }
    assert_contains(first.err, "10 rows: 4 recorded (2 usage, 1 adjustment, 1 void), 0 replayed, "
                               "6 rejected\n");
    struct ctl_result again =
        CTL_ENDS(&setup, 1, "usage", "import", path, "--customer", customer, "--output", "csv");
    assert_contains(again.out, "\n10,0,4,6,0,2,0,1,0,1\n");
    struct ctl_result bill = CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month",
                                      "2026-10", "--output", "json");
    assert_contains(bill.out, "\"exact_total\": 4.5,");
}

/* What came without a time has the daemon's: a row with that is the same, with another it is
 * not. */
static void time__that_the_daemon_gave__replayed(void **state)
{
    (void)state;
    const char *customer = new_customer();
    const char *without = file_of("without.csv", "kind,request_id,service,units_consumed,"
                                                 "price_per_unit,amount,reason\n"
                                                 "usage,t1,A,2,3,,\nadjustment,t2,,,,1,sorry\n");
    CTL_ENDS(&setup, 0, "usage", "import", without, "--customer", customer);
    const char *exported = file_of(
        "with.csv", CTL_ENDS(&setup, 0, "usage", "export", "--customer", customer, "--quiet").out);
    struct ctl_result again = CTL_ENDS(&setup, 0, "usage", "import", exported, "--output", "csv");
    assert_contains(again.out, "\n2,0,2,0,0,1,0,1,0,0\n");
    const char *other = file_of("other.csv", "kind,request_id,service,units_consumed,"
                                             "price_per_unit,amount,reason,occurred_at\n"
                                             "usage,t1,A,2,3,,,2026-10-01\n"
                                             "adjustment,t2,,,,1,sorry,2026-10-01\n");
    struct ctl_result refused =
        CTL_ENDS(&setup, 1, "usage", "import", other, "--customer", customer);
    assert_u64(ctl_count(refused.err, "(request_id_reused)"), 2);
}

/* Bills have one currency: an amount in another is none. */
static void focus__other_currency__rejected(void **state)
{
    (void)state;
    const char *path = file_of(
        "currency.csv",
        "BillingCurrency,BillingPeriodStart,ChargeCategory,ChargePeriodStart,ConsumedQuantity,"
        "ListUnitPrice,ProviderName,ServiceName,SubAccountId\n"
        "USD,2024-09-01,Usage,2024-09-18,1,1,AWS,S,currency-1\n"
        "EUR,2024-09-01,Usage,2024-09-18,2,1,AWS,S,currency-2\n"
        ",2024-09-01,Usage,2024-09-18,3,1,AWS,S,currency-1\n"
        "NULL,2024-09-01,Usage,2024-09-18,4,1,AWS,S,currency-1\n");
    struct ctl_result result =
        CTL_ENDS(&setup, 1, "usage", "import", path, "--format", "focus", "--output", "json");
    assert_string_equal(result.out, counts(4, 3, 0, 1));
    assert_contains(result.err, "line 3: BillingCurrency is EUR, but bills here are in USD\n");
    assert_u64(records_of("external:currency-1"), 3);
    CTL_ENDS(&setup, 1, "customer", "get", "external:currency-2");
}

/* --- what stops an import --------------------------------------------------------------------- */

static const char *many_rows(unsigned count)
{
    const char *path = testkit_format("%s/many.csv", testkit_tmpdir());
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs("service,units_consumed,price_per_unit,occurred_at\n", file) >= 0);
    for (unsigned i = 0; i < count; i++) {
        assert_true(fprintf(file, "S,%u,0.01,2026-10-01\n", i) > 0);
    }
    assert_int_equal(fclose(file), 0);
    return path;
}

static void daemon__not_there__run_again_settles(void **state)
{
    (void)state;
    const char *path = many_rows(2500);
    struct daemon_process *own = daemon_process_start(NULL);
    struct ctl_setup there = {.url = daemon_process_url(own)};
    const char *customer =
        ctl_line(CTL_ENDS(&there, 0, "customer", "create", "C", "--output", "id").out);
    daemon_process_kill(own);
    struct ctl_result stopped = CTL_ENDS(&there, 3, "usage", "import", path, "--customer", customer,
                                         "--derive-ids", "--timeout", "200ms", "--output", "json");
    assert_string_equal(stopped.out, counts(0, 0, 0, 0));
    assert_contains(stopped.err, "no row is settled yet");
    daemon_process_restart(own);
    there.url = daemon_process_url(own);
    struct ctl_result done = CTL_ENDS(&there, 0, "usage", "import", path, "--customer", customer,
                                      "--derive-ids", "--output", "json");
    assert_string_equal(done.out, counts(2500, 2500, 0, 0));
    daemon_process_stop(own);
    daemon_process_destroy(own);
}

/* Start an import from a named pipe with rows of two batches in it and the beginning of one more.
 * The pipe opens when the import does, which by then has its signals in hand. */
static struct ctl_process start_piped(const char *customer, int *ret_fd)
{
    const char *path = testkit_format("%s/pipe", testkit_tmpdir());
    static const char rows[] = "request_id,service,units_consumed,price_per_unit\n"
                               "i1,A,1,1\ni2,A,1,1\ni3,A,1,1\ni4,A,1,1\ni5,A,1,1";
    const char *args[] = {"usage",   "import", path,       "--customer", customer,
                          "--batch", "2",      "--output", "json",       NULL};
    assert_int_equal(mkfifo(path, 0600), 0);
    struct ctl_process process = ctl_start(&setup, args);
    *ret_fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(*ret_fd >= 0);
    assert_int_equal(write(*ret_fd, rows, strlen(rows)), strlen(rows));
    return process;
}

static void interrupt__while_it_runs__stops_between_batches(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        const char *customer = new_customer();
        int fd;
        struct ctl_process process = start_piped(customer, &fd);
        assert_int_equal(kill(process.pid, signals[i]), 0);
        /* The writer goes too, in the middle of a row: that row is never recorded. */
        assert_int_equal(close(fd), 0);
        struct ctl_result result = ctl_wait(&process);
        if (result.status != 128 + signals[i]) {
            testkit_fail("exit status %d\n%s", result.status, result.err);
        }
        assert_contains(result.err, "interrupted");
        size_t records = records_of(customer);
        assert_true(records == 0 || records == 2 || records == 4);
        assert_string_equal(result.out, counts((unsigned)records, (unsigned)records, 0, 0));
    }
}

/* Whatever happens between an import and its daemon, running it again makes it whole. */
static void daemon__killed_in_between__nothing_twice(void **state)
{
    (void)state;
    enum {
        ROWS = 20000,
    };
    const char *path = many_rows(ROWS);
    const char *socket = testkit_format("unix:%s/s", testkit_tmpdir());
    const char *args[] = {"--listen", socket, NULL};
    struct daemon_options options = {.args = args};
    struct daemon_process *own = daemon_process_start(&options);
    struct ctl_setup there = {.url = testkit_format("unix://%s", socket + strlen("unix:"))};
    const char *customer =
        ctl_line(CTL_ENDS(&there, 0, "customer", "create", "C", "--output", "id").out);
    const char *import[] = {"usage",   "import", path,       "--customer", customer, "--derive-ids",
                            "--batch", "100",    "--output", "json",       NULL};
    struct ctl_process process = ctl_start(&there, import);
    daemon_process_kill(own); /* at whatever point it has reached */
    daemon_process_restart(own);
    struct ctl_result first = ctl_wait(&process);
    if (first.status != 0 && first.status != 3 && first.status != 4) {
        testkit_fail("exit status %d\n%s", first.status, first.err);
    }
    CTL_ENDS(&there, 0, "usage", "import", path, "--customer", customer, "--derive-ids");
    struct ctl_result info = CTL_ENDS(&there, 0, "server", "info", "--output", "json");
    assert_contains(info.out, testkit_format("\"usage_records\": %d,", ROWS));
    daemon_process_stop(own);
    daemon_process_destroy(own);
}

static int start(void **state)
{
    (void)state;
    billingd = daemon_process_start(NULL);
    setup.url = daemon_process_url(billingd);
    return 0;
}

static int end(void **state)
{
    (void)state;
    daemon_process_stop(billingd);
    daemon_process_destroy(billingd);
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(csv__with_request_ids__recorded_once),
    cmocka_unit_test(ndjson__from_stdin__recorded),
    cmocka_unit_test(rows_without_ids__whole_import__refused),
    cmocka_unit_test(derived_ids__rows_moved_about__recorded_once),
    cmocka_unit_test(derived_ids__customer_named_otherwise__recorded_once),
    cmocka_unit_test(derived_ids__no_such_customer__rejected_alone),
    cmocka_unit_test(same_id_in_one_batch__second_is_replayed),
    cmocka_unit_test(large_rows__more_than_a_frame_of_them__all_recorded),
    cmocka_unit_test(rejected_rows__others_recorded__told_with_their_lines),
    cmocka_unit_test(rejects__the_file_itself__refused),
    cmocka_unit_test(long_row__in_the_middle__rejected_alone),
    cmocka_unit_test(unreadable__file_or_rest__ends_with_1),
    cmocka_unit_test(focus__without_ids__derived_and_customers_created),
    cmocka_unit_test(focus__other_currency__rejected),
    cmocka_unit_test(kinds__in_one_file__recorded_in_order),
    cmocka_unit_test(time__that_the_daemon_gave__replayed),
    cmocka_unit_test(daemon__not_there__run_again_settles),
    cmocka_unit_test(interrupt__while_it_runs__stops_between_batches),
    cmocka_unit_test(daemon__killed_in_between__nothing_twice),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests(tests, start, end));
}
