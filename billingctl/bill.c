#include <stdlib.h>
#include <string.h>

#include "billingctl/ctl.h"
#include "billingctl/memory.h"
#include "billingctl/nouns.h"
#include "billingctl/pages.h"
#include "billingctl/say.h"
#include "billingctl/values.h"

enum {
    TRIES_MAX = 5,
};

struct page {
    billing_object *reply; /* owned */
};

/* A whole bill: its totals stand on each of its pages, of which there is at least one. */
struct bill_pages {
    struct page *pages; /* owned */
    size_t count;
};

static void free_pages(struct bill_pages *bill)
{
    for (size_t i = 0; i < bill->count; i++) {
        billing_object_free(bill->pages[i].reply);
    }
    free(bill->pages);
    *bill = (struct bill_pages){0};
}

/* The page that the totals are taken from. */
static const billing_object *first_page(const struct bill_pages *bill)
{
    return bill->count > 0 ? bill->pages[0].reply : NULL;
}

/* --- asking ----------------------------------------------------------------------------------- */

static int set_window(const struct ctl *ctl, billing_query *query)
{
    const char *month = ctl_value(ctl, FLAG_MONTH);
    struct reason reason;
    int64_t start_us;
    int64_t end_us;
    if (month == NULL) {
        return pages_set_window(ctl, query);
    }
    if (ctl_value(ctl, FLAG_START) != NULL || ctl_value(ctl, FLAG_END) != NULL) {
        return ctl_usage(ctl, "--month stands in place of --start and --end");
    }
    if (!value_month(month, &start_us, &end_us, &reason)) {
        return ctl_usage_value(ctl, FLAG_MONTH, &reason);
    }
    int status = billing_query_set_start_us(query, start_us);
    return ctl_exit_status(status != 0 ? status : billing_query_set_end_us(query, end_us));
}

static int get_pages(const struct ctl *ctl, billing_query *query, struct bill_pages *bill)
{
    const char *cursor = NULL;
    billing_object *page;
    billing_error *error;
    do {
        int status = billing_query_set_cursor(query, cursor);
        if (status != 0) {
            return ctl_failed(ctl, status, NULL);
        }
        status = billing_bill_get(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), query, &page, &error);
        if (status != 0) {
            return ctl_failed(ctl, status, error);
        }
        bill->pages = memory_resize(bill->pages, bill->count + 1, sizeof *bill->pages);
        bill->pages[bill->count++].reply = page;
        cursor = billing_object_text(page, "next_cursor");
    } while (cursor != NULL);
    return CTL_DONE;
}

/* Whether all pages are of the same bill: nothing was recorded between them. */
static bool is_consistent(const struct bill_pages *bill)
{
    static const char path[] = "bill.exact_total";
    for (size_t i = 1; i < bill->count; i++) {
        if (strcmp(output_value(bill->pages[i - 1].reply, path),
                   output_value(bill->pages[i].reply, path)) != 0) {
            return false;
        }
    }
    return true;
}

static int get_bill(const struct ctl *ctl, billing_query *query, struct bill_pages *bill)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        int code = get_pages(ctl, query, bill);
        if (code != CTL_DONE || is_consistent(bill)) {
            return code;
        }
        free_pages(bill);
    }
    say("the bill keeps changing while its pages are read; try again");
    return CTL_NOT_RECORDED;
}

/* --- printing --------------------------------------------------------------------------------- */

static const struct column line_columns[] = {
    {"service", true, false},     {"price_per_unit", true, true}, {"units_consumed", true, true},
    {"exact_amount", true, true}, {"amount", true, true},         {"records", true, true},
    {"voided", true, true},       {"late", true, true},
};

enum {
    LINE_COLUMNS = sizeof line_columns / sizeof line_columns[0],
};

static const struct view line_view = {"bill.lines", line_columns, LINE_COLUMNS};

static void print_fact(const char *name, const char *value, const char *unit)
{
    struct text line = {0};
    text_printf(&line, "%-13s", name);
    text_put_visible(&line, value);
    text_puts(&line, *unit != '\0' ? " " : "");
    text_put_visible(&line, unit);
    text_puts(&line, "\n");
    output_text(text_of(&line));
    text_done(&line);
}

static void print_table(const struct bill_pages *bill)
{
    const billing_object *facts = billing_object_child(first_page(bill), "bill");
    const char *currency = output_value(facts, "currency");
    struct list list = {.format = OUTPUT_TABLE, .view = &line_view};
    print_fact("customer", output_value(facts, "customer_id"), "");
    print_fact("start", output_value(facts, "start"), "");
    print_fact("end", output_value(facts, "end"), "");
    output_text("\n");
    for (size_t i = 0; i < bill->count; i++) {
        output_list_measure(&list, bill->pages[i].reply);
    }
    for (size_t i = 0; i < bill->count; i++) {
        output_list_page(&list, bill->pages[i].reply, SIZE_MAX);
    }
    output_list_end(&list, NULL);
    output_text("\n");
    print_fact("exact total", output_value(facts, "exact_total"), currency);
    print_fact("rounding", output_value(facts, "rounding"), currency);
    print_fact("total", output_value(facts, "total"), currency);
}

/* A row whose cells are those of a line, with KIND in front. */
static void print_csv_line(const char *kind, const billing_object *line)
{
    const char *fields[1 + LINE_COLUMNS] = {kind};
    for (size_t i = 0; i < LINE_COLUMNS; i++) {
        fields[1 + i] = output_value(line, line_columns[i].name);
    }
    output_csv_row(fields, 1 + LINE_COLUMNS);
}

/* The lines, then the totals as a last row: the first column tells them apart. */
static void print_csv(const struct bill_pages *bill)
{
    const char *header[1 + LINE_COLUMNS] = {"kind"};
    const char *total[1 + LINE_COLUMNS] = {"total"};
    const billing_object *line;
    for (size_t i = 0; i < LINE_COLUMNS; i++) {
        header[1 + i] = line_columns[i].name;
        total[1 + i] = "";
        if (strcmp(line_columns[i].name, "exact_amount") == 0) {
            total[1 + i] = output_value(first_page(bill), "bill.exact_total");
        } else if (strcmp(line_columns[i].name, "amount") == 0) {
            total[1 + i] = output_value(first_page(bill), "bill.total");
        }
    }
    output_csv_row(header, 1 + LINE_COLUMNS);
    for (size_t i = 0; i < bill->count; i++) {
        for (size_t j = 0;
             (line = billing_object_item(bill->pages[i].reply, "bill.lines", j)) != NULL; j++) {
            print_csv_line("line", line);
        }
    }
    output_csv_row(total, 1 + LINE_COLUMNS);
}

/* The lines of all pages as one list. */
static void print_json_lines(const struct bill_pages *bill)
{
    const billing_object *line;
    const char *separator = "";
    output_text("[");
    for (size_t i = 0; i < bill->count; i++) {
        for (size_t j = 0;
             (line = billing_object_item(bill->pages[i].reply, "bill.lines", j)) != NULL; j++) {
            output_text(separator);
            output_json(line);
            separator = ", ";
        }
    }
    output_text("]");
}

static void print_json_list(const billing_object *object, const char *name)
{
    const billing_object *item;
    output_text("[");
    for (size_t i = 0; (item = billing_object_item(object, name, i)) != NULL; i++) {
        output_text(i > 0 ? ", " : "");
        output_json(item);
    }
    output_text("]");
}

static void print_json_value(const billing_object *object, const char *name)
{
    struct text quoted = {0};
    switch (billing_object_kind(object, name)) {
    case BILLING_FIELD_TEXT:
    case BILLING_FIELD_TIME:
        text_put_json(&quoted, output_value(object, name));
        output_text(text_of(&quoted));
        break;
    case BILLING_FIELD_NUMBER:
    case BILLING_FIELD_FLAG:
        output_text(output_value(object, name));
        break;
    case BILLING_FIELD_OBJECT:
        output_json(billing_object_child(object, name));
        break;
    case BILLING_FIELD_LIST:
        print_json_list(object, name);
        break;
    case BILLING_FIELD_NONE: /* not of a name that the object itself has */
        break;
    }
    text_done(&quoted);
}

static bool is_set(const billing_object *object, const char *name)
{
    return billing_object_kind(object, name) == BILLING_FIELD_LIST ||
           billing_object_child(object, name) != NULL || billing_object_text(object, name) != NULL;
}

/* As the REST call answers; the lines of several pages stand in one object. */
static void print_json(const struct bill_pages *bill)
{
    const billing_object *facts = billing_object_child(first_page(bill), "bill");
    const char *separator = "";
    const char *name;
    if (bill->count == 1) {
        output_json(first_page(bill));
        output_text("\n");
        return;
    }
    output_text("{\"bill\": {");
    for (size_t i = 0; (name = billing_object_field_name(facts, i)) != NULL; i++) {
        if (!is_set(facts, name)) {
            continue;
        }
        output_text(separator);
        output_text("\"");
        output_text(name);
        output_text("\": ");
        if (strcmp(name, "lines") == 0) {
            print_json_lines(bill);
        } else {
            print_json_value(facts, name);
        }
        separator = ", ";
    }
    output_text("}}\n");
}

static void print_bill(const struct ctl *ctl, const struct bill_pages *bill)
{
    switch (ctl->format) {
    case OUTPUT_TABLE:
        print_table(bill);
        break;
    case OUTPUT_JSON:
        print_json(bill);
        break;
    case OUTPUT_CSV:
        print_csv(bill);
        break;
    case OUTPUT_ID: /* the table of commands says that there is none */
        break;
    }
}

int bill_show(struct ctl *ctl)
{
    struct bill_pages bill = {0};
    billing_query *query = billing_query_new();
    if (query == NULL) {
        return ctl_failed(ctl, BILLING_E_NO_MEMORY, NULL);
    }
    int code = set_window(ctl, query);
    if (code == CTL_DONE) {
        code = ctl_exit_status(billing_query_set_limit(query, BILLING_PAGE_MAX));
    }
    if (code == CTL_DONE) {
        code = get_bill(ctl, query, &bill);
    }
    if (code == CTL_DONE) {
        print_bill(ctl, &bill);
    }
    free_pages(&bill);
    billing_query_free(query);
    return code;
}
