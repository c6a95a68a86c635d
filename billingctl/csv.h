/* CSV as RFC 4180 has it, strictly.  Main thread; reads from a source.
 *
 * Written here because Debian's libcsv, tried first, cannot do what an import of bills needs: it
 * gives neither a row's line nor its raw text, it strips blanks that RFC 4180 counts as part of a
 * field, a lone carriage return ends a row for it, and in its strict mode the first bad row ends
 * the file. */
#pragma once

#include <stdint.h>

#include "billingctl/ctl_exit.h"
#include "billingctl/source.h"
#include "billingctl/text.h"

enum {
    CSV_FIELDS_MAX = 1024,
};

struct csv_reader {
    struct source *source;
    struct text fields; /* of the row, each with a NUL behind it */
    size_t *offsets;    /* owned; of each field in there */
    size_t count;
    size_t capacity; /* of offsets */
    uint64_t line;   /* where the row begins */
    uint64_t last_line;
    const char *raw;   /* its text with its end of line; valid until the next row, as the fields */
    size_t raw_length; /* 0: it was too long to be kept */
    const char *malformed; /* why the row is none, in static text; or NULL */
};

enum csv_result {
    CSV_ROW,
    CSV_END,
    CSV_UNREADABLE, /* what follows cannot be told apart into rows */
    CSV_INTERRUPTED,
};

/* *READER reads rows from SOURCE, which stays the caller's.  To be given to csv_done(). */
void csv_init(struct csv_reader *reader, struct source *source);

/* Free what READER owns. */
void csv_done(struct csv_reader *reader);

/* Read the next row that is not an empty line.  A malformed row is a row too, so that what follows
 * can be read.  CSV_UNREADABLE comes with *RETERR. */
MUSTCHECK enum csv_result csv_next(struct csv_reader *reader, struct reason *reterr);

/* Field INDEX of the row; "" behind the last. */
const char *csv_field(const struct csv_reader *reader, size_t index);

/* Why a record of SOURCE that begins at LINE cannot be read, as ENDED says. */
void csv_explain(const struct source *source, int ended, uint64_t line, struct reason *reterr);
