/* billingctl against a real daemon: voids, adjustments, whole bills, summaries, invoices, the
 * catalogue.  Where all customers are meant, a daemon of the test's own; where a daemon must fail,
 * a fake one. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/ctl_run.h"
#include "tests/lib/daemon.h"
#include "tests/lib/tamper.h"
#include "tests/lib/testkit.h"
#include "tests/unit/fake_daemon.h"

static struct daemon_process *billingd;
static struct ctl_setup setup;

/* --- helpers ---------------------------------------------------------------------------------- */

static const char *new_customer_at(const struct ctl_setup *at, const char *name)
{
    return ctl_line(CTL_ENDS(at, 0, "customer", "create", name, "--output", "id").out);
}

static const char *new_customer(const char *name)
{
    return new_customer_at(&setup, name);
}

/* Record UNITS of SERVICE at 0.05 each at TIME: its id. */
static const char *use_at(const struct ctl_setup *at, const char *customer, const char *service,
                          const char *units, const char *time)
{
    return ctl_line(CTL_ENDS(at, 0, "usage", "create", "--customer", customer, "--service", service,
                             "--units", units, "--price", "0.05", "--at", time, "--output", "id")
                        .out);
}

static const char *use(const char *customer, const char *service, const char *units,
                       const char *time)
{
    return use_at(&setup, customer, service, units, time);
}

static const char *adjust(const char *customer, const char *amount, const char *reason,
                          const char *time)
{
    return ctl_line(CTL_ENDS(&setup, 0, "adjustment", "create", "--customer", customer, "--amount",
                             amount, "--reason", reason, "--at", time, "--output", "id")
                        .out);
}

/* --- voids ------------------------------------------------------------------------------------ */

static void void__of_usage__once_and_seen_in_the_list(void **state)
{
    (void)state;
    const char *customer = new_customer("Void");
    const char *usage = use(customer, "Disk", "10", "2026-09-10");
    struct ctl_result first =
        CTL_ENDS(&setup, 0, "usage", "void", usage, "--customer", customer, "--reason", "twice",
                 "--request-id", "v-1", "--output", "json");
    assert_contains(first.out, testkit_format("\"usage_id\": \"%s\", \"reason\": \"twice\", "
                                              "\"amount\": -0.5, ",
                                              usage));
    /* The same request again is the same void; another one is refused, and names it. */
    struct ctl_result again =
        CTL_ENDS(&setup, 0, "usage", "void", usage, "--customer", customer, "--reason", "twice",
                 "--request-id", "v-1", "--output", "json");
    assert_string_equal(again.out, first.out);
    struct ctl_result id = CTL_ENDS(&setup, 0, "usage", "void", usage, "--customer", customer,
                                    "--reason", "twice", "--request-id", "v-1", "--output", "id");
    struct ctl_result other =
        CTL_ENDS(&setup, 1, "usage", "void", usage, "--customer", customer, "--reason", "again");
    assert_string_equal(other.out, "");
    assert_contains(other.err, "(already_voided)");
    assert_contains(other.err, testkit_format("existing id: %s", ctl_line(id.out)));
    struct ctl_result list = CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer);
    assert_contains(list.out, "  VOIDED_AT\n");
    assert_null(strstr(list.out, "false\n")); /* late, with nothing behind it */
    struct ctl_result bad =
        CTL_ENDS(&setup, 1, "usage", "void", usage, "--customer", customer, "--reason", "");
    assert_contains(bad.err, "  --reason: ");
    CTL_ENDS(&setup, 1, "usage", "void", "nothing", "--customer", customer, "--reason", "r");
}

/* --- adjustments ------------------------------------------------------------------------------ */

static void adjustment__credit_and_charge__in_every_form(void **state)
{
    (void)state;
    const char *customer = new_customer("Adjust");
    struct ctl_result credit =
        CTL_ENDS(&setup, 0, "adjustment", "create", "--customer", customer, "--amount", "-12.3450",
                 "--reason", "good, will", "--at", "2026-09-15", "--service", "Disk");
    assert_contains(credit.out, "amount       -12.345\n");
    assert_contains(credit.out, "service      Disk\n");
    assert_contains(credit.out, "occurred_at  2026-09-15T00:00:00.000000Z\n");
    const char *charge = adjust(customer, "0.004", "setup", "2026-09-16");
    struct ctl_result ids =
        CTL_ENDS(&setup, 0, "adjustment", "list", "--customer", customer, "--output", "id");
    assert_u64(ctl_count(ids.out, "\n"), 2);
    assert_contains(ids.out, testkit_format("\n%s\n", charge));
    struct ctl_result csv = CTL_ENDS(&setup, 0, "adjustment", "list", "--customer", customer,
                                     "--service", "Disk", "--output", "csv");
    assert_u64(ctl_count(csv.out, "\n"), 2);
    assert_contains(csv.out, ",-12.345,\"good, will\",Disk,2026-09-15T00:00:00.000000Z,");
    struct ctl_result table = CTL_ENDS(&setup, 0, "adjustment", "list", "--customer", customer);
    assert_contains(table.out, "  -12.345  good, will  Disk     2026-09-15T00:00:00.000000Z  ");
    assert_contains(table.out, "    0.004  setup                2026-09-16T00:00:00.000000Z  ");
    struct ctl_result month = CTL_ENDS(&setup, 0, "adjustment", "list", "--customer", customer,
                                       "--month", "2026-08", "--output", "json");
    assert_string_equal(month.out, "{\"adjustments\": []}\n");
    struct ctl_result bad = CTL_ENDS(&setup, 1, "adjustment", "create", "--customer", customer,
                                     "--amount", "much", "--reason", "");
    assert_contains(bad.err, "  --amount: ");
    assert_contains(bad.err, "  --reason: ");
    CTL_ENDS(&setup, 1, "adjustment", "create", "--customer", customer, "--amount",
             "1000000000000000", "--reason", "r");
}

/* The columns of a list are those of an object: none is forgotten when one is added. */
static void adjustment__csv_columns__those_of_the_object(void **state)
{
    (void)state;
    const char *customer = new_customer("Columns");
    struct ctl_result one = CTL_ENDS(&setup, 0, "adjustment", "create", "--customer", customer,
                                     "--amount", "1", "--reason", "r", "--output", "csv");
    struct ctl_result list =
        CTL_ENDS(&setup, 0, "adjustment", "list", "--customer", customer, "--output", "csv");
    assert_string_equal(list.out, one.out);
    one = CTL_ENDS(&setup, 0, "service", "add", "Columns", "--output", "csv");
    list = CTL_ENDS(&setup, 0, "service", "list", "--output", "csv");
    assert_contains(list.out, strchr(one.out, '\n') + 1);
    assert_u64(strcspn(list.out, "\n"), strcspn(one.out, "\n"));
}

/* --- bills ------------------------------------------------------------------------------------ */

/* A customer whose bill of 2026-09 has two lines, a void and two adjustments, with the id of the
 * credit among them. */
static const char *mixed_customer(const char **ret_credit)
{
    const char *customer = new_customer("Mixed");
    const char *usage = use(customer, "Disk", "10", "2026-09-10");
    use(customer, "Disk", "7.1", "2026-09-11");
    use(customer, "Net", "1", "2026-09-30T23:59:59.999999Z");
    CTL_ENDS(&setup, 0, "usage", "void", usage, "--customer", customer, "--reason", "twice");
    *ret_credit = adjust(customer, "-12.345", "good, will", "2026-09-15");
    adjust(customer, "0.25", "setup", "2026-09-16");
    return customer;
}

static void bill__with_adjustments__lines_of_their_own(void **state)
{
    (void)state;
    const char *credit;
    const char *customer = mixed_customer(&credit);
    struct ctl_result table =
        CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month", "2026-09");
    assert_contains(table.out, "SERVICE  PRICE_PER_UNIT  UNITS_CONSUMED  EXACT_AMOUNT  AMOUNT  "
                               "RECORDS  VOIDED  LATE\n");
    assert_contains(table.out, "Disk               0.05             7.1         0.355    0.36  "
                               "      2       1     0\n");
    assert_contains(table.out, testkit_format("\n\nID                    SERVICE  EXACT_AMOUNT  "
                                              "AMOUNT  REASON      OCCURRED_AT\n%s"
                                              "                -12.345  -12.34  good, will  "
                                              "2026-09-15T00:00:00.000000Z\n",
                                              credit));
    assert_contains(table.out, "\n\nexact total  -11.69 USD\nrounding     0.01 USD\n"
                               "total        -11.68 USD\n");
    struct ctl_result csv = CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month",
                                     "2026-09", "--output", "csv");
    assert_contains(csv.out, "kind,customer_id,start,end,currency,id,service,price_per_unit,"
                             "units_consumed,exact_amount,amount,records,voided,late,occurred_at,"
                             "reason\n");
    assert_u64(ctl_count(csv.out, "\nline,"), 2);
    assert_u64(ctl_count(csv.out, "\nadjustment,"), 2);
    assert_u64(ctl_count(csv.out, "\ntotal,"), 1);
    assert_contains(csv.out, ",USD,,Disk,0.05,7.1,0.355,0.36,2,1,0,,\n");
    assert_contains(csv.out, testkit_format(",USD,%s,,,,-12.345,-12.34,,,,"
                                            "2026-09-15T00:00:00.000000Z,\"good, will\"\n",
                                            credit));
    assert_contains(csv.out, ",USD,,,,,-11.69,-11.68,,,,,\n");
    struct ctl_result json = CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month",
                                      "2026-09", "--output", "json");
    assert_contains(json.out, testkit_format("\"adjustments\": [{\"id\": \"%s\", "
                                             "\"exact_amount\": -12.345, \"amount\": -12.34, ",
                                             credit));
    assert_contains(json.out, "\"exact_total\": -11.69, \"total\": -11.68, \"rounding\": 0.01}}\n");
}

/* More than one page holds, so that a page has lines and adjustments both. */
static void bill_and_invoice__many_rows__whole(void **state)
{
    (void)state;
    enum {
        LINES = 1205,
    };
    const char *path = testkit_format("%s/lines.csv", testkit_tmpdir());
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs("service,units_consumed,price_per_unit,occurred_at\n", file) >= 0);
    for (int i = 0; i < LINES; i++) {
        assert_true(fprintf(file, "S%04d,1,0.01,2026-09-01\n", i) > 0);
    }
    assert_int_equal(fclose(file), 0);
    const char *customer = new_customer("Lines");
    CTL_ENDS(&setup, 0, "usage", "import", path, "--customer", customer, "--derive-ids");
    for (int i = 0; i < 3; i++) {
        adjust(customer, "-1", testkit_format("reason %d", i), "2026-09-02");
    }
    struct ctl_result bill = CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month",
                                      "2026-09", "--output", "json");
    struct ctl_result made = CTL_ENDS(&setup, 0, "invoice", "finalize", "--customer", customer,
                                      "--month", "2026-09", "--output", "json");
    const struct ctl_result *both[] = {&bill, &made};
    for (size_t i = 0; i < 2; i++) {
        assert_u64(ctl_count(both[i]->out, "{\"service\": \"S"), LINES);
        assert_u64(ctl_count(both[i]->out, "\"reason\": \"reason "), 3);
        assert_u64(ctl_count(both[i]->out, "\"lines\": ["), 1);
        assert_u64(ctl_count(both[i]->out, "\"adjustments\": ["), 1);
        assert_contains(both[i]->out, "\"exact_total\": 9.05, \"total\": 9.05, ");
        assert_null(strstr(both[i]->out, "next_cursor"));
    }
    const char *number = strstr(made.out, "\"number\": ") + strlen("\"number\": ");
    number = testkit_format("%.*s", (int)strspn(number, "0123456789"), number);
    struct ctl_result shown = CTL_ENDS(&setup, 0, "invoice", "show", number, "--output", "json");
    assert_string_equal(shown.out, made.out);
    struct ctl_result csv = CTL_ENDS(&setup, 0, "invoice", "show", number, "--output", "csv");
    assert_u64(ctl_count(csv.out, testkit_format("\nline,%s,%s,", number, customer)), LINES);
    assert_u64(ctl_count(csv.out, "\nadjustment,"), 3);
    assert_u64(ctl_count(csv.out, "\ntotal,"), 1);
    struct ctl_result table = CTL_ENDS(&setup, 0, "invoice", "show", number);
    assert_contains(table.out, testkit_format("invoice      %s\n", number));
    assert_u64(ctl_count(table.out, "\nS"), LINES + 1); /* and the heading, SERVICE */
    assert_u64(ctl_count(table.out, "REASON"), 1);
    CTL_ENDS(&setup, 0, "invoice", "verify", number);
}

static void bill__explained__the_records_behind_it(void **state)
{
    (void)state;
    const char *credit;
    const char *customer = mixed_customer(&credit);
    struct ctl_result all = CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month",
                                     "2026-09", "--explain", "--output", "csv");
    assert_u64(ctl_count(all.out, "\nusage,"), 3);
    assert_u64(ctl_count(all.out, "\nvoid,"), 1);
    assert_u64(ctl_count(all.out, "\nadjustment,"), 2);
    assert_contains(all.out, ",Disk,0.05,-10,-0.5,");
    struct ctl_result line =
        CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month", "2026-09",
                 "--explain", "--service", "Disk", "--price", "0.050", "--output", "id");
    assert_u64(ctl_count(line.out, "\n"), 3);
    assert_u64(ctl_count(line.out, "use_"), 2);
    assert_u64(ctl_count(line.out, "voi_"), 1);
    struct ctl_result none =
        CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month", "2026-09",
                 "--explain", "--service", "Disk", "--price", "7", "--output", "json");
    assert_string_equal(none.out, "{\"records\": []}\n");
    struct ctl_result table = CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month",
                                       "2026-09", "--explain", "--service", "Net");
    assert_contains(table.out, "KIND   ID                    SERVICE  PRICE_PER_UNIT  "
                               "UNITS_CONSUMED  EXACT_AMOUNT  "
                               "OCCURRED_AT                  BILLS_AT                     LATE");
    assert_u64(ctl_count(table.out, "\n"), 2);
}

static void bill__half_a_window__names_the_flag_that_is_missing(void **state)
{
    (void)state;
    struct ctl_result bad =
        CTL_ENDS(&setup, 2, "bill", "show", "--customer", "c", "--start", "2026-09-01");
    assert_contains(bad.err, "billingctl: --end TIME is missing\n");
    bad = CTL_ENDS(&setup, 2, "bill", "show", "--customer", "c", "--end", "2026-09-01");
    assert_contains(bad.err, "billingctl: --start TIME is missing\n");
    bad =
        CTL_ENDS(&setup, 2, "bill", "show", "--customer", "c", "--end", "2026-09-01", "--explain");
    assert_contains(bad.err, "billingctl: --start TIME is missing\n");
    bad = CTL_ENDS(&setup, 2, "bill", "show", "--customer", "c", "--end", "2026-09-01", "--month",
                   "2026-09");
    assert_contains(bad.err, "billingctl: --month stands in place of --start and --end\n");
}

static void bill_list__window_or_end__totals_of_each(void **state)
{
    (void)state;
    const char *credit;
    const char *customer = mixed_customer(&credit);
    struct ctl_result month =
        CTL_ENDS(&setup, 0, "bill", "list", "--month", "2026-09", "--output", "json");
    assert_contains(month.out,
                    testkit_format("{\"customer_id\": \"%s\", \"name\": \"Mixed\", \"start\": "
                                   "\"2026-09-01T00:00:00.000000Z\", \"end\": "
                                   "\"2026-10-01T00:00:00.000000Z\", \"currency\": \"USD\", "
                                   "\"lines\": 2, \"records\": 3, \"voided\": 1, \"late\": 0, "
                                   "\"adjustments\": 2, \"exact_total\": -11.69, "
                                   "\"total\": -11.68, \"rounding\": 0.01}",
                                   customer));
    struct ctl_result open =
        CTL_ENDS(&setup, 0, "bill", "list", "--end", "2026-09-11", "--output", "csv");
    assert_contains(open.out, testkit_format("\n%s,Mixed,,", customer));
    assert_contains(open.out, ",2026-09-11T00:00:00.000000Z,USD,1,1,1,0,0,0,0,0,\n");
    struct ctl_result bad = CTL_ENDS(&setup, 2, "bill", "list", "--start", "2026-09-01");
    assert_contains(bad.err, "billingctl: --end TIME or --month YYYY-MM is missing\n");
    struct ctl_result table = CTL_ENDS(&setup, 0, "bill", "list", "--month", "2026-09");
    assert_contains(table.out, "  START                        END                          "
                               "CURRENCY  RECORDS  VOIDED  LATE  ADJUSTMENTS  EXACT_TOTAL");
    assert_contains(table.out, "  2026-09-01T00:00:00.000000Z  2026-10-01T00:00:00.000000Z  USD  ");
}

static void bill_list__without_a_window__totals_of_the_current_bills(void **state)
{
    (void)state;
    const char *customer = new_customer("Current");
    CTL_ENDS(&setup, 0, "usage", "create", "--customer", customer, "--service", "Disk", "--units",
             "10", "--price", "0.05");
    struct ctl_result bill =
        CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--output", "json");
    const char *start = strstr(bill.out, "\"start\": ");
    assert_non_null(start);
    int window = (int)(strstr(start, "\"lines\"") - start);
    struct ctl_result list = CTL_ENDS(&setup, 0, "bill", "list", "--output", "json");
    assert_contains(list.out, testkit_format("{\"customer_id\": \"%s\", \"name\": \"Current\", %.*s"
                                             "\"lines\": 1, \"records\": 1, ",
                                             customer, window, start));
}

/* --- summaries -------------------------------------------------------------------------------- */

static void summary__windows_and_groups__added_up(void **state)
{
    (void)state;
    const char *customer = new_customer("Sum");
    const char *usage = use(customer, "Disk", "10", "2026-09-10T01:30:00Z");
    use(customer, "Disk", "7", "2026-09-10T01:59:59Z");
    use(customer, "Net", "1", "2026-09-12T00:00:00Z");
    CTL_ENDS(&setup, 0, "usage", "void", usage, "--customer", customer, "--reason", "twice");
    struct ctl_result days = CTL_ENDS(&setup, 0, "usage", "summary", "--customer", customer);
    assert_string_equal(days.out, "START                        UNITS_CONSUMED  EXACT_AMOUNT  "
                                  "RECORDS  VOIDED  LATE\n"
                                  "2026-09-10T00:00:00.000000Z               7          0.35  "
                                  "      2       1     0\n"
                                  "2026-09-12T00:00:00.000000Z               1          0.05  "
                                  "      1       0     0\n");
    struct ctl_result month =
        CTL_ENDS(&setup, 0, "usage", "summary", "--customer", customer, "--month", "2026-09",
                 "--window", "month", "--group-by", "service", "--output", "json");
    assert_contains(month.out, "\"by\": \"occurred\", \"window\": \"month\", \"rows\": [{");
    assert_contains(month.out, "\"service\": \"Disk\", \"units_consumed\": 7, ");
    assert_contains(month.out, "\"late\": 0}]}}\n");
    assert_u64(ctl_count(month.out, "\"service\": "), 2);
    struct ctl_result hours =
        CTL_ENDS(&setup, 0, "usage", "summary", "--customer", customer, "--start", "2026-09-10",
                 "--end", "2026-09-12", "--window", "hour", "--include-empty", "--output", "csv");
    assert_u64(ctl_count(hours.out, "\n"), 48 + 1);
    assert_contains(hours.out, "2026-09-10T01:00:00.000000Z,2026-09-10T02:00:00.000000Z,,7,0.35,"
                               "2,1,0\n");
    /* Many pages are one object; --limit says where the rest begins. */
    struct ctl_result many =
        CTL_ENDS(&setup, 0, "usage", "summary", "--customer", customer, "--start", "2026-07-01",
                 "--end", "2026-10-01", "--window", "hour", "--include-empty", "--output", "json");
    assert_u64(ctl_count(many.out, "{\"start\": "), 92 * 24);
    assert_u64(ctl_count(many.out, "\"rows\": ["), 1);
    struct ctl_result first =
        CTL_ENDS(&setup, 0, "usage", "summary", "--customer", customer, "--start", "2026-09-01",
                 "--end", "2026-10-01", "--limit", "1", "--include-empty", "--output", "json");
    assert_contains(first.out, "}]}, \"next_cursor\": \"");
    struct ctl_result empty =
        CTL_ENDS(&setup, 1, "usage", "summary", "--customer", customer, "--include-empty");
    assert_contains(empty.err, "start: ");
}

/* --- invoices --------------------------------------------------------------------------------- */

static void invoice__of_one__made_once_and_found(void **state)
{
    (void)state;
    const char *credit;
    const char *customer = mixed_customer(&credit);
    const char *end = "2026-10-01";
    struct ctl_result dry = CTL_ENDS(&setup, 0, "invoice", "finalize", "--customer", customer,
                                     "--end", end, "--dry-run", "--output", "json");
    assert_u64(ctl_count(dry.out, "\"customer_id\": "), 1);
    assert_contains(dry.out, customer);
    struct ctl_result made = CTL_ENDS(&setup, 0, "invoice", "finalize", "--customer", customer,
                                      "--end", end, "--request-id", "i-1", "--output", "id");
    struct ctl_result again = CTL_ENDS(&setup, 0, "invoice", "finalize", "--customer", customer,
                                       "--end", end, "--request-id", "i-1", "--output", "id");
    assert_string_equal(again.out, made.out);
    const char *number = ctl_line(made.out);
    struct ctl_result other =
        CTL_ENDS(&setup, 1, "invoice", "finalize", "--customer", customer, "--month", "2026-09");
    assert_contains(other.err, "(already_finalized)");
    assert_contains(other.err, testkit_format("existing id: %s\n", number));

    struct ctl_result shown = CTL_ENDS(&setup, 0, "invoice", "show", number);
    assert_contains(shown.out,
                    testkit_format("invoice      %s\ncustomer     %s\n", number, customer));
    assert_contains(shown.out, "total        -11.68 USD\n");
    struct ctl_result list = CTL_ENDS(&setup, 0, "invoice", "list", "--customer", customer);
    assert_u64(ctl_count(list.out, "\n"), 2);
    assert_contains(list.out, "  USD            -11.69  -11.68\n");
    struct ctl_result verified = CTL_ENDS(&setup, 0, "invoice", "verify", number);
    assert_string_equal(verified.out, "ok\n");
    assert_string_equal(verified.err, "");
    struct ctl_result json = CTL_ENDS(&setup, 0, "invoice", "verify", number, "--output", "json");
    assert_contains(json.out, "\"verified\": true, \"records\": 6, ");
    struct ctl_result request =
        CTL_ENDS(&setup, 0, "request", "show", "i-1", "--customer", customer, "--output", "id");
    assert_string_equal(request.out, made.out);

    dry = CTL_ENDS(&setup, 0, "invoice", "finalize", "--customer", customer, "--end", end,
                   "--dry-run", "--output", "json");
    assert_string_equal(dry.out, "{\"bills\": []}\n");
    assert_contains(dry.err, "there is nothing to bill");
    CTL_ENDS(&setup, 1, "invoice", "finalize", "--customer", "nobody", "--end", end, "--dry-run");
    CTL_ENDS(&setup, 1, "invoice", "show", "999999");
    CTL_ENDS(&setup, 1, "invoice", "verify", "999999");
    struct ctl_result future =
        CTL_ENDS(&setup, 1, "invoice", "finalize", "--customer", customer, "--end", "2999-01-01");
    assert_contains(future.err, "(period_not_closed)");
}

static void invoices__of_all__one_each_and_the_refused_named(void **state)
{
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    struct ctl_setup at = {.url = daemon_process_url(daemon)};
    const char *customers[3];
    for (size_t i = 0; i < 3; i++) {
        customers[i] = new_customer_at(&at, testkit_format("Customer %zu", i));
        use_at(&at, customers[i], "Disk", "10", "2026-09-20");
    }
    const char *idle = new_customer_at(&at, "Idle");
    struct ctl_result dry = CTL_ENDS(&at, 0, "invoice", "finalize", "--all", "--month", "2026-09",
                                     "--dry-run", "--output", "csv");
    assert_u64(ctl_count(dry.out, "\ncus_"), 3);
    CTL_ENDS(&at, 0, "invoice", "finalize", "--customer", customers[1], "--end", "2026-09-25");
    use_at(&at, customers[1], "Disk", "4", "2026-09-26");

    /* The second customer's period cannot begin there any more. */
    struct ctl_result all = CTL_ENDS(&at, 1, "invoice", "finalize", "--all", "--start",
                                     "2026-09-01", "--end", "2026-10-01", "--output", "csv");
    assert_u64(ctl_count(all.out, "\n"), 3);
    assert_contains(all.out, testkit_format("\n2,%s,2026-09-01T00:00:00.000000Z,", customers[0]));
    assert_contains(all.out, testkit_format("\n3,%s,2026-09-01T00:00:00.000000Z,", customers[2]));
    assert_contains(all.err, testkit_format("customer %s:\n", customers[1]));
    assert_contains(all.err, "(not_contiguous)");
    assert_contains(all.err, "2 finalized, 0 finalized before, 1 refused\n");

    /* The rest, from where its last invoice ended. */
    struct ctl_result rest =
        CTL_ENDS(&at, 0, "invoice", "finalize", "--all", "--month", "2026-09", "--output", "json");
    assert_contains(rest.out, testkit_format(", {\"number\": 4, \"customer_id\": "
                                             "\"%s\", \"start\": \"2026-09-25T00:00:00.000000Z\"",
                                             customers[1]));
    assert_null(strstr(rest.out, "\"lines\""));
    assert_contains(rest.err, "1 finalized, 2 finalized before, 0 refused\n");
    struct ctl_result request =
        CTL_ENDS(&at, 0, "request", "show", "finalize:2026-10-01T00:00:00.000000Z", "--customer",
                 customers[1], "--output", "id");
    assert_string_equal(request.out, "4\n");
    /* Again: all invoices of that end, and not the one that ended before. */
    struct ctl_result again =
        CTL_ENDS(&at, 0, "invoice", "finalize", "--all", "--month", "2026-09", "--output", "id");
    assert_string_equal(again.out, "2\n3\n4\n");
    assert_contains(again.err, "0 finalized, 3 finalized before, 0 refused\n");
    again = CTL_ENDS(&at, 0, "invoice", "finalize", "--all", "--end", "2026-09-25");
    assert_u64(ctl_count(again.out, "\n"), 2);
    assert_contains(again.err, "0 finalized, 1 finalized before, 0 refused\n");

    /* Those of before, then the new ones. */
    use_at(&at, idle, "Disk", "1", "2026-09-27");
    again =
        CTL_ENDS(&at, 0, "invoice", "finalize", "--all", "--month", "2026-09", "--output", "id");
    assert_string_equal(again.out, "2\n3\n4\n5\n");
    assert_contains(again.err, "1 finalized, 3 finalized before, 0 refused\n");
    struct ctl_result list = CTL_ENDS(&at, 0, "invoice", "list", "--output", "id");
    assert_string_equal(list.out, "1\n2\n3\n4\n5\n");
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* One customer's damaged record is that customer's trouble. */
static void invoices__of_all_one_is_damaged__is_named_and_the_others_made(void **state)
{
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    struct ctl_setup at = {.url = daemon_process_url(daemon)};
    const char *bad = new_customer_at(&at, "Bad");
    const char *good = new_customer_at(&at, "Good");
    use_at(&at, bad, "Spoiled Disk", "10", "2026-09-20"); /* record 3 */
    use_at(&at, good, "Disk", "10", "2026-09-20");
    use_at(&at, good, "Disk", "10", "2026-09-20"); /* a start looks at the last two blocks */
    daemon_process_stop(daemon);
    tamper_record(&(struct tamper){.data_dir = daemon_process_data_dir(daemon),
                                   .seq = 3,
                                   .text = "Spoiled Disk",
                                   .at = -1,
                                   .mask = 1});
    daemon_process_restart(daemon);
    at.url = daemon_process_url(daemon);
    struct ctl_result list =
        CTL_ENDS(&at, 0, "bill", "list", "--month", "2026-09", "--output", "csv");
    assert_contains(list.out, ",rounding,problem\n");
    assert_contains(list.out, testkit_format("\n%s,Bad,,2026-09-01T00:00:00.000000Z,"
                                             "2026-10-01T00:00:00.000000Z,USD,,,,,,,,,"
                                             "storage_damaged\n",
                                             bad));
    assert_contains(list.out, "USD,1,2,0,0,0,1,1,0,\n");
    struct ctl_result table = CTL_ENDS(&at, 0, "bill", "list", "--end", "2026-10-01");
    assert_contains(table.out, "storage_damaged");
    daemon_process_await_stderr(daemon, "msg=\"bill cannot be added up\"");
    struct ctl_result all =
        CTL_ENDS(&at, 1, "invoice", "finalize", "--all", "--month", "2026-09", "--output", "csv");
    assert_u64(ctl_count(all.out, "\n"), 2);
    assert_contains(all.out, testkit_format("\n1,%s,", good));
    assert_contains(all.err, testkit_format("customer %s:\n", bad));
    assert_contains(all.err, "(storage_damaged)");
    assert_contains(all.err, "1 finalized, 0 finalized before, 1 refused\n");
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void invoices__of_all_end_in_the_future__refused_once(void **state)
{
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    struct ctl_setup at = {.url = daemon_process_url(daemon)};
    for (size_t i = 0; i < 3; i++) {
        use_at(&at, new_customer_at(&at, "Customer"), "Disk", "10", "2026-09-20");
    }
    struct ctl_result all =
        CTL_ENDS(&at, 1, "invoice", "finalize", "--all", "--month", "2999-01", "--output", "id");
    assert_string_equal(all.out, "");
    assert_u64(ctl_count(all.err, "(period_not_closed)\n"), 2); /* the problem, and its field */
    assert_contains(all.err, "  --month: 2999-02-01T00:00:00.000000Z lies ahead of ");
    assert_null(strstr(all.err, "customer "));
    assert_null(strstr(all.err, "refused\n"));
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* Nor is it a success where there is no customer for whom the daemon could refuse it. */
static void invoices__of_nobody_in_the_future__refused_too(void **state)
{
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    struct ctl_setup at = {.url = daemon_process_url(daemon)};
    struct ctl_result all = CTL_ENDS(&at, 1, "invoice", "finalize", "--all", "--month", "2999-01");
    assert_contains(all.err, "Period not closed: 2999-02-01T00:00:00.000000Z lies ahead of ");
    assert_contains(all.err, "(period_not_closed)\n");
    assert_null(strstr(all.err, "finalized"));
    struct ctl_result past = CTL_ENDS(&at, 0, "invoice", "finalize", "--all", "--month", "2020-01");
    assert_contains(past.err, "0 finalized, 0 finalized before, 0 refused\n");
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* Killed in the middle and run again: one invoice a customer, each printed, and no number left
 * out. */
static void invoices__of_all_killed_and_run_again__one_each(void **state)
{
    (void)state;
    enum {
        CUSTOMERS = 60,
    };
    struct daemon_process *daemon = daemon_process_start(NULL);
    struct ctl_setup at = {.url = daemon_process_url(daemon)};
    const char *path = testkit_format("%s/customers.csv", testkit_tmpdir());
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs("external_id,service,units_consumed,price_per_unit,occurred_at\n", file) >=
                0);
    for (int i = 0; i < CUSTOMERS; i++) {
        CTL_ENDS(&at, 0, "customer", "create", "Many", "--external-id", testkit_format("m-%d", i));
        assert_true(fprintf(file, "m-%d,Disk,1,0.01,2026-09-01\n", i) > 0);
    }
    assert_int_equal(fclose(file), 0);
    CTL_ENDS(&at, 0, "usage", "import", path, "--derive-ids");
    const char *args[] = {"invoice", "finalize", "--all", "--month", "2026-09", NULL};
    struct ctl_process process = ctl_start(&at, args);
    struct ctl_result list;
    do {
        list = CTL_ENDS(&at, 0, "invoice", "list", "--output", "id");
    } while (ctl_count(list.out, "\n") < 5);
    assert_int_equal(kill(process.pid, SIGKILL), 0);
    (void)ctl_wait(&process);
    /* What it had asked for last may still be made, while the next one runs. */
    CTL_ENDS(&at, 0, "invoice", "finalize", "--all", "--month", "2026-09");
    struct ctl_result rest =
        CTL_ENDS(&at, 0, "invoice", "finalize", "--all", "--month", "2026-09", "--output", "id");
    list = CTL_ENDS(&at, 0, "invoice", "list", "--output", "csv");
    assert_u64(ctl_count(list.out, "\n"), CUSTOMERS + 1);
    assert_contains(list.out, testkit_format("\n%d,cus_", CUSTOMERS));
    assert_u64(ctl_count(rest.out, "\n"), CUSTOMERS);
    print_message("%s", rest.err);
    struct ctl_result customers = CTL_ENDS(&at, 0, "customer", "list", "--output", "id");
    const char *id = customers.out;
    for (int i = 0; i < CUSTOMERS; i++, id = strchr(id, '\n') + 1) {
        assert_u64(ctl_count(list.out, testkit_format(",%s,", ctl_line(id))), 1);
    }
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* --- a daemon that fails ---------------------------------------------------------------------- */

static void invoices__of_all_no_answer__stops_and_says_how_to_go_on(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_ANSWER},  {.act = FAKE_ANSWER}, /* the lists */
        {.act = FAKE_HANG_UP}, {.act = FAKE_HANG_UP}, {.act = FAKE_HANG_UP}, {.act = FAKE_HANG_UP},
    };
    (void)state;
    struct fake_daemon *fake = fake_start(script, sizeof script / sizeof script[0]);
    struct ctl_setup at = {.url = fake_url(fake)};
    struct ctl_result lost =
        CTL_ENDS(&at, 4, "invoice", "finalize", "--all", "--end", "2026-10-01");
    assert_contains(lost.err, "customer cus_1:\n");
    assert_contains(lost.err, "stopped there; run it again, and the rest is done\n");
    for (size_t i = 2; i < 6; i++) {
        assert_string_equal(fake_request(fake, i).request_id,
                            "finalize:2026-10-01T00:00:00.000000Z");
    }
    fake_stop(fake);
}

/* What another run made since the list of invoices was read. */
static void invoices__of_all_there_already__printed_and_counted(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_ANSWER}, /* of the invoices: one, of the fake's end */
        {.act = FAKE_ANSWER}, /* of the bills */
        {.act = FAKE_PROBLEM, .code = "already_finalized", .http = 409, .existing_id = "7"},
    };
    static const struct fake_step replay[] = {
        {.act = FAKE_ANSWER}, {.act = FAKE_ANSWER}, {.act = FAKE_REPLAY}};
    (void)state;
    struct fake_daemon *fake = fake_start(script, 3);
    struct ctl_setup at = {.url = fake_url(fake)};
    struct ctl_result there = CTL_ENDS(&at, 0, "invoice", "finalize", "--all", "--end",
                                       "2026-11-22T11:01:38Z", "--output", "id");
    assert_string_equal(there.out, "1\n18446744073709551615\n"); /* what the fake calls each */
    assert_contains(there.err, "customer cus_1: already finalized: invoice 7\n");
    assert_contains(there.err, "0 finalized, 2 finalized before, 0 refused\n");
    fake_stop(fake);
    fake = fake_start(script, 3);
    at.url = fake_url(fake);
    there = CTL_ENDS(&at, 0, "invoice", "finalize", "--all", "--end", "2026-10-01", "--output",
                     "id"); /* both are of another end */
    assert_string_equal(there.out, "");
    assert_contains(there.err, "0 finalized, 0 finalized before, 0 refused\n");
    fake_stop(fake);
    fake = fake_start(replay, 3);
    at.url = fake_url(fake);
    there = CTL_ENDS(&at, 0, "invoice", "finalize", "--all", "--end", "2026-10-01");
    assert_contains(there.err, "0 finalized, 1 finalized before, 0 refused\n");
    fake_stop(fake);
}

/* Without the list of invoices nothing is begun. */
static void invoices__of_all_no_list__none_made(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_PROBLEM, .code = "forbidden", .http = 403},
    };
    (void)state;
    struct fake_daemon *fake = fake_start(script, 1);
    struct ctl_setup at = {.url = fake_url(fake)};
    struct ctl_result refused =
        CTL_ENDS(&at, 1, "invoice", "finalize", "--all", "--end", "2026-10-01", "--output", "id");
    assert_string_equal(refused.out, "");
    assert_u64(fake_requests(fake), 1);
    fake_stop(fake);
}

static void invoice_verify__differs__each_named_and_ends_with_1(void **state)
{
    (void)state;
    struct fake_daemon *fake = fake_start(NULL, 0);
    struct ctl_setup at = {.url = fake_url(fake)};
    struct ctl_result table = CTL_ENDS(&at, 1, "invoice", "verify", "1");
    assert_string_equal(table.out, "WHAT    INVOICE  COMPUTED\ndigest           ff00\n");
    assert_contains(table.err, "invoice 1 differs from what its records come to\n");
    struct ctl_result csv = CTL_ENDS(&at, 1, "invoice", "verify", "1", "--output", "csv");
    assert_string_equal(csv.out, "what,invoice,computed\ndigest,,ff00\n");
    struct ctl_result json = CTL_ENDS(&at, 1, "invoice", "verify", "1", "--output", "json");
    assert_contains(json.out, "{\"verification\": {\"number\": 1, \"verified\": false, ");
    fake_stop(fake);
}

/* --- the catalogue ---------------------------------------------------------------------------- */

static void service__added_changed_and_removed__in_the_list(void **state)
{
    (void)state;
    CTL_ENDS(&setup, 0, "service", "add", "Object Storage", "--unit", "GB");
    struct ctl_result changed = CTL_ENDS(&setup, 0, "service", "add", "Object Storage", "--unit",
                                         "TiB", "--output", "json");
    assert_contains(changed.out,
                    "{\"service\": {\"name\": \"Object Storage\", \"unit\": \"TiB\", ");
    struct ctl_result got =
        CTL_ENDS(&setup, 0, "service", "get", "Object Storage", "--output", "json");
    assert_string_equal(got.out, changed.out);
    struct ctl_result ids = CTL_ENDS(&setup, 0, "service", "list", "--output", "id");
    assert_contains(ids.out, "Object Storage\n");
    struct ctl_result removed =
        CTL_ENDS(&setup, 0, "service", "remove", "Object Storage", "--output", "json");
    assert_string_equal(removed.out, "");
    assert_string_equal(removed.err, "");
    CTL_ENDS(&setup, 1, "service", "get", "Object Storage");
    struct ctl_result bad = CTL_ENDS(&setup, 1, "service", "add", "", "--unit", "x");
    assert_contains(bad.err, "name: ");
}

/* A unit is not lost by leaving a flag out. */
static void service__added_without_its_unit__refused_unless_it_says_so(void **state)
{
    (void)state;
    CTL_ENDS(&setup, 0, "service", "add", "Plain");
    CTL_ENDS(&setup, 0, "service", "add", "Plain");
    CTL_ENDS(&setup, 0, "service", "add", "Plain", "--unit", "GB");
    struct ctl_result bad = CTL_ENDS(&setup, 1, "service", "add", "Plain");
    assert_string_equal(bad.out, "");
    assert_contains(bad.err, "the service has the unit 'GB', which --unit keeps or changes, and "
                             "--unit '' takes away\n");
    struct ctl_result got = CTL_ENDS(&setup, 0, "service", "get", "Plain", "--output", "json");
    assert_contains(got.out, "\"unit\": \"GB\"");
    CTL_ENDS(&setup, 0, "service", "add", "Plain", "--unit", "");
    got = CTL_ENDS(&setup, 0, "service", "get", "Plain", "--output", "json");
    assert_null(strstr(got.out, "unit"));
    bad = CTL_ENDS(&setup, 1, "service", "add", "");
    assert_contains(bad.err, "name: ");
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
    cmocka_unit_test(void__of_usage__once_and_seen_in_the_list),
    cmocka_unit_test(adjustment__credit_and_charge__in_every_form),
    cmocka_unit_test(adjustment__csv_columns__those_of_the_object),
    cmocka_unit_test(bill__with_adjustments__lines_of_their_own),
    cmocka_unit_test(bill_and_invoice__many_rows__whole),
    cmocka_unit_test(bill__explained__the_records_behind_it),
    cmocka_unit_test(bill__half_a_window__names_the_flag_that_is_missing),
    cmocka_unit_test(bill_list__window_or_end__totals_of_each),
    cmocka_unit_test(bill_list__without_a_window__totals_of_the_current_bills),
    cmocka_unit_test(summary__windows_and_groups__added_up),
    cmocka_unit_test(invoice__of_one__made_once_and_found),
    cmocka_unit_test(invoices__of_all__one_each_and_the_refused_named),
    cmocka_unit_test(invoices__of_all_one_is_damaged__is_named_and_the_others_made),
    cmocka_unit_test(invoices__of_all_end_in_the_future__refused_once),
    cmocka_unit_test(invoices__of_nobody_in_the_future__refused_too),
    cmocka_unit_test(invoices__of_all_killed_and_run_again__one_each),
    cmocka_unit_test(invoices__of_all_no_answer__stops_and_says_how_to_go_on),
    cmocka_unit_test(invoices__of_all_there_already__printed_and_counted),
    cmocka_unit_test(invoices__of_all_no_list__none_made),
    cmocka_unit_test(invoice_verify__differs__each_named_and_ends_with_1),
    cmocka_unit_test(service__added_changed_and_removed__in_the_list),
    cmocka_unit_test(service__added_without_its_unit__refused_unless_it_says_so),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests(tests, start, end));
}
