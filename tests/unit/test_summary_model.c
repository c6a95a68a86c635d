/* Summaries of random histories against a plain model. */
#include <stdlib.h>

#include "billingd/ledger/summary.h"
#include "proto/timestamp.h"
#include "tests/lib/bill_history.h"

static const int64_t hour_us = INT64_C(3600) * 1000000;

/* --- the model -------------------------------------------------------------------------------- */

/* It tells windows by how their times begin as text. */
struct expected {
    char key[TIMESTAMP_TEXT_MAX];
    const char *service;
    struct amount units;
    struct amount exact;
    uint64_t records;
    uint64_t voided;
    uint64_t late;
};

struct model {
    const struct history *history;
    const struct summary *asked;
    struct expected *rows;
    size_t n;
};

static const char *key_of(enum window window, int64_t time_us)
{
    static const int lengths[] = {13, 10, 7};
    char text[TIMESTAMP_TEXT_MAX];
    timestamp_print(time_us, text);
    return testkit_format("%.*s", lengths[window], text);
}

static int64_t start_of_key(enum window window, const char *key)
{
    static const char *const rest[] = {":00:00Z", "T00:00:00Z", "-01T00:00:00Z"};
    return book_time(testkit_format("%s%s", key, rest[window]));
}

static int64_t end_of_key(enum window window, const char *key)
{
    static const int64_t hours[] = {1, 24, INT64_C(32) * 24};
    int64_t next_us = start_of_key(window, key) + hours[window] * hour_us;
    return start_of_key(window, key_of(window, next_us));
}

static bool is_asked(const struct model *model, const char *service)
{
    struct slice only = model->asked->service;
    return only.length == 0 || slice_equal(only, slice_of(service));
}

static struct expected *row_of(struct model *model, int64_t time_us, const char *service)
{
    const char *key = key_of(model->asked->window, time_us);
    service = model->asked->by_service ? service : "";
    for (size_t i = 0; i < model->n; i++) {
        struct expected *row = &model->rows[i];
        if (strcmp(row->key, key) == 0 && strcmp(row->service, service) == 0) {
            return row;
        }
    }
    struct expected *row = &model->rows[model->n++];
    *row = (struct expected){.service = service};
    memcpy(row->key, key, strlen(key) + 1);
    return row;
}

/* Whether ROW of the history is in the range, and when. */
static bool time_of(const struct model *model, const struct history_row *row, int64_t *ret_us)
{
    const struct summary *asked = model->asked;
    *ret_us = asked->by == STORE_BY_BILLED ? row->bills_at_us : row->occurred_us;
    return row->kind != RECORD_ADJUSTMENT && is_asked(model, row->service) &&
           *ret_us >= asked->period.start_us && *ret_us < asked->period.end_us;
}

static void add_rows(struct model *model)
{
    int64_t time_us;
    for (size_t i = 0; i < model->history->n; i++) {
        const struct history_row *row = &model->history->rows[i];
        if (time_of(model, row, &time_us)) {
            struct expected *expected = row_of(model, time_us, row->service);
            bool is_usage = row->kind == RECORD_USAGE;
            expected->records += is_usage;
            expected->voided += !is_usage;
            expected->late += is_usage && row->late;
            assert_ok(amount_add(&expected->units, row->units));
            assert_ok(amount_add(&expected->exact, row->exact));
        }
    }
}

static void add_empty_ones(struct model *model)
{
    struct period period = model->asked->period;
    int64_t time_us;
    for (int64_t at_us = period.start_us; at_us < period.end_us;
         at_us += hour_us - at_us % hour_us) {
        if (!model->asked->by_service) {
            row_of(model, at_us, "");
        } else if (model->asked->service.length > 0) {
            row_of(model, at_us,
                   testkit_format("%.*s", (int)model->asked->service.length,
                                  model->asked->service.data));
        }
        for (size_t i = 0; model->asked->by_service && i < model->history->n; i++) {
            if (time_of(model, &model->history->rows[i], &time_us)) {
                row_of(model, at_us, model->history->rows[i].service);
            }
        }
    }
}

static int compare_expected(const void *a, const void *b)
{
    const struct expected *left = a;
    const struct expected *right = b;
    int order = strcmp(left->key, right->key);
    return order != 0 ? order : strcmp(left->service, right->service);
}

static struct model model_of(const struct history *history, const struct summary *asked)
{
    struct model model = {.history = history, .asked = asked};
    uint64_t windows = window_count(WINDOW_HOUR, asked->period);
    model.rows = testkit_alloc((windows * 5 + history->n) * sizeof *model.rows);
    add_rows(&model);
    if (asked->include_empty) {
        add_empty_ones(&model);
    }
    qsort(model.rows, model.n, sizeof *model.rows, compare_expected);
    return model;
}

/* --- comparing -------------------------------------------------------------------------------- */

static void get(struct book *book, struct summary *summary)
{
    struct store_view *view = book_view(book);
    assert_ok(summary_get(view, &book->arena, summary));
    book_release(view);
}

static void assert_row(const struct summary_row *got, const struct expected *expected,
                       const struct summary *asked)
{
    int64_t start_us = start_of_key(asked->window, expected->key);
    int64_t end_us = end_of_key(asked->window, expected->key);
    assert_i64(got->period.start_us,
               start_us < asked->period.start_us ? asked->period.start_us : start_us);
    assert_i64(got->period.end_us, end_us > asked->period.end_us ? asked->period.end_us : end_us);
    assert_text(got->sum->service.data, got->sum->service.length, expected->service);
    assert_u64(got->sum->records, expected->records);
    assert_u64(got->sum->voided, expected->voided);
    assert_u64(got->sum->late, expected->late);
    assert_int_equal(amount_compare(got->sum->units, expected->units), 0);
    assert_int_equal(amount_compare(got->sum->exact, expected->exact), 0);
}

/* All pages of ASKED are together what the model says. */
static void check(const struct history *history, struct summary asked)
{
    struct model model = model_of(history, &asked);
    struct summary page = asked;
    size_t seen = 0;
    do {
        get(history->book, &page);
        assert_true(page.n <= page.limit && seen + page.n <= model.n);
        for (unsigned i = 0; i < page.n; i++) {
            assert_row(&page.rows[i], &model.rows[seen++], &asked);
        }
        if (asked.service.length == 0) { /* else a record that is there may be another's */
            assert_int_equal(page.more, seen < model.n);
        }
        page.from = page.next;
    } while (page.more);
    assert_u64(seen, model.n);
}

/* --- random summaries ------------------------------------------------------------------------- */

static struct period random_period(struct rng *rng, int64_t start_us, int64_t end_us)
{
    int64_t a = rng_between(rng, start_us, end_us);
    int64_t b = rng_between(rng, start_us, end_us);
    if (rng_below(rng, 3) == 0) {
        a -= a % hour_us;
        b -= b % hour_us;
    }
    if (a == b || rng_below(rng, 8) == 0) {
        return (struct period){start_us, end_us};
    }
    return a < b ? (struct period){a, b} : (struct period){b, a};
}

static struct summary random_summary(struct rng *rng, const struct history *history,
                                     struct period period)
{
    static const unsigned limits[] = {1, 2, 3, 7, 50, 1000};
    struct summary asked = {
        .customer = {.seq = history->customer},
        .period = period,
        .by = rng_below(rng, 2) == 0 ? STORE_BY_OCCURRED : STORE_BY_BILLED,
        .window = (enum window)rng_below(rng, 3),
        .by_service = rng_below(rng, 2) == 0,
        .include_empty = rng_below(rng, 2) == 0,
        .limit = limits[rng_below(rng, 6)],
    };
    if (rng_below(rng, 4) == 0) {
        asked.service = rng_below(rng, 4) == 0 ? SLICE("nobody's") : SLICE("aa");
    }
    return asked;
}

static void summary_get__random_histories__are_as_a_plain_model_adds_them_up(void **state)
{
    static const struct {
        const char *start;
        const char *end;
    } eras[] = {
        {"2027-12-30T12:00:00Z", "2028-01-03T01:00:00Z"}, /* a year's end */
        {"2028-02-26T00:00:00Z", "2028-03-02T00:00:00Z"}, /* a leap day */
        {"2100-02-26T00:00:00Z", "2100-03-03T05:30:00Z"}, /* none */
        {"2027-03-29T00:00:00Z", "2027-05-02T00:00:00Z"}, /* months of 31 and 30 days */
        {"1970-01-01T00:00:00Z", "1970-01-04T00:00:00Z"},
    };
    struct rng rng = rng_make("summaries");
    struct book *book = book_open();
    (void)state;
    book->env.now_us = book_time("2100-12-31T00:00:00Z");
    for (size_t era = 0; era < sizeof eras / sizeof eras[0]; era++) {
        int64_t start_us = book_time(eras[era].start);
        int64_t end_us = book_time(eras[era].end);
        struct history history = history_make(book, &rng, start_us, end_us, 100);
        for (int i = 0; i < 15; i++) {
            check(&history, random_summary(&rng, &history, random_period(&rng, start_us, end_us)));
        }
    }
    book_close(book);
}

static void summary_get__pages_at_every_limit__are_the_whole(void **state)
{
    struct rng rng = rng_make("summary pages");
    struct book *book = book_open();
    int64_t start_us = book_time("2026-10-30T00:00:00Z");
    int64_t end_us = book_time("2026-11-02T00:00:00Z");
    struct history history = history_make(book, &rng, start_us, end_us, 80);
    (void)state;
    for (unsigned limit = 1; limit <= 40; limit++) {
        struct summary asked = random_summary(&rng, &history, (struct period){start_us, end_us});
        asked.limit = limit;
        check(&history, asked);
        asked.window = WINDOW_HOUR;
        asked.by_service = true;
        asked.service = (struct slice){0};
        check(&history, asked);
    }
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(summary_get__random_histories__are_as_a_plain_model_adds_them_up),
    cmocka_unit_test(summary_get__pages_at_every_limit__are_the_whole),
};

TESTKIT_MAIN(tests)
