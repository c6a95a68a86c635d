/* The formats that can be imported, and how the rows of a file are read by them.  Main thread. */
#pragma once

#include "billingctl/csv.h"
#include "billingctl/import_row.h"
#include "billingctl/source.h"

struct import_reader;

enum import_result {
    IMPORT_ROW,        /* recordable or rejected: look at it */
    IMPORT_END,        /* there are no more */
    IMPORT_UNREADABLE, /* what follows cannot be told apart into rows */
    IMPORT_INTERRUPTED,
};

struct import_format {
    const char *name;

    /* Read what stands in front of the first row.  IMPORT_ROW: go on; IMPORT_UNREADABLE: with
     * *RETERR, the file is not of this format. */
    enum import_result (*begin)(struct import_reader *reader, struct reason *reterr);

    /* Read the next row into ROW, which is clear. */
    enum import_result (*next)(struct import_reader *reader, struct import_row *row,
                               struct reason *reterr);

    /* Free reader->state. */
    void (*end)(struct import_reader *reader);
};

extern const struct import_format import_csv;
extern const struct import_format import_ndjson;
extern const struct import_format import_focus;

/* In the order of the words of --format. */
extern const struct import_format *const import_formats[];

/* The format of the file called NAME, by how that ends; csv where it does not tell. */
const struct import_format *import_format_of(const char *name);

struct import_reader {
    const struct import_format *format;
    struct source *source;
    void *state;        /* the format's */
    struct text header; /* the file's first line as it is, where that is not a row; else empty */
};

/* *READER reads rows of FORMAT from SOURCE, which stays the caller's.  To be given to
 * import_reader_done(), whatever this returns: as begin() above. */
MUSTCHECK enum import_result import_reader_init(struct import_reader *reader,
                                                const struct import_format *format,
                                                struct source *source, struct reason *reterr);

/* Read the next row into ROW, which may hold the one before. */
MUSTCHECK enum import_result import_reader_next(struct import_reader *reader,
                                                struct import_row *row, struct reason *reterr);

void import_reader_done(struct import_reader *reader);

/* Read the first row of CSV and keep its text as READER's header.  Returns as begin(). */
MUSTCHECK enum import_result import_read_header(struct import_reader *reader,
                                                struct csv_reader *csv, struct reason *reterr);

/* Read the next row of CSV and what ROW needs to know of where it is; it is rejected where it is
 * malformed or has not COLUMNS columns.  Returns as next(). */
MUSTCHECK enum import_result import_read_row(struct csv_reader *csv, size_t columns,
                                             struct import_row *row, struct reason *reterr);
