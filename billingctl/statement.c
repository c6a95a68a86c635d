#include "billingctl/statement.h"

#include <stdlib.h>
#include <string.h>

#include "billingctl/list.h"
#include "billingctl/memory.h"
#include "billingctl/say.h"

enum {
    TRIES_MAX = 5,
};

static const char *member_of(const struct statement *statement)
{
    return statement->number > 0 ? "invoice" : "bill";
}

/* What it is of, and its totals: on each page the same. */
static const billing_object *facts_of(const struct statement *statement)
{
    return billing_object_child(statement->pages[0], member_of(statement));
}

static const billing_object *body_of(const struct statement *statement, size_t page)
{
    return billing_object_child(statement->pages[page], member_of(statement));
}

void statement_add(struct statement *statement, billing_object *page)
{
    statement->pages =
        memory_resize(statement->pages, statement->count + 1, sizeof *statement->pages);
    statement->pages[statement->count++] = page;
}

void statement_done(struct statement *statement)
{
    for (size_t i = 0; i < statement->count; i++) {
        billing_object_free(statement->pages[i]);
    }
    free(statement->pages);
    statement->pages = NULL;
    statement->count = 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Ask for the page at CURSOR, NULL for the first. */
static int get_page(const struct ctl *ctl, billing_query *query, const char *cursor,
                    struct statement *statement)
{
    billing_object *page;
    billing_error *error;
    int status = billing_query_set_cursor(query, cursor);
    if (status == 0) {
        status = billing_query_set_limit(query, BILLING_PAGE_MAX);
    }
    if (status != 0) {
        return ctl_failed(ctl, status, NULL);
    }
    status =
        statement->number > 0
            ? billing_invoice_get(ctl->client, statement->number, query, &page, &error)
            : billing_bill_get(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), query, &page, &error);
    if (status != 0) {
        return ctl_failed(ctl, status, error);
    }
    statement_add(statement, page);
    return CTL_DONE;
}

static const char *next_cursor(const struct statement *statement)
{
    return statement->count == 0
               ? NULL
               : billing_object_text(statement->pages[statement->count - 1], "next_cursor");
}

int statement_get_rest(const struct ctl *ctl, billing_query *query, struct statement *statement)
{
    const char *cursor;
    while ((cursor = next_cursor(statement)) != NULL) {
        int code = get_page(ctl, query, cursor, statement);
        if (code != CTL_DONE) {
            return code;
        }
    }
    return CTL_DONE;
}

/* Whether all pages are of the same: nothing was recorded between them.  An invoice never
 * changes. */
static bool is_consistent(const struct statement *statement)
{
    static const char total[] = "exact_total";
    for (size_t i = 1; i < statement->count; i++) {
        if (strcmp(output_value(body_of(statement, i - 1), total),
                   output_value(body_of(statement, i), total)) != 0) {
            return false;
        }
    }
    return true;
}

int statement_get(const struct ctl *ctl, billing_query *query, struct statement *statement)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        int code = get_page(ctl, query, NULL, statement);
        if (code == CTL_DONE) {
            code = statement_get_rest(ctl, query, statement);
        }
        if (code != CTL_DONE || is_consistent(statement)) {
            return code;
        }
        statement_done(statement);
    }
    say("the bill keeps changing while its pages are read; try again");
    return CTL_NOT_RECORDED;
}

/* --- as a table ------------------------------------------------------------------------------- */

static const struct column line_columns[] = {
    {"service", true, false},     {"price_per_unit", true, true}, {"units_consumed", true, true},
    {"exact_amount", true, true}, {"amount", true, true},         {"records", true, true},
    {"voided", true, true},       {"late", true, true},
};

static const struct column adjustment_columns[] = {
    {"id", true, false},    {"service", true, false}, {"exact_amount", true, true},
    {"amount", true, true}, {"reason", true, false},  {"occurred_at", true, false},
};

/* Print the lists MEMBER of all pages as one table. */
static void print_rows(const struct statement *statement, const struct view *view)
{
    struct list list = {.format = OUTPUT_TABLE, .view = view};
    for (size_t i = 0; i < statement->count; i++) {
        list_measure(&list, body_of(statement, i), view->member);
    }
    for (size_t i = 0; i < statement->count; i++) {
        list_add_page(&list, body_of(statement, i), SIZE_MAX);
    }
    list_end(&list, NULL);
    output_text("\n");
}

static bool has_adjustments(const struct statement *statement)
{
    for (size_t i = 0; i < statement->count; i++) {
        if (billing_object_count(body_of(statement, i), "adjustments") > 0) {
            return true;
        }
    }
    return false;
}

/* What stands above or below the rows, where it is set. */
struct fact {
    const char *title;
    const char *name;
};

static void print_fact(const char *title, const char *value, const char *unit)
{
    struct text line = {0};
    text_printf(&line, "%-13s", title);
    text_put_visible(&line, value);
    text_puts(&line, *unit != '\0' ? " " : "");
    text_put_visible(&line, unit);
    text_puts(&line, "\n");
    output_text(text_of(&line));
    text_done(&line);
}

static void print_table(const struct statement *statement)
{
    static const struct fact above[] = {
        {"invoice", "number"}, {"customer", "customer_id"},   {"start", "start"},
        {"end", "end"},        {"finalized", "finalized_at"}, {"position", "journal_position"},
        {"digest", "digest"},  {"request id", "request_id"},  {"recorded by", "recorded_by"},
    };
    static const struct fact below[] = {
        {"exact total", "exact_total"}, {"rounding", "rounding"}, {"total", "total"}};
    static const struct view lines = {
        .member = "lines",
        .columns = line_columns,
        .column_count = sizeof line_columns / sizeof line_columns[0],
    };
    static const struct view adjustments = {
        .member = "adjustments",
        .columns = adjustment_columns,
        .column_count = sizeof adjustment_columns / sizeof adjustment_columns[0],
    };
    const billing_object *facts = facts_of(statement);
    for (size_t i = 0; i < sizeof above / sizeof above[0]; i++) {
        if (billing_object_text(facts, above[i].name) != NULL) {
            print_fact(above[i].title, output_value(facts, above[i].name), "");
        }
    }
    output_text("\n");
    print_rows(statement, &lines);
    if (has_adjustments(statement)) {
        print_rows(statement, &adjustments);
    }
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        print_fact(below[i].title, output_value(facts, below[i].name),
                   output_value(facts, "currency"));
    }
}

/* --- as CSV ----------------------------------------------------------------------------------- */

/* The columns behind `kind`, as the REST call has them: of a row's own, else of the whole. */
static const struct {
    const char *name;
    const char *in_total; /* what the last row has there; NULL: as above */
} csv_columns[] = {
    {"number", NULL}, /* of an invoice only */
    {"customer_id", NULL},
    {"start", NULL},
    {"end", NULL},
    {"currency", NULL},
    {"id", NULL},
    {"service", NULL},
    {"price_per_unit", NULL},
    {"units_consumed", NULL},
    {"exact_amount", "exact_total"},
    {"amount", "total"},
    {"records", NULL},
    {"voided", NULL},
    {"late", NULL},
    {"occurred_at", NULL},
    {"reason", NULL},
};

enum {
    CSV_COLUMNS = sizeof csv_columns / sizeof csv_columns[0],
};

/* What stands in column I of the row of ITEM, or of the total where that is NULL. */
static const char *csv_value(const billing_object *facts, const billing_object *item, size_t i)
{
    const char *name = csv_columns[i].name;
    if (item == NULL && csv_columns[i].in_total != NULL) {
        return output_value(facts, csv_columns[i].in_total);
    }
    bool is_own = billing_object_kind(item, name) != BILLING_FIELD_NONE;
    return output_value(is_own ? item : facts, name);
}

static void print_csv_row(const struct statement *statement, const char *kind,
                          const billing_object *item)
{
    struct text row = {0};
    size_t first = statement->number > 0 ? 0 : 1;
    output_csv_field(&row, 0, kind);
    for (size_t i = first; i < CSV_COLUMNS; i++) {
        output_csv_field(&row, 1 + i - first, csv_value(facts_of(statement), item, i));
    }
    output_csv_end(&row);
}

static void print_csv_header(const struct statement *statement)
{
    struct text row = {0};
    output_csv_field(&row, 0, "kind");
    for (size_t i = statement->number > 0 ? 0 : 1; i < CSV_COLUMNS; i++) {
        output_csv_field(&row, 1 + i, csv_columns[i].name);
    }
    output_csv_end(&row);
}

static void print_csv_rows(const struct statement *statement, const char *kind, const char *member)
{
    const billing_object *item;
    for (size_t i = 0; i < statement->count; i++) {
        for (size_t j = 0; (item = billing_object_item(body_of(statement, i), member, j)) != NULL;
             j++) {
            print_csv_row(statement, kind, item);
        }
    }
}

/* The first column tells apart what a row is. */
static void print_csv(const struct statement *statement)
{
    print_csv_header(statement);
    print_csv_rows(statement, "line", "lines");
    print_csv_rows(statement, "adjustment", "adjustments");
    print_csv_row(statement, "total", NULL);
}

/* --- as JSON ---------------------------------------------------------------------------------- */

/* The lists MEMBER of all pages as one. */
static void print_json_list(const struct statement *statement, const char *separator,
                            const char *member)
{
    const billing_object *item;
    const char *between = "";
    output_text(separator);
    output_text("\"");
    output_text(member);
    output_text("\": [");
    for (size_t i = 0; i < statement->count; i++) {
        for (size_t j = 0; (item = billing_object_item(body_of(statement, i), member, j)) != NULL;
             j++) {
            output_text(between);
            output_json(item);
            between = ", ";
        }
    }
    output_text("]");
}

/* As the REST call answers; what is on several pages stands in one object. */
static void print_json(const struct statement *statement)
{
    const billing_object *facts = facts_of(statement);
    const char *separator = "";
    const char *name;
    output_text("{\"");
    output_text(member_of(statement));
    output_text("\": {");
    for (size_t i = 0; (name = billing_object_field_name(facts, i)) != NULL; i++) {
        bool printed = true;
        if (billing_object_kind(facts, name) == BILLING_FIELD_LIST) {
            print_json_list(statement, separator, name);
        } else {
            printed = output_json_member(separator, facts, name);
        }
        separator = printed ? ", " : separator;
    }
    output_text("}}\n");
}

void statement_print(enum output_format format, const struct statement *statement)
{
    switch (format) {
    case OUTPUT_TABLE:
        print_table(statement);
        break;
    case OUTPUT_JSON:
        print_json(statement);
        break;
    case OUTPUT_CSV:
        print_csv(statement);
        break;
    case OUTPUT_ID:
        output_id(facts_of(statement));
        break;
    }
}
