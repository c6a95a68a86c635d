#include "billingctl/import_format.h"

#include <string.h>

const struct import_format *const import_formats[] = {&import_csv, &import_ndjson, &import_focus};

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name);
    return length >= strlen(end) && strcmp(name + length - strlen(end), end) == 0;
}

const struct import_format *import_format_of(const char *name)
{
    return ends_in(name, ".ndjson") || ends_in(name, ".jsonl") ? &import_ndjson : &import_csv;
}

enum import_result import_reader_init(struct import_reader *reader,
                                      const struct import_format *format, struct source *source,
                                      struct reason *reterr)
{
    *reader = (struct import_reader){.format = format, .source = source};
    return format->begin(reader, reterr);
}

enum import_result import_reader_next(struct import_reader *reader, struct import_row *row,
                                      struct reason *reterr)
{
    import_row_clear(row);
    return reader->format->next(reader, row, reterr);
}

void import_reader_done(struct import_reader *reader)
{
    if (reader->state != NULL) {
        reader->format->end(reader);
    }
    text_done(&reader->header);
    *reader = (struct import_reader){0};
}

/* --- what the formats in CSV have in common --------------------------------------------------- */

enum import_result import_read_header(struct import_reader *reader, struct csv_reader *csv,
                                      struct reason *reterr)
{
    switch (csv_next(csv, reterr)) {
    case CSV_ROW:
        break;
    case CSV_END:
        reason_set(reterr, "there is no line with the names of the columns");
        return IMPORT_UNREADABLE;
    case CSV_UNREADABLE:
        return IMPORT_UNREADABLE;
    case CSV_INTERRUPTED:
        return IMPORT_INTERRUPTED;
    }
    if (csv->malformed != NULL) {
        reason_set(reterr, "the line with the names of the columns: %s", csv->malformed);
        return IMPORT_UNREADABLE;
    }
    text_put(&reader->header, csv->raw, csv->raw_length);
    return IMPORT_ROW;
}

enum import_result import_read_row(struct csv_reader *csv, size_t columns, struct import_row *row,
                                   struct reason *reterr)
{
    switch (csv_next(csv, reterr)) {
    case CSV_ROW:
        break;
    case CSV_END:
        return IMPORT_END;
    case CSV_UNREADABLE:
        return IMPORT_UNREADABLE;
    case CSV_INTERRUPTED:
        return IMPORT_INTERRUPTED;
    }
    row->line = csv->line;
    row->last_line = csv->source->line - (csv->raw[csv->raw_length - 1] == '\n');
    row->raw = csv->raw;
    row->raw_length = csv->raw_length;
    if (csv->malformed != NULL) {
        import_row_reject(row, "malformed: %s", csv->malformed);
    } else if (csv->count != columns) {
        import_row_reject(row, "malformed: %zu columns instead of %zu", csv->count, columns);
    }
    return IMPORT_ROW;
}
