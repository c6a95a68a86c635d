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

    /* Free what reader->state owns; NULL: nothing. */
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
    struct csv_reader csv; /* of the formats in CSV; else {0} */
    void *state;           /* owned; the format's */
    size_t column_count;   /* of a file in CSV */
    struct text header;    /* the file's first line as it is, where that is not a row; else empty */
};

/* *READER reads rows of FORMAT from SOURCE, which stays the caller's.  To be given to
 * import_reader_done(), whatever this returns: as begin() above. */
MUSTCHECK enum import_result import_reader_init(struct import_reader *reader,
                                                const struct import_format *format,
                                                struct source *source, struct reason *reterr);

/* Read the next row into ROW, which may hold the one before. */
MUSTCHECK enum import_result import_reader_next(struct import_reader *reader,
                                                struct import_row *row, struct reason *reterr);

/* Free what READER owns.  It may be zeros. */
void import_reader_done(struct import_reader *reader);

/* begin() of a format in CSV: make reader->state, STATE_BYTES of zeros, keep the text of the first
 * row as READER's header, and let READ_COLUMNS look at its fields; that returns false with *RETERR
 * where they are not the format's.  Returns as begin(). */
MUSTCHECK enum import_result import_begin_csv(struct import_reader *reader, size_t state_bytes,
                                              bool (*read_columns)(struct import_reader *reader,
                                                                   struct reason *reterr),
                                              struct reason *reterr);

/* Read the next row of CSV and what ROW needs to know of where it is; it is rejected where it is
 * malformed or has not as many columns as the first.  Returns as next(). */
MUSTCHECK enum import_result import_read_row(struct import_reader *reader, struct import_row *row,
                                             struct reason *reterr);
