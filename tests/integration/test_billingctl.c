/* billingctl against a real daemon: what it prints, what it says, and how it ends.  The daemon is
 * one for all tests; each test makes a customer of its own. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/integration/ctl_run.h"
#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testkit.h"

static struct daemon_process *billingd;
static struct ctl_setup setup;

/* --- helpers ---------------------------------------------------------------------------------- */

static const char *new_customer(const char *name)
{
    return ctl_line(CTL_ENDS(&setup, 0, "customer", "create", name, "--output", "id").out);
}

static const char *http_get(const char *target)
{
    struct http_reply reply;
    http_once(daemon_process_http(billingd), "GET", target, NULL, NULL, &reply);
    assert_int_equal(reply.status, 200);
    const char *body = testkit_format("%s", reply.body);
    http_reply_done(&reply);
    return body;
}

/* Record UNITS under REQUEST_ID. */
static struct ctl_result record(const char *customer, const char *units, const char *request_id)
{
    return CTL(&setup, "usage", "create", "--customer", customer, "--service", "S", "--units",
               units, "--price", "0.05", "--request-id", request_id, "--output", "json");
}

/* --- customers -------------------------------------------------------------------------------- */

static void customer__created__found_in_every_form(void **state)
{
    (void)state;
    struct ctl_result created = CTL_ENDS(&setup, 0, "customer", "create", "A \"B\", C",
                                         "--external-id=x-1", "--output", "id");
    const char *id = ctl_line(created.out);
    assert_string_equal(created.err, "");
    assert_string_equal(created.out, testkit_format("%s\n", id));

    struct ctl_result json = CTL_ENDS(&setup, 0, "--output", "json", "customer", "get", id);
    const char *body = http_get(testkit_format("/api/v1/customers/%s", id));
    assert_string_equal(ctl_line(json.out), ctl_line(body));

    struct ctl_result csv =
        CTL_ENDS(&setup, 0, "customer", "get", "external:x-1", "--output", "csv");
    assert_contains(csv.out, "id,name,external_id,created_at,updated_at\n");
    assert_contains(csv.out, testkit_format("%s,\"A \"\"B\"\", C\",x-1,", id));

    struct ctl_result table = CTL_ENDS(&setup, 0, "customer", "get", id);
    assert_contains(table.out, "name         A \"B\", C\n");
}

static void customer__renamed__keeps_its_id(void **state)
{
    (void)state;
    const char *id = new_customer("Before");
    struct ctl_result renamed =
        CTL_ENDS(&setup, 0, "customer", "rename", id, "After", "--output", "json");
    assert_contains(renamed.out, "\"name\": \"After\"");
    assert_contains(CTL_ENDS(&setup, 0, "customer", "get", id).out, "After");
}

static void customer__same_request_id__one_customer(void **state)
{
    (void)state;
    struct ctl_result first = CTL_ENDS(&setup, 0, "customer", "create", "Once", "--request-id",
                                       "once-1", "--output", "json");
    struct ctl_result again = CTL_ENDS(&setup, 0, "customer", "create", "Once", "--request-id",
                                       "once-1", "--output", "json");
    assert_string_equal(again.out, first.out);
    struct ctl_result shown = CTL_ENDS(&setup, 0, "request", "show", "once-1", "--output", "id");
    assert_contains(first.out, ctl_line(shown.out));
}

static void customer__external_id_taken__says_by_whom(void **state)
{
    (void)state;
    const char *id = ctl_line(CTL_ENDS(&setup, 0, "customer", "create", "First", "--external-id",
                                       "taken-1", "--output", "id")
                                  .out);
    struct ctl_result second =
        CTL_ENDS(&setup, 1, "customer", "create", "Second", "--external-id", "taken-1");
    assert_string_equal(second.out, "");
    assert_contains(second.err, "(external_id_taken)");
    assert_contains(second.err, "  --external-id: ");
    assert_contains(second.err, testkit_format("  existing id: %s\n", id));
}

static void customer__escape_codes_in_its_name__shown_harmless(void **state)
{
    (void)state;
    struct ctl_result result = CTL(&setup, "customer", "create", "a\x1B[31mb", "--output", "table");
    assert_null(strchr(result.out, '\x1B'));
    assert_null(strchr(result.err, '\x1B'));
}

static void customer__name_begins_with_a_dash__after_two_dashes(void **state)
{
    (void)state;
    struct ctl_result created =
        CTL_ENDS(&setup, 0, "customer", "create", "--output", "json", "--", "--help");
    assert_contains(created.out, "\"name\": \"--help\"");
}

/* --- usage ------------------------------------------------------------------------------------ */

static void usage__same_request_id__recorded_once(void **state)
{
    (void)state;
    const char *customer = new_customer("Usage");
    struct ctl_result first = record(customer, "58", "u-1");
    struct ctl_result again = record(customer, "58.0", "u-1");
    assert_int_equal(first.status, 0);
    assert_string_equal(again.out, first.out);
    assert_contains(first.out,
                    "\"units_consumed\": 58, \"price_per_unit\": 0.05, \"amount\": 2.9,");

    struct ctl_result other = record(customer, "59", "u-1");
    assert_int_equal(other.status, 1);
    assert_string_equal(other.out, "");
    assert_contains(other.err, "(request_id_reused)");
    assert_contains(other.err, "  --units: ");
    assert_contains(other.err, "  existing id: ");
    struct ctl_result list =
        CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--output", "id");
    assert_u64(ctl_count(list.out, "\n"), 1);
    assert_contains(first.out, ctl_line(list.out));
}

static void usage__every_flag__recorded(void **state)
{
    (void)state;
    const char *customer = new_customer("Flags");
    struct ctl_result created = CTL_ENDS(
        &setup, 0, "usage", "create", "--customer", customer, "--service", "Disk", "--units",
        "1.50", "--price", "1e-7", "--at", "2026-10-01", "--label", "b=2", "--label", "a=x=y");
    assert_contains(created.out, "units_consumed  1.5\n");
    assert_contains(created.out, "price_per_unit  0.0000001\n");
    assert_contains(created.out, "amount          0.00000015\n");
    assert_contains(created.out, "occurred_at     2026-10-01T00:00:00.000000Z\n");
    assert_contains(created.out, "label.a         x=y\nlabel.b         2\n");

    const char *id = ctl_line(
        CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--output", "id").out);
    struct ctl_result json =
        CTL_ENDS(&setup, 0, "usage", "get", id, "--customer", customer, "--output", "json");
    const char *body = http_get(testkit_format("/api/v1/customers/%s/usage/%s", customer, id));
    assert_string_equal(ctl_line(json.out), ctl_line(body));
    struct ctl_result csv =
        CTL_ENDS(&setup, 0, "usage", "get", id, "--customer", customer, "--output", "csv");
    assert_contains(csv.out, "\"{\"\"a\"\": \"\"x=y\"\", \"\"b\"\": \"\"2\"\"}\"");
}

static void usage__every_bad_field__named_by_its_flag(void **state)
{
    (void)state;
    const char *customer = new_customer("Bad");
    struct ctl_result refused = CTL_ENDS(&setup, 1, "usage", "create", "--customer", customer,
                                         "--service", "", "--units=-1", "--price", "NaN");
    assert_string_equal(refused.out, "");
    assert_contains(refused.err, "  --service: ");
    assert_contains(refused.err, "  --units: ");
    assert_contains(refused.err, "  --price: ");
    /* The only one is said once: how, in its own line, and above it what it comes to. */
    struct ctl_result single = CTL_ENDS(&setup, 1, "usage", "create", "--customer", customer,
                                        "--service", "S", "--units=-1", "--price", "1");
    assert_contains(single.err, "  --units: ");
    assert_u64(ctl_count(single.err, "-1"), 1);
    CTL_ENDS(&setup, 1, "usage", "create", "--customer", "nobody", "--service", "S", "--units", "1",
             "--price", "1");
    CTL_ENDS(&setup, 1, "usage", "get", "nothing", "--customer", customer);
    CTL_ENDS(&setup, 1, "request", "show", "nothing", "--customer", customer);
}

/* --- lists ------------------------------------------------------------------------------------ */

enum {
    MANY = 2345, /* more than two pages of the largest size */
};

/* A customer with MANY usage records, a second apart. */
static const char *busy_customer(void)
{
    static const char *customer;
    if (customer != NULL) {
        return customer;
    }
    const char *path = testkit_format("%s/many.csv", testkit_tmpdir());
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs("service,units_consumed,price_per_unit,occurred_at,request_id\n", file) >= 0);
    for (int i = 0; i < MANY; i++) {
        assert_true(fprintf(file, "S%d,1,0.01,2026-10-01T%02d:%02d:%02dZ,m-%d\n", i % 2, i / 3600,
                            i / 60 % 60, i % 60, i) > 0);
    }
    assert_int_equal(fclose(file), 0);
    const char *id = new_customer("Busy");
    CTL_ENDS(&setup, 0, "usage", "import", path, "--customer", id);
    customer = id;
    return customer;
}

static void list__many_pages__every_row_once_in_order(void **state)
{
    (void)state;
    const char *customer = busy_customer();
    struct ctl_result csv =
        CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--output", "csv");
    const char *row = csv.out;
    assert_u64(ctl_count(csv.out, "\n"), MANY + 1);
    for (int i = 0; i < MANY; i++) {
        row = strchr(row, '\n') + 1;
        const char *expected = testkit_format(",m-%d,", i);
        const char *found = strstr(row, expected);
        if (found == NULL || found > strchr(row, '\n')) {
            testkit_fail("row %d is %.120s", i, row);
        }
    }
    struct ctl_result json =
        CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--output", "json");
    assert_u64(ctl_count(json.out, "\"request_id\": \"m-"), MANY);
    assert_null(strstr(json.out, "next_cursor"));
    assert_u64(ctl_count(json.out, "{\"usage\": ["), 1);
    struct ctl_result table = CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer);
    assert_u64(ctl_count(table.out, "\n"), MANY + 1);
    assert_u64(ctl_count(table.out, "OCCURRED_AT"), 1);
}

static void list__limit_and_cursor__goes_on_where_it_ended(void **state)
{
    (void)state;
    const char *customer = busy_customer();
    struct ctl_result all =
        CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--output", "id");
    struct ctl_result first = CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer,
                                       "--limit", "1500", "--output", "id");
    assert_u64(ctl_count(first.out, "\n"), 1500);
    const char *hint = strstr(first.err, "--cursor ");
    assert_non_null(hint);
    struct ctl_result rest =
        CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--cursor",
                 ctl_line(hint + strlen("--cursor ")), "--output", "id");
    assert_string_equal(testkit_format("%s%s", first.out, rest.out), all.out);
    assert_string_equal(rest.err, "");

    /* With nothing left out the body is the REST call's, to the byte. */
    struct ctl_result json = CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--limit",
                                      "7", "--output", "json");
    const char *body = http_get(testkit_format("/api/v1/customers/%s/usage?limit=7", customer));
    assert_string_equal(ctl_line(json.out), ctl_line(body));
}

static void list__filters__narrow_it(void **state)
{
    (void)state;
    const char *customer = busy_customer();
    struct ctl_result window =
        CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--start",
                 "2026-10-01T00:00:10Z", "--end", "2026-10-01T00:00:20Z", "--output", "id");
    assert_u64(ctl_count(window.out, "\n"), 10);
    struct ctl_result service = CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer,
                                         "--service", "S1", "--by", "billed", "--output", "id");
    assert_u64(ctl_count(service.out, "\n"), MANY / 2);
    struct ctl_result month = CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer,
                                       "--month", "2026-10", "--output", "id");
    assert_u64(ctl_count(month.out, "\n"), MANY);
    month = CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--month", "2026-09",
                     "--output", "id");
    assert_string_equal(month.out, "");
    struct ctl_result none = CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--start",
                                      "2026-11-01", "--output", "json");
    assert_string_equal(none.out, "{\"usage\": []}\n");
    none = CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--start", "2026-11-01",
                    "--output", "csv");
    assert_u64(ctl_count(none.out, "\n"), 1);
}

/* The columns of a list are those of an object: none is forgotten when one is added. */
static void list__csv_columns__those_of_the_object(void **state)
{
    (void)state;
    const char *customer = busy_customer();
    struct ctl_result list = CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--limit",
                                      "1", "--output", "csv");
    struct ctl_result id = CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--limit",
                                    "1", "--output", "id");
    struct ctl_result one = CTL_ENDS(&setup, 0, "usage", "get", ctl_line(id.out), "--customer",
                                     customer, "--output", "csv");
    assert_string_equal(list.out, one.out);
    list = CTL_ENDS(&setup, 0, "customer", "list", "--limit", "1", "--output", "csv");
    id = CTL_ENDS(&setup, 0, "customer", "list", "--limit", "1", "--output", "id");
    one = CTL_ENDS(&setup, 0, "customer", "get", ctl_line(id.out), "--output", "csv");
    assert_string_equal(list.out, one.out);
}

static void list__wide_characters__stay_in_line(void **state)
{
    (void)state;
    const char *id = ctl_line(CTL_ENDS(&setup, 0, "customer", "create", "\xE6\x97\xA5\xE6\x9C\xAC",
                                       "--external-id", "wide", "--output", "id")
                                  .out);
    struct ctl_result list = CTL_ENDS(&setup, 0, "customer", "list", "--external-id", "wide");
    assert_contains(list.out, testkit_format("%s  \xE6\x97\xA5\xE6\x9C\xAC  wide         ", id));
    assert_contains(list.out, "  NAME  EXTERNAL_ID  CREATED_AT\n");
}

/* --- bills ------------------------------------------------------------------------------------ */

static void bill__of_a_month__exact_in_every_form(void **state)
{
    (void)state;
    const char *customer = new_customer("Bill");
    static const char *const units[] = {"0.125", "0.125", "58"};
    for (size_t i = 0; i < 3; i++) {
        CTL_ENDS(&setup, 0, "usage", "create", "--customer", customer, "--service",
                 i < 2 ? "Disk" : "Database", "--units", units[i], "--price", "0.05", "--at",
                 "2026-10-31T23:59:59.999999Z");
    }
    CTL_ENDS(&setup, 0, "usage", "create", "--customer", customer, "--service", "Disk", "--units",
             "1", "--price", "1", "--at", "2026-11-01");
    struct ctl_result json = CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month",
                                      "2026-10", "--output", "json");
    const char *body = http_get(testkit_format(
        "/api/v1/customers/%s/bill?start=2026-10-01T00:00:00Z&end=2026-11-01T00:00:00Z", customer));
    assert_string_equal(ctl_line(json.out), ctl_line(body));
    assert_contains(json.out, "\"exact_total\": 2.9125, ");

    struct ctl_result csv = CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--start",
                                     "2026-10-01", "--end", "2026-11-01", "--output", "csv");
    const char *whole =
        testkit_format("%s,2026-10-01T00:00:00.000000Z,2026-11-01T00:00:00.000000Z,USD", customer);
    assert_contains(csv.out, testkit_format("line,%s,,Database,0.05,58,2.9,2.9,1,0,0,,\n", whole));
    assert_contains(csv.out,
                    testkit_format("line,%s,,Disk,0.05,0.25,0.0125,0.01,2,0,0,,\n", whole));
    assert_contains(csv.out, testkit_format("total,%s,,,,,2.9125,2.91,,,,,\n", whole));

    struct ctl_result table =
        CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month", "2026-10");
    assert_contains(table.out, "exact total  2.9125 USD\n");
    assert_contains(table.out, "rounding     -0.0025 USD\n");
    assert_contains(table.out, "total        2.91 USD\n");
}

/* More lines than one page holds: they come together again. */
static void bill__many_lines__whole(void **state)
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
        assert_true(fprintf(file, "S%04d,1,0.01,2026-10-01\n", i) > 0);
    }
    assert_int_equal(fclose(file), 0);
    const char *customer = new_customer("Lines");
    CTL_ENDS(&setup, 0, "usage", "import", path, "--customer", customer, "--derive-ids");
    struct ctl_result json = CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month",
                                      "2026-10", "--output", "json");
    assert_u64(ctl_count(json.out, "{\"service\": \"S"), LINES);
    assert_contains(json.out, "\"adjustments\": [], \"exact_total\": 12.05, \"total\": 12.05, "
                              "\"rounding\": 0}}\n");
    assert_u64(ctl_count(json.out, "\"lines\": ["), 1);
    assert_null(strstr(json.out, "next_cursor"));
    struct ctl_result csv = CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month",
                                     "2026-10", "--output", "csv");
    assert_u64(ctl_count(csv.out, "\nline,"), LINES);
    assert_u64(ctl_count(csv.out, "\ntotal,"), 1);
    struct ctl_result table =
        CTL_ENDS(&setup, 0, "bill", "show", "--customer", customer, "--month", "2026-10");
    assert_u64(ctl_count(table.out, "\nS"), LINES + 1); /* and the heading, SERVICE */
}

/* --- the daemon ------------------------------------------------------------------------------- */

static void server__runs__says_so(void **state)
{
    (void)state;
    struct ctl_result info = CTL_ENDS(&setup, 0, "server", "info", "--output", "json");
    assert_contains(info.out, "{\"server\": {\"version\": ");
    struct ctl_result health = CTL_ENDS(&setup, 0, "server", "health");
    assert_string_equal(health.out, "status  ok\nready   true\n");
}

static void server__is_not_there__nothing_recorded(void **state)
{
    (void)state;
    struct ctl_setup nobody = {.url = testkit_format("unix://%s/nobody", testkit_tmpdir())};
    struct ctl_result create =
        CTL_ENDS(&nobody, 3, "customer", "create", "x", "--timeout", "200ms");
    assert_string_equal(create.out, "");
    assert_contains(create.err, "nothing was recorded");
    CTL_ENDS(&nobody, 3, "server", "health", "--timeout", "200ms");
    /* A flag wins over the environment. */
    CTL_ENDS(&nobody, 0, "server", "health", "--server", setup.url);
}

/* A peer that takes every request and answers none. */
struct mute {
    int fd;
    pthread_t thread;
};

static void *take_and_drop(void *arg)
{
    const struct mute *mute = arg;
    char byte;
    int fd;
    while ((fd = accept(mute->fd, NULL, NULL)) >= 0) {
        ssize_t got = read(fd, &byte, 1);
        close(fd);
        if (got < 0) {
            break;
        }
    }
    return NULL;
}

/* The URL of a new listener that answers nothing. */
static const char *silent_start(int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = testkit_format("%s/mute", testkit_tmpdir());
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    (void)unlink(path); /* of the one before */
    *ret_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*ret_fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(*ret_fd, 8), 0);
    return testkit_format("unix://%s", path);
}

static const char *mute_start(struct mute *mute)
{
    const char *url = silent_start(&mute->fd);
    assert_int_equal(pthread_create(&mute->thread, NULL, take_and_drop, mute), 0);
    return url;
}

static void mute_stop(struct mute *mute)
{
    shutdown(mute->fd, SHUT_RDWR); /* wakes accept() */
    pthread_join(mute->thread, NULL);
    close(mute->fd);
}

/* The command that RESULT advises. */
static const char *settling_command(const struct ctl_result *result)
{
    static const char before[] = "to settle it, run: ";
    const char *command = strstr(result->err, before);
    if (command == NULL) {
        testkit_fail("no advice in:\n%s", result->err);
    }
    command = ctl_line(command + strlen(before));
    assert_contains(command, " --request-id ");
    return command;
}

static void unknown_outcome__hint__settles_it(void **state)
{
    (void)state;
    const char *customer = new_customer("Unknown");
    struct mute mute;
    struct ctl_setup silent = {.url = mute_start(&mute)};
    struct ctl_result lost = CTL(&silent, "usage", "create", "--customer", customer, "--service",
                                 "it's \"one\"", "--units", "1", "--price", "2", "--timeout", "3s");
    struct ctl_result renamed =
        CTL(&silent, "customer", "rename", customer, "x", "--timeout", "3s");
    mute_stop(&mute);
    assert_int_equal(lost.status, 4);
    assert_string_equal(lost.out, "");
    assert_int_equal(renamed.status, 4);
    assert_contains(renamed.err, "doing it again does no harm");

    /* The command that it prints, run twice with a daemon that answers: one record. */
    const char *command = settling_command(&lost);
    struct ctl_setup shell = {.url = setup.url, .program = "/bin/sh"};
    CTL_ENDS(&shell, 0, "-c", command);
    CTL_ENDS(&shell, 0, "-c", command);
    struct ctl_result list =
        CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--output", "csv");
    assert_u64(ctl_count(list.out, "\n"), 2);
    assert_contains(list.out, "\"it's \"\"one\"\"\"");
}

/* The request id is told also where a signal ends the call: nobody else knows it. */
static void interrupted_write__hint__settles_it(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM};
    struct ctl_setup shell = {.url = setup.url, .program = "/bin/sh"};
    for (size_t i = 0; i < 2; i++) {
        const char *customer = new_customer("Interrupted");
        int listener;
        struct ctl_setup silent = {.url = silent_start(&listener)};
        const char *args[] = {"usage",   "create", "--customer", customer, "--service", "S",
                              "--units", "1",      "--price",    "2",      NULL};
        struct ctl_process process = ctl_start(&silent, args);
        int fd = accept(listener, NULL, NULL);
        assert_true(fd >= 0); /* it calls */
        assert_int_equal(kill(process.pid, signals[i]), 0);
        struct ctl_result ended = ctl_wait(&process);
        close(fd);
        close(listener);
        assert_int_equal(ended.status, 256 + signals[i]);
        assert_string_equal(ended.out, "");
        CTL_ENDS(&shell, 0, "-c", settling_command(&ended));
        struct ctl_result list =
            CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--output", "id");
        assert_u64(ctl_count(list.out, "\n"), 1);
    }
}

/* --- command line, configuration, outputs ----------------------------------------------------- */

static void command_line__bad__ends_with_2(void **state)
{
    (void)state;
    static const char *const lines[][8] = {
        {NULL},
        {"bogus"},
        {"customer"},
        {"customer", "create"},
        {"customer", "create", "a", "b"},
        {"customer", "get", "a", "--bogus"},
        {"customer", "list", "--output", "xml"},
        {"customer", "list", "--limit", "0"},
        {"customer", "list", "--timeout", "soon"},
        {"customer", "list", "--timeout", "0s"},
        {"customer", "list", "--server", "http://x"},
        {"bill", "show", "--customer", "c", "--output", "id"},
        {"bill", "show", "--customer", "c", "--month", "2026-13"},
        {"bill", "show", "--customer", "c", "--month=2026-10", "--start=2026-10-01"},
        {"bill", "show", "--customer", "c", "--service", "s"},
        {"bill", "show", "--customer", "c", "--price", "1"},
        {"bill", "show", "--customer", "c", "--explain", "--price=1"},
        {"bill", "list", "--start", "2026-10-01"},
        {"bill", "list", "--end", "2026-10-01", "--output=id"},
        {"usage", "void", "u", "--customer", "c"},
        {"usage", "summary", "--customer", "c", "--window", "week"},
        {"usage", "summary", "--customer", "c", "--group-by", "price"},
        {"usage", "summary", "--customer", "c", "--output", "id"},
        {"adjustment", "create", "--customer", "c", "--amount=1"},
        {"invoice", "finalize", "--month", "2026-10"},
        {"invoice", "finalize", "--all"},
        {"invoice", "finalize", "--all", "--month", "2026-00"},
        {"invoice", "finalize", "--all", "--customer=c", "--month=2026-10"},
        {"invoice", "finalize", "--all", "--request-id=x", "--month=2026-10"},
        {"invoice", "finalize", "--all", "--end=2026-10-01", "--month=2026-10"},
        {"invoice", "finalize", "--customer=c", "--dry-run", "--end=2026-10-01", "--output=id"},
        {"invoice", "finalize", "--customer=c", "--end=yesterday"},
        {"invoice", "show", "0"},
        {"invoice", "show", "-1"},
        {"invoice", "verify", "first"},
        {"usage", "list", "--customer", "c", "--by", "nothing"},
        {"usage", "list", "--customer", "c", "--start", "yesterday"},
        {"usage", "import", "f", "--request-id", "x"},
        {"usage", "import", "f", "--batch", "10001"},
        {"usage", "import", "f", "--format", "xlsx"},
        {"help", "bogus"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct ctl_result result = ctl_expect(&setup, 2, lines[i], __FILE__, __LINE__);
        assert_string_equal(result.out, "");
        assert_string_not_equal(result.err, "");
    }
    assert_contains(CTL_ENDS(&setup, 2, "customer", "list", "--limit", "0").err,
                    "--limit: '0' is not a whole number from 1 on\n");
    struct ctl_result label = CTL_ENDS(&setup, 2, "usage", "create", "--customer", "c", "--service",
                                       "s", "--units", "1", "--price", "1", "--label", "nothing");
    assert_contains(label.err, "--label: 'nothing' is not NAME=VALUE");
    assert_contains(label.err, "Usage: billingctl usage create --customer ID");
}

static void help__asked_for__on_stdout_without_a_daemon(void **state)
{
    (void)state;
    struct ctl_setup nobody = {.url = "unix:///nobody"};
    static const char *const lines[][4] = {
        {"help"},
        {"--help"},
        {"customer", "--help"},
        {"usage", "create", "-h"},
        {"help", "usage"},
        {"help", "bill", "show"},
        {"--version"},
        {"completion", "bash"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct ctl_result result = ctl_expect(&nobody, 0, lines[i], __FILE__, __LINE__);
        assert_string_not_equal(result.out, "");
        assert_string_equal(result.err, "");
    }
}

static void config__behind_the_environment__used(void **state)
{
    (void)state;
    const char *home = testkit_tmpdir();
    const char *path = testkit_format("%s/billing/billingctl.conf", home);
    assert_int_equal(mkdir(testkit_format("%s/billing", home), 0700), 0);
    const char *line = testkit_format("# ours\nurl = %s\n", setup.url);
    testkit_write_file(path, line, strlen(line));
    const char *env[] = {testkit_format("XDG_CONFIG_HOME=%s", home), NULL};
    struct ctl_setup configured = {.env = env};
    CTL_ENDS(&configured, 0, "server", "health");

    const char *wrong[] = {env[0], "BILLING_URL=unix:///nobody", "BILLING_TIMEOUT=100ms", NULL};
    configured.env = wrong;
    CTL_ENDS(&configured, 3, "server", "health");
    CTL_ENDS(&configured, 0, "server", "health", "--server", setup.url);

    const char *bad[] = {env[0], "BILLING_TIMEOUT=soon", NULL};
    configured.env = bad;
    assert_contains(CTL_ENDS(&configured, 2, "server", "health").err,
                    "$BILLING_TIMEOUT: 'soon' is not a duration like 5s, up to a week");
    const char *no_url[] = {"BILLING_URL=http://x", NULL};
    configured.env = no_url;
    assert_contains(CTL_ENDS(&configured, 2, "server", "health").err,
                    "$BILLING_URL: 'http://x' is not a URL like");
    const char *no_token[] = {"BILLING_TOKEN=a\tb", NULL};
    configured.env = no_token;
    struct ctl_result token = CTL_ENDS(&configured, 2, "server", "health");
    assert_contains(token.err, "$BILLING_TOKEN: is not a token in printable ASCII");

    testkit_write_file(path, "uri = x\n", 8);
    configured.env = env;
    assert_contains(CTL_ENDS(&configured, 2, "server", "health").err, "billingctl.conf:1:");
}

static void stdout__full__ends_with_1(void **state)
{
    (void)state;
    struct ctl_setup full = setup;
    full.stdout_path = "/dev/full";
    assert_contains(CTL_ENDS(&full, 1, "customer", "list").err, "cannot write the result");
    assert_contains(CTL_ENDS(&full, 1, "help").err, "cannot write the result");
    /* What was recorded is not lost for it. */
    struct ctl_result unseen =
        CTL_ENDS(&full, 1, "customer", "create", "Unseen", "--request-id", "unseen-1");
    assert_contains(unseen.err, "it is recorded, under request id unseen-1\n");
    CTL_ENDS(&setup, 0, "request", "show", "unseen-1");
    struct ctl_setup shell = {.url = setup.url, .program = "/bin/sh"};
    const char *closed = testkit_format("exec '%s' server health >&-", testkit_billingctl());
    assert_contains(CTL_ENDS(&shell, 1, "-c", closed).err, "cannot write the result");
}

/* What is opened next takes the place of a closed stream: it must not be the connection. */
static void streams__closed__nothing_reaches_the_daemon(void **state)
{
    (void)state;
    struct ctl_setup shell = {.url = setup.url, .program = "/bin/sh"};
    const char *program = testkit_billingctl();
    const char *list =
        testkit_format("exec '%s' usage list --customer %s >&-", program, busy_customer());
    assert_contains(CTL_ENDS(&shell, 1, "-c", list).err, "cannot write the result");

    /* Said to nobody, between calls that go on. */
    const char *path = testkit_format("%s/told.csv", testkit_tmpdir());
    static const char rows[] = "request_id,service,units_consumed,price_per_unit\n"
                               "r1,A,1,1\nr2,A\nr3,A,1,1\n";
    testkit_write_file(path, rows, strlen(rows));
    const char *import =
        testkit_format("exec '%s' usage import '%s' --customer %s --batch 1 --output csv 2>&- <&-",
                       program, path, new_customer("Streams"));
    struct ctl_result told = CTL_ENDS(&shell, 1, "-c", import);
    assert_string_equal(told.out, "rows,recorded,replayed,rejected,usage_recorded,usage_replayed,"
                                  "adjustments_recorded,adjustments_replayed,voids_recorded,"
                                  "voids_replayed\n3,2,0,1,2,0,0,0,0,0\n");
    assert_string_equal(told.err, "");

    const char *input = testkit_format("exec '%s' usage import - --customer %s <&-", program,
                                       new_customer("Streams"));
    assert_contains(CTL_ENDS(&shell, 1, "-c", input).err, "Bad file descriptor");
}

static void stdout__reader_gone__ends_quietly(void **state)
{
    (void)state;
    struct ctl_setup shell = {.url = setup.url, .program = "/bin/sh"};
    const char *customer = busy_customer();
    /* More than a pipe holds, to a reader that has taken one line; also with SIGPIPE ignored. */
    const char *line = testkit_format("trap '' PIPE; '%s' usage list --customer %s | head -n 1",
                                      testkit_billingctl(), customer);
    struct ctl_result result = CTL_ENDS(&shell, 0, "-c", line);
    assert_u64(ctl_count(result.out, "\n"), 1);
    assert_string_equal(result.err, "");
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
    cmocka_unit_test(customer__created__found_in_every_form),
    cmocka_unit_test(customer__renamed__keeps_its_id),
    cmocka_unit_test(customer__same_request_id__one_customer),
    cmocka_unit_test(customer__external_id_taken__says_by_whom),
    cmocka_unit_test(customer__escape_codes_in_its_name__shown_harmless),
    cmocka_unit_test(customer__name_begins_with_a_dash__after_two_dashes),
    cmocka_unit_test(usage__same_request_id__recorded_once),
    cmocka_unit_test(usage__every_flag__recorded),
    cmocka_unit_test(usage__every_bad_field__named_by_its_flag),
    cmocka_unit_test(list__many_pages__every_row_once_in_order),
    cmocka_unit_test(list__limit_and_cursor__goes_on_where_it_ended),
    cmocka_unit_test(list__filters__narrow_it),
    cmocka_unit_test(list__csv_columns__those_of_the_object),
    cmocka_unit_test(list__wide_characters__stay_in_line),
    cmocka_unit_test(bill__of_a_month__exact_in_every_form),
    cmocka_unit_test(bill__many_lines__whole),
    cmocka_unit_test(server__runs__says_so),
    cmocka_unit_test(server__is_not_there__nothing_recorded),
    cmocka_unit_test(unknown_outcome__hint__settles_it),
    cmocka_unit_test(interrupted_write__hint__settles_it),
    cmocka_unit_test(command_line__bad__ends_with_2),
    cmocka_unit_test(help__asked_for__on_stdout_without_a_daemon),
    cmocka_unit_test(config__behind_the_environment__used),
    cmocka_unit_test(stdout__full__ends_with_1),
    cmocka_unit_test(streams__closed__nothing_reaches_the_daemon),
    cmocka_unit_test(stdout__reader_gone__ends_quietly),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests(tests, start, end));
}
