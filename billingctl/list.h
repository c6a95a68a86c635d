/* A list on standard output, in the four forms, page by page: a page is printed before the next one
 * is there.  Main thread. */
#pragma once

#include "billingctl/output.h"

enum {
    LIST_COLUMNS_MAX = 20,
};

struct column {
    const char *name; /* of the member */
    bool in_table;    /* not only in CSV */
    bool right;       /* aligned to the right: a number */
};

/* How the items of a list are shown. */
struct view {
    const char *member; /* of the reply: where the list is; "summary.rows" is one in an object */
    const struct column *columns;
    size_t column_count; /* at most LIST_COLUMNS_MAX */
    bool picks;          /* JSON too has the columns alone: the items have more members */
};

/* Starts as {.format, .view}. */
struct list {
    enum output_format format;
    const struct view *view;
    size_t rows;                     /* printed so far */
    bool begun;                      /* what stands in front is printed */
    size_t widths[LIST_COLUMNS_MAX]; /* of the table's columns so far: they only grow */
};

/* Print the first COUNT items of the list of PAGE that LIST's view names. */
void list_add_page(struct list *list, const billing_object *page, size_t count);

/* Print ITEM as the next one. */
void list_add_item(struct list *list, const billing_object *item);

/* Print what stands behind the last page.  NEXT_CURSOR, or NULL, is where more would begin. */
void list_end(struct list *list, const char *next_cursor);

/* Take the list MEMBER of PAGE into the widths of LIST before anything is printed: for a table that
 * is to stay in line over several pages. */
void list_measure(struct list *list, const billing_object *page, const char *member);
