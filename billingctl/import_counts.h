/* What came of the rows of an import, and how that is told.  Pure but for the heap. */
#pragma once

#include <stdint.h>

#include "billingctl/import_row.h"
#include "billingctl/text.h"

/* Starts as {0}. */
struct import_counts {
    uint64_t rows; /* settled, one way or another */
    uint64_t recorded[IMPORT_KIND__COUNT];
    uint64_t replayed[IMPORT_KIND__COUNT]; /* recorded by an earlier run, or earlier in this one */
    uint64_t rejected;
};

/* Append COUNTS as a line of JSON, as CSV with a header, and as a line for people without its end:
 * "600 rows: 600 recorded (599 usage, 1 adjustment), 0 replayed, 0 rejected". */
void import_counts_put_json(const struct import_counts *counts, struct text *ret);
void import_counts_put_csv(const struct import_counts *counts, struct text *ret);
void import_counts_put_line(const struct import_counts *counts, struct text *ret);
