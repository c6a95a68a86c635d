/* `usage export` against real daemons: what one has, another gets, to the last digit, and what is
 * there already stays as it is. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/ctl_run.h"
#include "tests/lib/daemon.h"
#include "tests/lib/decimal_oracle.h"
#include "tests/lib/testkit.h"

/* --- helpers ---------------------------------------------------------------------------------- */

struct desk {
    struct daemon_process *billingd;
    struct ctl_setup setup;
};

static struct desk open_desk(void)
{
    struct desk desk = {.billingd = daemon_process_start(NULL)};
    desk.setup.url = daemon_process_url(desk.billingd);
    return desk;
}

static void close_desk(struct desk *desk)
{
    daemon_process_stop(desk->billingd);
    daemon_process_destroy(desk->billingd);
}

static const char *file_of(const char *name, const char *text)
{
    const char *path = testkit_format("%s/%s", testkit_tmpdir(), name);
    testkit_write_file(path, text, strlen(text));
    return path;
}

/* The export in FORMAT as a file. */
static const char *exported(const struct desk *desk, const char *format)
{
    struct ctl_result result =
        CTL_ENDS(&desk->setup, 0, "usage", "export", "--format", format, "--quiet");
    assert_string_equal(result.err, "");
    return file_of(testkit_format("export.%s", format), result.out);
}

/* Import PATH in FORMAT and look at "recorded" and "replayed". */
static void imports(const struct desk *desk, const char *path, const char *format,
                    unsigned recorded, unsigned replayed)
{
    struct ctl_result result =
        CTL_ENDS(&desk->setup, 0, "usage", "import", path, "--format", format, "--output", "json");
    const char *expected =
        testkit_format("\"recorded\": %u, \"replayed\": %u, \"rejected\": 0", recorded, replayed);
    if (strstr(result.out, expected) == NULL) {
        testkit_fail("no '%s' in %s\n%s", expected, result.out, result.err);
    }
}

/* TEXT with its ids made alike: those of two daemons differ. */
static const char *without_ids(const char *text)
{
    char *copy = (char *)(uintptr_t)testkit_format("%s", text);
    static const char *const prefixes[] = {"cus_", "adj_"};
    for (size_t i = 0; i < 2; i++) {
        for (char *at = copy; (at = strstr(at, prefixes[i])) != NULL; at += strlen(prefixes[i])) {
            memset(at + 4, '0', strspn(at + 4, "0123456789abcdefghijklmnopqrstuvwxyz"));
        }
    }
    return copy;
}

static const char *bill_of(const struct desk *desk, const char *external_id)
{
    return without_ids(CTL_ENDS(&desk->setup, 0, "bill", "show", "--customer",
                                testkit_format("external:%s", external_id), "--month", "2024-09",
                                "--output", "csv")
                           .out);
}

/* --- the same bills --------------------------------------------------------------------------- */

enum {
    CUSTOMERS_MAX = 100,
    COLUMNS_MAX = 64,
};

/* A FOCUS file once more, apart from billingctl's own reading of it. */
struct focus_total {
    const char *external_id;
    mpz_t value; /* scaled by 10^36 */
};

struct focus_totals {
    struct focus_total of[CUSTOMERS_MAX];
    size_t count;
};

/* Take the fields of the line at TEXT apart, in place.  Returns the next line. */
static char *split(char *text, char *fields[COLUMNS_MAX], size_t *ret_count)
{
    char end = ',';
    *ret_count = 0;
    while (end == ',') {
        bool quoted = *text == '"';
        char *to = quoted ? ++text : text;
        assert_true(*ret_count < COLUMNS_MAX - 1);
        fields[(*ret_count)++] = to;
        for (; quoted ? (*text != '"' || text[1] == '"') : strchr(",\n", *text) == NULL; text++) {
            text += quoted && *text == '"';
            *to++ = *text;
        }
        text += quoted;
        end = *text++;
        *to = '\0';
    }
    return text;
}

/* The field of the column NAME; HEADER, the first line's, ends with NULL. */
static const char *field(char *const *header, char *const *fields, const char *name)
{
    for (size_t i = 0; header[i] != NULL; i++) {
        if (strcmp(header[i], name) == 0) {
            return fields[i];
        }
    }
    testkit_fail("no column '%s'", name);
    return "";
}

static void parse(const char *text, mpz_t ret)
{
    if (oracle_parse(text, strlen(text), ret) != ORACLE_FITS) {
        testkit_fail("'%s' is no decimal", text);
    }
}

static struct focus_total *total_of(struct focus_totals *totals, const char *external_id)
{
    for (size_t i = 0; i < totals->count; i++) {
        if (strcmp(totals->of[i].external_id, external_id) == 0) {
            return &totals->of[i];
        }
    }
    assert_true(totals->count < CUSTOMERS_MAX);
    struct focus_total *total = &totals->of[totals->count++];
    total->external_id = testkit_format("%s", external_id);
    mpz_init(total->value);
    return total;
}

/* Quantity times price of what is usage, else the billed cost. */
static void add_row(struct focus_totals *totals, char *const *header, char *const *fields)
{
    const char *units = field(header, fields, "ConsumedQuantity");
    mpz_t amount;
    mpz_t price;
    mpz_inits(amount, price, NULL);
    if (strcmp(field(header, fields, "ChargeCategory"), "Usage") != 0 ||
        strcmp(units, "NULL") == 0) {
        parse(field(header, fields, "BilledCost"), amount);
    } else {
        mpz_t scale;
        mpz_init(scale);
        oracle_power(scale, ORACLE_SCALE);
        parse(units, amount);
        parse(field(header, fields, "ListUnitPrice"), price);
        mpz_mul(amount, amount, price);
        assert_true(mpz_divisible_p(amount, scale) != 0);
        mpz_divexact(amount, amount, scale);
        mpz_clear(scale);
    }
    struct focus_total *total = total_of(totals, field(header, fields, "SubAccountId"));
    mpz_add(total->value, total->value, amount);
    mpz_clears(amount, price, NULL);
}

static void add_up(const char *path, struct focus_totals *totals)
{
    char *header[COLUMNS_MAX] = {0};
    char *fields[COLUMNS_MAX] = {0};
    size_t columns = 0;
    size_t count;
    char *data = testkit_read_file(path, NULL);
    char *next = split(data, header, &columns);
    while (*next != '\0') {
        next = split(next, fields, &count);
        assert_u64(count, columns);
        add_row(totals, header, fields);
    }
    free(data);
}

/* The bills of September, each against the sum from the file. */
static void totals_are_those_of(const struct desk *desk, const char *path)
{
    struct focus_totals totals = {.count = 0};
    char text[ORACLE_TEXT_MAX];
    add_up(path, &totals);
    assert_true(totals.count > 0);
    for (size_t i = 0; i < totals.count; i++) {
        struct ctl_result bill = CTL_ENDS(&desk->setup, 0, "bill", "show", "--customer",
                                          testkit_format("external:%s", totals.of[i].external_id),
                                          "--month", "2024-09", "--output", "json");
        oracle_print(totals.of[i].value, text);
        if (strstr(bill.out, testkit_format("\"exact_total\": %s,", text)) == NULL) {
            testkit_fail("of %s: %s is not in\n%s", totals.of[i].external_id, text, bill.out);
        }
        mpz_clear(totals.of[i].value);
    }
}

/* Import the FOCUS file PATH of ROWS rows, export it, and import that into a fresh daemon: both
 * have the same bills, those that the file makes, and know every row when it comes again. */
static void round_trips(const char *path, unsigned rows)
{
    static const char *const formats[] = {"csv", "ndjson", "focus"};
    struct focus_totals totals = {.count = 0};
    struct desk first = open_desk();
    struct desk second = open_desk();
    imports(&first, path, "focus", rows, 0);
    imports(&first, path, "focus", 0, rows);
    totals_are_those_of(&first, path);
    for (size_t i = 0; i < 3; i++) {
        imports(&first, exported(&first, formats[i]), formats[i], 0, rows);
    }
    imports(&second, exported(&first, "focus"), "focus", rows, 0);
    imports(&second, exported(&first, "focus"), "focus", 0, rows);
    imports(&second, exported(&first, "csv"), "csv", 0, rows);
    imports(&first, exported(&second, "focus"), "focus", 0, rows);
    add_up(path, &totals);
    for (size_t i = 0; i < totals.count; i++) {
        assert_string_equal(bill_of(&first, totals.of[i].external_id),
                            bill_of(&second, totals.of[i].external_id));
        mpz_clear(totals.of[i].value);
    }
    close_desk(&first);
    close_desk(&second);
}

static void focus__small_file__same_bills_elsewhere(void **state)
{
    (void)state;
    round_trips(testkit_format("%s/tests/data/focus_small.csv", testkit_source_dir()), 19);
}

static void focus__real_sample__same_bills_elsewhere(void **state)
{
    (void)state;
    const char *path = testkit_shared_data("focus_sample_600.csv");
    if (path == NULL) {
        skip();
    }
    round_trips(path, 600);
}

/* --- awkward records -------------------------------------------------------------------------- */

/* Two customers with usage, of which one record is voided, and adjustments. */
static void record_awkward(const struct desk *desk)
{
    const struct ctl_setup *setup = &desk->setup;
    const char *nameless = ctl_line(
        CTL_ENDS(setup, 0, "customer", "create", "No \"id\", at all", "--output", "id").out);
    CTL_ENDS(setup, 0, "customer", "create", "NULL", "--external-id", "NULL");
    CTL_ENDS(setup, 0, "usage", "create", "--customer", nameless, "--service", "S, \"x\"",
             "--units", "3", "--price", "0.5", "--at", "2024-09-10T10:11:12.345678Z", "--label",
             "region=eu", "--label", "sku=", "--label", "we\"ird=NULL");
    CTL_ENDS(setup, 0, "usage", "create", "--customer", nameless, "--service", "NULL", "--units",
             "0", "--price", "0.000000000000000001", "--label", "region=NULL");
    const char *wrong =
        ctl_line(CTL_ENDS(setup, 0, "usage", "create", "--customer", "external:NULL", "--service",
                          "S", "--units", "2.25", "--price", "1000.000001", "--at", "2024-09-11",
                          "--output", "id")
                     .out);
    CTL_ENDS(setup, 0, "usage", "void", wrong, "--customer", "external:NULL", "--reason",
             "wrong, \"very\"");
    CTL_ENDS(setup, 0, "adjustment", "create", "--customer", "external:NULL", "--amount", "-12.5",
             "--reason", "Credit: NULL", "--at", "2024-09-12");
    CTL_ENDS(setup, 0, "adjustment", "create", "--customer", nameless, "--amount", "0", "--service",
             "S", "--reason", "NULL");
}

/* Names that mean null elsewhere, labels that are empty, no external id, times left to the
 * daemon. */
static void awkward_records__each_format__known_again(void **state)
{
    (void)state;
    static const char *const formats[] = {"csv", "ndjson", "focus"};
    struct desk first = open_desk();
    struct desk second = open_desk();
    record_awkward(&first);
    for (size_t i = 0; i < 3; i++) {
        imports(&first, exported(&first, formats[i]), formats[i], 0, 6);
    }
    imports(&second, exported(&first, "focus"), "focus", 6, 0);
    imports(&second, exported(&first, "focus"), "focus", 0, 6);
    /* And back: the external id there is the id here. */
    imports(&first, exported(&second, "focus"), "focus", 0, 6);
    struct ctl_result customers = CTL_ENDS(&first.setup, 0, "customer", "list", "--output", "id");
    assert_u64(ctl_count(customers.out, "\n"), 2);
    assert_string_equal(bill_of(&first, "NULL"), bill_of(&second, "NULL"));
    assert_contains(bill_of(&second, "NULL"), ",-12.5,");
    close_desk(&first);
    close_desk(&second);
}

/* An id that is somebody else's here charges nobody. */
static void focus__id_of_another_name__rejected(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    record_awkward(&desk);
    char *data = testkit_read_file(exported(&desk, "focus"), NULL);
    for (char *at = data; (at = strstr(at, "at all")) != NULL;) {
        memcpy(at, "AT ALL", 6);
    }
    struct ctl_result result =
        CTL_ENDS(&desk.setup, 1, "usage", "import", file_of("renamed.csv", data), "--format",
                 "focus", "--output", "json");
    free(data);
    assert_contains(result.out, "\"recorded\": 0, \"replayed\": 3, \"rejected\": 3");
    assert_contains(result.err, "is 'No \"id\", at all' here and 'No \"id\", AT ALL' in the file");
    close_desk(&desk);
}

/* --- windows ---------------------------------------------------------------------------------- */

/* A void after an invoice: by the time when it was used it stands at its usage, by the time when it
 * bills in the next period, where it corrects the one before. */
static void late_void__by_each_clock__where_it_belongs(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    const struct ctl_setup *setup = &desk.setup;
    CTL_ENDS(setup, 0, "customer", "create", "C", "--external-id", "c");
    const char *usage =
        ctl_line(CTL_ENDS(setup, 0, "usage", "create", "--customer", "external:c", "--service", "S",
                          "--units", "2", "--price", "3", "--at", "2024-09-11", "--output", "id")
                     .out);
    CTL_ENDS(setup, 0, "invoice", "finalize", "--customer", "external:c", "--month", "2024-09");
    CTL_ENDS(setup, 0, "usage", "void", usage, "--customer", "external:c", "--reason", "wrong");
    const struct {
        const char *by;
        const char *month;
        size_t usage;
        size_t voids;
    } cases[] = {
        {"occurred", "2024-09", 1, 1},
        {"occurred", "2024-10", 0, 0},
        {"billed", "2024-09", 1, 0},
        {"billed", "2024-10", 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ctl_result rows = CTL_ENDS(setup, 0, "usage", "export", "--by", cases[i].by,
                                          "--month", cases[i].month, "--quiet");
        assert_u64(ctl_count(rows.out, "\nusage,"), cases[i].usage);
        assert_u64(ctl_count(rows.out, "\nvoid,"), cases[i].voids);
    }
    struct ctl_result all =
        CTL_ENDS(setup, 0, "usage", "export", "--by", "billed", "--format", "focus");
    assert_u64(ctl_count(all.out, ",Usage,Correction,wrong,"), 1);
    assert_u64(ctl_count(all.out, "\n"), 3);
    assert_string_equal(all.err, "billingctl: 2 rows of 1 customers\n");
    close_desk(&desk);
}

static void window_and_customer__choose(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    const struct ctl_setup *setup = &desk.setup;
    record_awkward(&desk);
    struct ctl_result rows =
        CTL_ENDS(setup, 0, "usage", "export", "--customer", "external:NULL", "--quiet");
    assert_u64(ctl_count(rows.out, "\n"), 4);
    rows = CTL_ENDS(setup, 0, "usage", "export", "--start", "2024-09-11", "--end", "2024-09-12");
    assert_u64(ctl_count(rows.out, "\n"), 3);
    assert_string_equal(rows.err, "billingctl: 2 rows of 2 customers\n");
    rows = CTL_ENDS(setup, 0, "usage", "export", "--month", "2023-01", "--format", "ndjson");
    assert_string_equal(rows.out, "");
    close_desk(&desk);
}

static void bad_requests__refused_and_said(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    const struct ctl_setup *setup = &desk.setup;
    record_awkward(&desk);
    assert_contains(CTL_ENDS(setup, 2, "usage", "export", "--output", "csv").err, "--format");
    CTL_ENDS(setup, 2, "usage", "export", "--format", "xml");
    CTL_ENDS(setup, 2, "usage", "export", "--by", "whim");
    CTL_ENDS(setup, 2, "usage", "export", "--month", "2024-09", "--start", "2024-09-01");
    CTL_ENDS(setup, 2, "usage", "export", "FILE");
    struct ctl_result nobody =
        CTL_ENDS(setup, 1, "usage", "export", "--customer", "external:nobody");
    assert_contains(nobody.err, "the export is not whole: it ends after 0 rows\n");
    struct ctl_setup full = *setup;
    full.stdout_path = "/dev/full";
    assert_contains(CTL_ENDS(&full, 1, "usage", "export").err, "cannot write the result");
    close_desk(&desk);
}

/* --- many ------------------------------------------------------------------------------------- */

enum {
    MANY = 100000,
};

static const char *many_rows(void)
{
    const char *path = testkit_format("%s/many.csv", testkit_tmpdir());
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs("request_id,service,units_consumed,price_per_unit,occurred_at\n", file) >= 0);
    for (unsigned i = 0; i < MANY; i++) {
        assert_true(fprintf(file, "m%u,S,%u,0.01,2024-09-01\n", i, i) > 0);
    }
    assert_int_equal(fclose(file), 0);
    return path;
}

/* The anonymous memory of process PID in KiB. */
static unsigned long rss_anon_kib(pid_t pid)
{
    char *status = testkit_read_file(testkit_format("/proc/%d/status", (int)pid), NULL);
    const char *at = strstr(status, "RssAnon:");
    assert_non_null(at);
    unsigned long kib = strtoul(at + strlen("RssAnon:"), NULL, 10);
    free(status);
    return kib;
}

/* Read FD, the output of PID, to the end; *RET_EARLY and *RET_LATE are its memory after a tenth and
 * nine tenths of MANY lines.  It cannot run ahead of us by more than the pipe holds.  Returns the
 * number of lines. */
static size_t read_lines(int fd, pid_t pid, unsigned long *ret_early, unsigned long *ret_late)
{
    char buffer[4096];
    size_t lines = 0;
    ssize_t got;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {
        size_t before = lines;
        for (ssize_t i = 0; i < got; i++) {
            lines += buffer[i] == '\n';
        }
        if (before < MANY / 10 && lines >= MANY / 10) {
            *ret_early = rss_anon_kib(pid);
        }
        if (before < MANY / 10 * 9 && lines >= MANY / 10 * 9) {
            *ret_late = rss_anon_kib(pid);
        }
    }
    return lines;
}

static void many_rows__streamed__in_the_memory_of_a_page(void **state)
{
    (void)state;
    struct desk desk = open_desk();
    struct ctl_setup piped = desk.setup;
    unsigned long early = 0;
    unsigned long late = 0;
    CTL_ENDS(&desk.setup, 0, "customer", "create", "C", "--external-id", "c");
    CTL_ENDS(&desk.setup, 0, "usage", "import", many_rows(), "--customer", "external:c");
    piped.stdout_path = testkit_format("%s/pipe", testkit_tmpdir());
    assert_int_equal(mkfifo(piped.stdout_path, 0600), 0);
    const char *const args[] = {"usage", "export", "--format", "focus", NULL};
    struct ctl_process process = ctl_start(&piped, args);
    int fd = open(piped.stdout_path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_u64(read_lines(fd, process.pid, &early, &late), MANY + 1);
    assert_int_equal(close(fd), 0);
    assert_int_equal(ctl_wait(&process).status, 0);
    print_message("export of %d rows: %lu KiB anonymous after a tenth, %lu KiB after nine\n", MANY,
                  early, late);
    /* The rows alone, as text, are 20 MiB and more. */
    assert_true(TESTKIT_SANITIZED || late < early + 2 * 1024);
    close_desk(&desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(focus__small_file__same_bills_elsewhere),
    cmocka_unit_test(focus__real_sample__same_bills_elsewhere),
    cmocka_unit_test(awkward_records__each_format__known_again),
    cmocka_unit_test(focus__id_of_another_name__rejected),
    cmocka_unit_test(late_void__by_each_clock__where_it_belongs),
    cmocka_unit_test(window_and_customer__choose),
    cmocka_unit_test(bad_requests__refused_and_said),
    cmocka_unit_test(many_rows__streamed__in_the_memory_of_a_page),
};

TESTKIT_MAIN(tests)
