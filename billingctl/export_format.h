/* The formats of an export.  Each writes what the import of the same name reads.  Main thread; pure
 * but for the heap. */
#pragma once

#include "billingctl/export_row.h"

struct export_format {
    /* Append what stands in front of the first row; NULL: nothing. */
    void (*put_header)(struct text *ret);

    /* Append ROW with its end of line. */
    void (*put_row)(const struct export_row *row, struct text *ret);
};

extern const struct export_format export_csv;
extern const struct export_format export_ndjson;
extern const struct export_format export_focus;

/* In the order of the words of --format. */
extern const struct export_format *const export_formats[];
