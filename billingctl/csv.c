#include "billingctl/csv.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "billingctl/memory.h"

enum state {
    FIELD_START,
    UNQUOTED,
    QUOTED,
    QUOTE_IN_QUOTED, /* its end, or the first half of a doubled one */
};

void csv_init(struct csv_reader *reader, struct source *source)
{
    *reader = (struct csv_reader){.source = source};
}

void csv_done(struct csv_reader *reader)
{
    text_done(&reader->fields);
    free(reader->offsets);
    *reader = (struct csv_reader){0};
}

const char *csv_field(const struct csv_reader *reader, size_t index)
{
    return index < reader->count ? text_of(&reader->fields) + reader->offsets[index] : "";
}

void csv_explain(const struct source *source, int ended, uint64_t line, struct reason *reterr)
{
    if (ended == SOURCE_FAILED) {
        reason_set(reterr, "cannot read on at line %" PRIu64 ": %s", line, strerror(source->error));
    } else {
        reason_set(reterr, "line %" PRIu64 ": a quote is opened in what begins here, never closed",
                   line);
    }
}

static void mark_malformed(struct csv_reader *reader, const char *why)
{
    if (reader->malformed == NULL) {
        reader->malformed = why;
    }
}

static void begin_field(struct csv_reader *reader)
{
    if (reader->count == CSV_FIELDS_MAX) {
        mark_malformed(reader, "more than 1024 columns");
        return;
    }
    if (reader->count == reader->capacity) {
        reader->capacity = reader->capacity == 0 ? 64 : reader->capacity * 2;
        reader->offsets = memory_resize(reader->offsets, reader->capacity, sizeof *reader->offsets);
    }
    reader->offsets[reader->count++] = reader->fields.length;
}

/* Of a row that is too long nothing more is kept. */
static void keep(struct csv_reader *reader, char c)
{
    if (!reader->source->too_long) {
        text_put(&reader->fields, &c, 1);
    }
}

static void put_byte(struct csv_reader *reader, int byte)
{
    if (byte == '\0') {
        mark_malformed(reader, "a NUL byte");
    }
    keep(reader, (char)byte);
}

static void end_field(struct csv_reader *reader)
{
    keep(reader, '\0');
}

/* Whether BYTE, outside quotes, ends the row; takes both bytes of a CR LF. */
static bool ends_row(struct csv_reader *reader, int byte)
{
    if (byte == '\r' && source_peek(reader->source) == '\n') {
        byte = source_next(reader->source);
    }
    if (byte == '\r') {
        mark_malformed(reader, "a carriage return without a line feed");
    }
    return byte == '\n' || byte == SOURCE_END;
}

/* One BYTE that neither ends a field nor a row.  A malformed row goes on as if the quote at fault
 * were text: so its end is found where a careless writer put it. */
static enum state take_byte(struct csv_reader *reader, enum state state, int byte)
{
    switch (state) {
    case FIELD_START:
        if (byte == '"') {
            return QUOTED;
        }
        put_byte(reader, byte);
        return UNQUOTED;
    case UNQUOTED:
        if (byte == '"') {
            mark_malformed(reader, "a quote within a field that is not quoted");
        }
        put_byte(reader, byte);
        return UNQUOTED;
    case QUOTED:
        if (byte == '"') {
            return QUOTE_IN_QUOTED;
        }
        put_byte(reader, byte);
        return QUOTED;
    case QUOTE_IN_QUOTED:
        put_byte(reader, byte);
        if (byte == '"') {
            return QUOTED;
        }
        mark_malformed(reader, "text behind a closing quote");
        return UNQUOTED;
    }
    return state;
}

/* Read one row, an empty line too.  Returns 0, or what ended the source within it. */
static int read_row(struct csv_reader *reader)
{
    enum state state = FIELD_START;
    text_clear(&reader->fields);
    reader->count = 0;
    reader->malformed = NULL;
    begin_field(reader);
    for (;;) {
        int byte = source_next(reader->source);
        if (byte < SOURCE_END || (byte == SOURCE_END && state == QUOTED)) {
            return byte;
        }
        if (state != QUOTED && ends_row(reader, byte)) {
            end_field(reader);
            return 0;
        }
        if (state != QUOTED && byte == ',') {
            end_field(reader);
            begin_field(reader);
            state = FIELD_START;
        } else {
            state = take_byte(reader, state, byte);
        }
    }
}

/* What is known of the row when it is read. */
static void end_row(struct csv_reader *reader)
{
    reader->raw = source_record(reader->source, &reader->raw_length);
    bool has_end = reader->raw_length > 0 && reader->raw[reader->raw_length - 1] == '\n';
    reader->last_line = reader->source->line - (has_end ? 1 : 0);
    if (reader->source->too_long) {
        reader->malformed = SOURCE_TOO_LONG;
        reader->raw_length = 0;
    }
}

static bool is_empty_line(const struct csv_reader *reader)
{
    if (reader->malformed != NULL) {
        return false;
    }
    return reader->raw_length == 0 || reader->raw[0] == '\n' ||
           (reader->raw_length == 2 && memcmp(reader->raw, "\r\n", 2) == 0);
}

enum csv_result csv_next(struct csv_reader *reader, struct reason *reterr)
{
    do {
        if (source_peek(reader->source) == SOURCE_END) {
            return CSV_END;
        }
        source_begin_record(reader->source);
        reader->line = reader->source->line;
        int ended = read_row(reader);
        if (ended == SOURCE_INTERRUPTED) {
            return CSV_INTERRUPTED;
        }
        if (ended != 0) {
            csv_explain(reader->source, ended, reader->line, reterr);
            return CSV_UNREADABLE;
        }
        end_row(reader);
    } while (is_empty_line(reader));
    return CSV_ROW;
}
