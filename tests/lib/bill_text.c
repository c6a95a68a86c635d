#include "tests/lib/bill_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "billingd/ledger/bill.h"
#include "tests/lib/testkit.h"

struct text {
    char *data;
    size_t length;
    FILE *file;
};

static void begin(struct text *text)
{
    text->file = open_memstream(&text->data, &text->length);
    assert_non_null(text->file);
}

static const char *end(struct text *text)
{
    assert_int_equal(fclose(text->file), 0);
    char *copy = testkit_alloc(text->length + 1);
    memcpy(copy, text->data, text->length);
    free(text->data);
    return copy;
}

static void put_amount(struct text *text, struct amount amount)
{
    char printed[AMOUNT_TEXT_MAX];
    amount_print(amount, printed);
    assert_true(fputs(printed, text->file) >= 0);
}

static void put_line(struct text *text, const struct bill_line *line)
{
    char price[DECIMAL_TEXT_MAX];
    decimal_print(line->price, price);
    assert_true(fprintf(text->file, "%.*s %s x ", (int)line->service.length, line->service.data,
                        price) > 0);
    put_amount(text, line->units);
    assert_true(fprintf(text->file, " = ") > 0);
    put_amount(text, line->exact);
    assert_true(fprintf(text->file, ", %llu records, %llu voided, %llu late\n",
                        (unsigned long long)line->records, (unsigned long long)line->voided,
                        (unsigned long long)line->late) > 0);
}

static void put_adjustment(struct text *text, const struct record *record)
{
    assert_true(fprintf(text->file, "adjustment %llu = ", (unsigned long long)record->seq) > 0);
    put_amount(text, amount_from_decimal(record->adjustment.amount));
    assert_true(fputc('\n', text->file) > 0);
}

static void put_totals(struct text *text, struct amount exact, struct amount total)
{
    assert_true(fprintf(text->file, "exact ") > 0);
    put_amount(text, exact);
    assert_true(fprintf(text->file, ", total ") > 0);
    put_amount(text, total);
    assert_true(fputc('\n', text->file) > 0);
}

const char *bill_text(struct book *book, uint64_t customer, struct period period, unsigned limit)
{
    struct bill_get get = {.customer = {.seq = customer}, .period = period, .limit = limit};
    struct text text;
    begin(&text);
    do {
        struct store_view *view = book_view(book);
        assert_ok(bill_get(view, &book->arena, &book->env, &get));
        book_release(view);
        assert_true(get.n_lines + get.n_adjustments <= limit);
        assert_true(get.n_lines + get.n_adjustments == limit || !get.more);
        for (size_t i = 0; i < get.n_lines; i++) {
            put_line(&text, get.lines[i]);
        }
        for (size_t i = 0; i < get.n_adjustments; i++) {
            put_adjustment(&text, &get.adjustments[i]);
        }
        get.after = get.last;
    } while (get.more);
    put_totals(&text, get.totals.exact, get.totals.total);
    return end(&text);
}

const char *invoice_text(struct book *book, uint64_t number, unsigned limit)
{
    struct invoice_page page = {.limit = limit};
    struct text text;
    begin(&text);
    do {
        struct store_view *view = book_view(book);
        assert_ok(invoice_get(view, &book->arena, number, &page));
        book_release(view);
        assert_true(page.n_lines + page.n_adjustments <= limit);
        assert_true(page.n_lines + page.n_adjustments == limit || !page.more);
        for (size_t i = 0; i < page.n_lines; i++) {
            put_line(&text, &page.lines[i]);
        }
        for (size_t i = 0; i < page.n_adjustments; i++) {
            put_adjustment(&text, &page.adjustments[i]);
        }
        page.after += page.n_lines + page.n_adjustments;
    } while (page.more);
    put_totals(&text, page.record.invoice.exact, page.record.invoice.total);
    return end(&text);
}
