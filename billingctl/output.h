/* Results on standard output, in the four forms: a table for people, JSON as the REST call answers
 * it, CSV, and ids alone.  Main thread.
 *
 * Writing fails silently here and stays failed: output_finish() says so at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <billing/billing.h>

#include "billingctl/ctl_exit.h"
#include "billingctl/text.h"

enum output_format { /* in the order of the words of --output */
                     OUTPUT_TABLE,
                     OUTPUT_JSON,
                     OUTPUT_CSV,
                     OUTPUT_ID,
};

enum {
    OUTPUT_COLUMNS_MAX = 16,
};

struct column {
    const char *name; /* of the member */
    bool in_table;    /* not only in CSV */
    bool right;       /* aligned to the right: a number */
};

/* How the items of a list are shown. */
struct view {
    const char *member; /* of the reply: where the list is */
    const struct column *columns;
    size_t column_count; /* at most OUTPUT_COLUMNS_MAX */
};

/* A list that is printed page by page.  Starts as {.format, .view}. */
struct list {
    enum output_format format;
    const struct view *view;
    size_t rows;                       /* printed so far */
    bool begun;                        /* what stands in front is printed */
    size_t widths[OUTPUT_COLUMNS_MAX]; /* of the table's columns so far: they only grow */
};

/* Print LENGTH bytes, or a text. */
void output_bytes(const char *bytes, size_t length);
void output_text(const char *text);

/* Print the JSON text of OBJECT, without a newline. */
void output_json(const billing_object *object);

/* Print MEMBER of REPLY, an object; NULL: REPLY itself.  As JSON that is all of REPLY. */
void output_object(enum output_format format, const billing_object *reply, const char *member);

/* Print the first COUNT items of the list of PAGE that LIST's view names. */
void output_list_page(struct list *list, const billing_object *page, size_t count);

/* Print what stands behind the last page.  NEXT_CURSOR, or NULL, is where more would begin. */
void output_list_end(struct list *list, const char *next_cursor);

/* Take the items of PAGE into the widths of LIST before anything is printed: for a table that is
 * to stay in line over several pages. */
void output_list_measure(struct list *list, const billing_object *page);

/* The text of the member at PATH, or "" where it is not set.  Valid as OBJECT. */
const char *output_value(const billing_object *object, const char *path);

/* Append what the member NAME of OBJECT is as a cell: its text, "" where it is not set, and labels
 * as a JSON object. */
void output_cell(const billing_object *object, const char *name, struct text *ret);

/* Print FIELDS, COUNT of them, as a row of CSV. */
void output_csv_row(const char *const *fields, size_t count);

/* Write out what is still held back.  Returns whether everything so far was written. */
bool output_flush(void);

/* The same at the very end.  Returns CODE, or, where anything could not be written, says
 * so and returns CTL_REFUSED in place of CTL_DONE. */
int output_finish(int code);
