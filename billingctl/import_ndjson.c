/* Newline-delimited JSON: a usage item of the REST call in each line. */
#include <string.h>

#include "billingctl/import_field.h"
#include "billingctl/import_format.h"
#include "billingctl/import_json.h"
#include "billingctl/memory.h"

/* The state is the line's object. */
static enum import_result begin(struct import_reader *reader, struct reason *reterr)
{
    struct import_json *json = memory_resize(NULL, 1, sizeof *json);
    (void)reterr;
    *json = (struct import_json){0};
    reader->state = json;
    return IMPORT_ROW;
}

static void end(struct import_reader *reader)
{
    import_json_done(reader->state);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Read a line, of which nothing is kept where it is too long.  Returns 0, or what ended the source;
 * the last line may do without its newline. */
static int read_line(struct source *source, struct import_row *row)
{
    int byte;
    source_begin_record(source);
    row->line = source->line;
    row->last_line = source->line;
    do {
        byte = source_next(source);
    } while (byte >= 0 && byte != '\n');
    row->raw = source_record(source, &row->raw_length);
    if (source->too_long) {
        row->raw_length = 0;
        import_row_reject(row, "malformed: " SOURCE_TOO_LONG);
    }
    return byte == '\n' || (byte == SOURCE_END && (row->rejected || row->raw_length > 0)) ? 0
                                                                                          : byte;
}

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

static bool is_blank(const struct import_row *row)
{
    size_t i = 0;
    while (i < row->raw_length &&
           (is_line_end(row->raw[i]) || row->raw[i] == ' ' || row->raw[i] == '\t')) {
        i++;
    }
    return i == row->raw_length;
}

/* --- members ---------------------------------------------------------------------------------- */

/* A number's own digits, which json-c has kept, an exponent of 0 behind them where they are many.
 */
static const char *take_number(struct import_row *row, const char *name, struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string) &&
        !json_object_is_type(value, json_type_int) &&
        !json_object_is_type(value, json_type_double)) {
        import_row_reject(row, "%s: must be a number", name);
        return NULL;
    }
    return json_object_get_string(value);
}

static void take_member(struct import_row *row, const char *name, struct json_object *value)
{
    enum import_field field;
    if (strcmp(name, "labels") == 0) {
        import_json_add_labels(row, name, value);
    } else if (!import_field_find(name, &field)) {
        import_row_reject(row, "%s: there is no such field", name);
    } else {
        const char *text = import_field_is_number(field) ? take_number(row, name, value)
                                                         : import_json_text(row, name, value);
        if (text != NULL) {
            import_field_set(row, field, text);
        }
    }
}

/* The item in ROW's text, parsed into JSON. */
static void take_item(struct import_json *json, struct import_row *row)
{
    size_t length = row->raw_length;
    while (length > 0 && is_line_end(row->raw[length - 1])) {
        length--;
    }
    const char *malformed = import_json_parse(json, row->raw, length);
    if (malformed != NULL) {
        import_row_reject(row, "malformed: %s", malformed);
        return;
    }
    struct json_object_iterator at = json_object_iter_begin(json->object);
    struct json_object_iterator behind = json_object_iter_end(json->object);
    for (; !json_object_iter_equal(&at, &behind); json_object_iter_next(&at)) {
        take_member(row, json_object_iter_peek_name(&at), json_object_iter_peek_value(&at));
    }
    if (import_json_has_double(json)) {
        import_row_reject(row, "malformed: a member is there twice");
    }
}

static enum import_result next(struct import_reader *reader, struct import_row *row,
                               struct reason *reterr)
{
    int ended;
    do {
        ended = read_line(reader->source, row);
    } while (ended == 0 && !row->rejected && is_blank(row));
    if (ended == SOURCE_END) {
        return IMPORT_END;
    }
    if (ended == SOURCE_INTERRUPTED) {
        return IMPORT_INTERRUPTED;
    }
    if (ended != 0) {
        csv_explain(reader->source, ended, row->line, reterr);
        return IMPORT_UNREADABLE;
    }
    if (!row->rejected) {
        take_item(reader->state, row);
    }
    return IMPORT_ROW;
}

const struct import_format import_ndjson = {"ndjson", begin, next, end};
