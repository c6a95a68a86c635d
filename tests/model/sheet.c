/* Bills and summaries: everything is gone through, and added up. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/model/parts.h"

enum {
    MINOR_DIGITS = 2, /* of USD */
    SECOND_US = 1000000,
};

/* --- calendar --------------------------------------------------------------------------------- */

static struct tm civil(Billing__V1__SummarizeUsage__Window window, int64_t time_us)
{
    time_t seconds = time_us / SECOND_US;
    struct tm civil;
    if (gmtime_r(&seconds, &civil) == NULL) {
        abort();
    }
    civil.tm_sec = 0;
    civil.tm_min = 0;
    if (window != BILLING__V1__SUMMARIZE_USAGE__WINDOW__HOUR) {
        civil.tm_hour = 0;
    }
    if (window == BILLING__V1__SUMMARIZE_USAGE__WINDOW__MONTH) {
        civil.tm_mday = 1;
    }
    return civil;
}

int64_t window_start(Billing__V1__SummarizeUsage__Window window, int64_t time_us)
{
    struct tm start = civil(window, time_us);
    return (int64_t)timegm(&start) * SECOND_US;
}

int64_t window_end(Billing__V1__SummarizeUsage__Window window, int64_t time_us)
{
    struct tm end = civil(window, time_us);
    end.tm_hour += window == BILLING__V1__SUMMARIZE_USAGE__WINDOW__HOUR;
    end.tm_mday += window == BILLING__V1__SUMMARIZE_USAGE__WINDOW__DAY;
    end.tm_mon += window == BILLING__V1__SUMMARIZE_USAGE__WINDOW__MONTH;
    return (int64_t)timegm(&end) * SECOND_US; /* brings what is too large into order */
}

/* --- lines ------------------------------------------------------------------------------------ */

static void line_add(struct line *line, const struct entry *entry)
{
    bool is_void = entry->kind == BILLING__V1__BILL_RECORD__KIND__VOID;
    mpz_add(line->units, line->units, entry->units);
    mpz_add(line->exact, line->exact, entry->amount);
    line->records += !is_void;
    line->voided += is_void;
    line->late += !is_void && entry_is_late(entry);
}

static struct line *find_line(struct sheet *sheet, struct memory *memory, const char *service,
                              const mpz_t price)
{
    for (size_t i = 0; i < sheet->n_lines; i++) {
        struct line *line = &sheet->lines[i];
        if (strcmp(line->service, service) == 0 && mpz_cmp(line->price, price) == 0) {
            return line;
        }
    }
    struct line fresh = {.service = service};
    mpz_init_set(fresh.price, price);
    mpz_inits(fresh.units, fresh.exact, NULL);
    MEMORY_PUSH(memory, sheet->lines, sheet->n_lines, fresh);
    return &sheet->lines[sheet->n_lines - 1];
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *line_a = a;
    const struct line *line_b = b;
    int by_service = strcmp(line_a->service, line_b->service);
    return by_service != 0 ? by_service : mpz_cmp(line_a->price, line_b->price);
}

static void sort_lines(struct sheet *sheet)
{
    if (sheet->n_lines > 0) {
        qsort(sheet->lines, sheet->n_lines, sizeof *sheet->lines, compare_lines);
    }
}

/* --- bills ------------------------------------------------------------------------------------ */

/* Keep the adjustments in the order of bills_at; among equals the one that came first is first. */
static void add_adjustment(struct sheet *sheet, struct memory *memory, const struct entry *entry)
{
    MEMORY_PUSH(memory, sheet->adjustments, sheet->n_adjustments, entry);
    for (size_t i = sheet->n_adjustments - 1; i > 0; i--) {
        const struct entry *before = sheet->adjustments[i - 1];
        if (before->bills_at <= entry->bills_at) {
            break;
        }
        sheet->adjustments[i - 1] = entry;
        sheet->adjustments[i] = before;
    }
}

static void add_amount(struct sheet *sheet, const mpz_t exact)
{
    mpz_t rounded;
    mpz_init(rounded);
    oracle_round(exact, MINOR_DIGITS, rounded);
    mpz_add(sheet->exact, sheet->exact, exact);
    mpz_add(sheet->total, sheet->total, rounded);
    mpz_sub(sheet->rounding, sheet->total, sheet->exact);
    mpz_clear(rounded);
}

void sheet_init(struct sheet *sheet, struct model *model, const struct customer *customer,
                int64_t start, int64_t end)
{
    *sheet = (struct sheet){0};
    mpz_inits(sheet->exact, sheet->total, sheet->rounding, NULL);
    for (size_t i = 0; i < model->n_entries; i++) {
        const struct entry *entry = model->entries[i];
        if (entry->customer != customer || entry->bills_at < start || entry->bills_at >= end) {
            continue;
        }
        sheet->entries++;
        if (entry->kind == BILLING__V1__BILL_RECORD__KIND__ADJUSTMENT) {
            add_adjustment(sheet, model->step, entry);
            add_amount(sheet, entry->amount);
        } else {
            line_add(find_line(sheet, model->step, entry->service, entry->price), entry);
        }
    }
    sort_lines(sheet);
    for (size_t i = 0; i < sheet->n_lines; i++) {
        add_amount(sheet, sheet->lines[i].exact);
        sheet->records += sheet->lines[i].records;
        sheet->voided += sheet->lines[i].voided;
        sheet->late += sheet->lines[i].late;
    }
}

void sheet_done(struct sheet *sheet)
{
    for (size_t i = 0; i < sheet->n_lines; i++) {
        mpz_clears(sheet->lines[i].price, sheet->lines[i].units, sheet->lines[i].exact, NULL);
    }
    mpz_clears(sheet->exact, sheet->total, sheet->rounding, NULL);
}

static const char *rounded_words(struct model *model, const mpz_t exact)
{
    mpz_t rounded;
    mpz_init(rounded);
    oracle_round(exact, MINOR_DIGITS, rounded);
    const char *words = number_words(model, rounded);
    mpz_clear(rounded);
    return words;
}

Billing__V1__BillLine **sheet_lines(const struct sheet *sheet, struct model *model)
{
    Billing__V1__BillLine **lines = memory_alloc(model->step, sheet->n_lines * sizeof *lines);
    for (size_t i = 0; i < sheet->n_lines; i++) {
        const struct line *line = &sheet->lines[i];
        Billing__V1__BillLine *m =
            MESSAGE_NEW(model->step, Billing__V1__BillLine, billing__v1__bill_line);
        PUT_TEXT(m, service, line->service);
        PUT_TEXT(m, price_per_unit, number_words(model, line->price));
        PUT_TEXT(m, units_consumed, number_words(model, line->units));
        PUT_TEXT(m, exact_amount, number_words(model, line->exact));
        PUT_TEXT(m, amount, rounded_words(model, line->exact));
        PUT(m, records, line->records);
        PUT(m, voided, line->voided);
        PUT(m, late, line->late);
        lines[i] = m;
    }
    return lines;
}

Billing__V1__BillAdjustment **sheet_adjustments(const struct sheet *sheet, struct model *model)
{
    Billing__V1__BillAdjustment **rows =
        memory_alloc(model->step, sheet->n_adjustments * sizeof *rows);
    for (size_t i = 0; i < sheet->n_adjustments; i++) {
        const struct entry *entry = sheet->adjustments[i];
        Billing__V1__BillAdjustment *m =
            MESSAGE_NEW(model->step, Billing__V1__BillAdjustment, billing__v1__bill_adjustment);
        PUT_TEXT(m, id, entry->id);
        PUT_TEXT(m, service, entry->service);
        PUT_TEXT(m, exact_amount, number_words(model, entry->amount));
        PUT_TEXT(m, amount, rounded_words(model, entry->amount));
        PUT_TEXT(m, reason, entry->reason);
        PUT(m, occurred_at, entry->occurred_at);
        rows[i] = m;
    }
    return rows;
}

/* --- summaries -------------------------------------------------------------------------------- */

struct summing {
    struct model *model;
    const struct customer *customer;
    const Billing__V1__SummarizeUsage *asked;
    const char *only; /* service; NULL: all */
    bool by_service;
    bool billed;
    struct sheet shown; /* with include_empty and by_service: the services of every window */
    Billing__V1__SummaryRow **rows;
    size_t n;
};

/* Add up what lies from START to before END, by service or all in one line. */
static void add_up(struct summing *sums, struct sheet *sheet, int64_t start, int64_t end)
{
    mpz_t any_price;
    mpz_init(any_price);
    for (size_t i = 0; i < sums->model->n_entries; i++) {
        const struct entry *entry = sums->model->entries[i];
        int64_t time = sums->billed ? entry->bills_at : entry->occurred_at;
        if (entry->customer == sums->customer &&
            entry->kind != BILLING__V1__BILL_RECORD__KIND__ADJUSTMENT && time >= start &&
            time < end && (sums->only == NULL || strcmp(sums->only, entry->service) == 0)) {
            line_add(find_line(sheet, sums->model->step, sums->by_service ? entry->service : "",
                               any_price),
                     entry);
        }
    }
    mpz_clear(any_price);
}

static void add_window(struct summing *sums, int64_t start, int64_t end)
{
    struct sheet sheet = {0};
    mpz_t any_price;
    mpz_inits(any_price, sheet.exact, sheet.total, sheet.rounding, NULL);
    for (size_t i = 0; i < sums->shown.n_lines; i++) { /* in place even if there is nothing */
        find_line(&sheet, sums->model->step, sums->shown.lines[i].service, any_price);
    }
    add_up(sums, &sheet, start, end);
    sort_lines(&sheet);
    for (size_t i = 0; i < sheet.n_lines; i++) {
        const struct line *line = &sheet.lines[i];
        Billing__V1__SummaryRow *m =
            MESSAGE_NEW(sums->model->step, Billing__V1__SummaryRow, billing__v1__summary_row);
        PUT(m, start, start);
        PUT(m, end, end);
        PUT_TEXT(m, service, sums->by_service ? line->service : NULL);
        PUT_TEXT(m, units_consumed, number_words(sums->model, line->units));
        PUT_TEXT(m, exact_amount, number_words(sums->model, line->exact));
        PUT(m, records, line->records);
        PUT(m, voided, line->voided);
        PUT(m, late, line->late);
        MEMORY_PUSH(sums->model->step, sums->rows, sums->n, m);
    }
    sheet_done(&sheet);
    mpz_clear(any_price);
}

static int compare_times(const void *a, const void *b)
{
    int64_t time_a = *(const int64_t *)a;
    int64_t time_b = *(const int64_t *)b;
    return (time_a > time_b) - (time_a < time_b);
}

/* The starts of the windows in which there is anything, each once. */
static int64_t *used_windows(struct summing *sums, size_t *ret_n)
{
    int64_t *starts = NULL;
    size_t n = 0;
    for (size_t i = 0; i < sums->model->n_entries; i++) {
        const struct entry *entry = sums->model->entries[i];
        int64_t time = sums->billed ? entry->bills_at : entry->occurred_at;
        if (entry->customer == sums->customer && time >= sums->asked->start &&
            time < sums->asked->end) {
            MEMORY_PUSH(sums->model->step, starts, n, window_start(sums->asked->window, time));
        }
    }
    if (n > 0) {
        qsort(starts, n, sizeof *starts, compare_times);
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || starts[kept - 1] != starts[i]) {
            starts[kept++] = starts[i];
        }
    }
    *ret_n = kept;
    return starts;
}

static int64_t within(const Billing__V1__SummarizeUsage *asked, int64_t time)
{
    return time < asked->start ? asked->start : time > asked->end ? asked->end : time;
}

static void add_windows(struct summing *sums)
{
    const Billing__V1__SummarizeUsage *asked = sums->asked;
    if (asked->include_empty) {
        for (int64_t at = asked->start; at < asked->end; at = window_end(asked->window, at)) {
            add_window(sums, at, within(asked, window_end(asked->window, at)));
        }
        return;
    }
    size_t n;
    int64_t *starts = used_windows(sums, &n);
    for (size_t i = 0; i < n; i++) {
        add_window(sums, within(asked, starts[i]),
                   within(asked, window_end(asked->window, starts[i])));
    }
}

Billing__V1__SummaryRow **summary_rows(struct model *model, const struct customer *customer,
                                       const Billing__V1__SummarizeUsage *summarize, size_t *ret_n)
{
    struct summing sums = {
        .model = model,
        .customer = customer,
        .asked = summarize,
        .only = TEXT_OF(model->step, summarize, service),
        .by_service = summarize->has_group_by,
        .billed = summarize->by == BILLING__V1__CLOCK__BILLED,
    };
    mpz_t any_price;
    mpz_inits(any_price, sums.shown.exact, sums.shown.total, sums.shown.rounding, NULL);
    if (summarize->include_empty && sums.by_service && sums.only == NULL) {
        add_up(&sums, &sums.shown, summarize->start, summarize->end);
    } else if (summarize->include_empty) {
        find_line(&sums.shown, model->step, sums.by_service ? sums.only : "", any_price);
    }
    add_windows(&sums);
    sheet_done(&sums.shown);
    mpz_clear(any_price);
    *ret_n = sums.n;
    return sums.rows;
}
