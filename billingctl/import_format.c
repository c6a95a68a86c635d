#include "billingctl/import_format.h"

#include <stdlib.h>
#include <string.h>

#include "billingctl/import_field.h"
#include "billingctl/memory.h"

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
    enum import_result result = reader->format->next(reader, row, reterr);
    if (result == IMPORT_ROW) {
        import_field_check(row);
    }
    return result;
}

void import_reader_done(struct import_reader *reader)
{
    if (reader->state != NULL && reader->format->end != NULL) {
        reader->format->end(reader);
    }
    free(reader->state);
    csv_done(&reader->csv);
    text_done(&reader->header);
    *reader = (struct import_reader){0};
}

/* --- what the formats in CSV have in common --------------------------------------------------- */

static enum import_result read_header(struct import_reader *reader, struct reason *reterr)
{
    const struct csv_reader *csv = &reader->csv;
    switch (csv_next(&reader->csv, reterr)) {
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
    reader->column_count = csv->count;
    return IMPORT_ROW;
}

enum import_result import_begin_csv(struct import_reader *reader, size_t state_bytes,
                                    bool (*read_columns)(struct import_reader *reader,
                                                         struct reason *reterr),
                                    struct reason *reterr)
{
    reader->state = memory_resize(NULL, 1, state_bytes);
    memset(reader->state, 0, state_bytes);
    csv_init(&reader->csv, reader->source);
    enum import_result result = read_header(reader, reterr);
    return result == IMPORT_ROW && !read_columns(reader, reterr) ? IMPORT_UNREADABLE : result;
}

enum import_result import_read_row(struct import_reader *reader, struct import_row *row,
                                   struct reason *reterr)
{
    const struct csv_reader *csv = &reader->csv;
    switch (csv_next(&reader->csv, reterr)) {
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
    row->last_line = csv->last_line;
    row->raw = csv->raw;
    row->raw_length = csv->raw_length;
    if (csv->malformed != NULL) {
        import_row_reject(row, "malformed: %s", csv->malformed);
    } else if (csv->count != reader->column_count) {
        import_row_reject(row, "malformed: %zu columns instead of %zu", csv->count,
                          reader->column_count);
    }
    return IMPORT_ROW;
}
