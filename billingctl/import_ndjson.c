/* Newline-delimited JSON: a usage item of the REST call in each line. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "billingctl/import_format.h"
#include "billingctl/memory.h"

enum {
    DEPTH_MAX = 3, /* an item, and the labels in it */
};

struct state {
    struct json_tokener *tokener;
    struct json_object *item; /* owned; what the row points into */
};

static enum import_result begin(struct import_reader *reader, struct reason *reterr)
{
    struct state *state = memory_resize(NULL, 1, sizeof *state);
    *state = (struct state){.tokener = json_tokener_new_ex(DEPTH_MAX)};
    reader->state = state;
    if (state->tokener == NULL) {
        reason_set(reterr, "out of memory");
        return IMPORT_UNREADABLE;
    }
    json_tokener_set_flags(state->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    return IMPORT_ROW;
}

static void end(struct import_reader *reader)
{
    struct state *state = reader->state;
    json_object_put(state->item);
    if (state->tokener != NULL) {
        json_tokener_free(state->tokener);
    }
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

static bool is_nul(const char *json, size_t length)
{
    return *json == '\0' || (length >= 6 && memcmp(json, "\\u0000", 6) == 0);
}

/* What json-c lets through and a bill must not: a NUL, which would end a text here; single quotes;
 * and, as for json-c the last of two members with one name wins, how many members there are, to be
 * compared with how many it kept.  Returns what is wrong, or NULL. */
static const char *lint(const char *json, size_t length, int *ret_members)
{
    bool in_string = false;
    *ret_members = 0;
    for (size_t i = 0; i < length; i++) {
        if (is_nul(json + i, length - i)) {
            return "a NUL byte";
        }
        if (json[i] == '"') {
            in_string = !in_string;
        } else if (in_string) {
            i += json[i] == '\\'; /* what is escaped ends nothing, and escapes nothing */
        } else if (json[i] == '\'') {
            return "not JSON: a single quote";
        } else {
            *ret_members += json[i] == ':';
        }
    }
    return NULL;
}

/* --- members ---------------------------------------------------------------------------------- */

static const char *take_text(struct import_row *row, const char *name, struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string)) {
        import_row_reject(row, "%s: must be a string", name);
        return NULL;
    }
    return json_object_get_string(value);
}

/* A number's own digits: json-c keeps those of a fraction, and what it changes of an integer that
 * is too large for it has more digits than a decimal of ours can. */
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

static void take_labels(struct import_row *row, struct json_object *labels)
{
    if (!json_object_is_type(labels, json_type_object)) {
        import_row_reject(row, "labels: must be an object");
        return;
    }
    struct json_object_iterator at = json_object_iter_begin(labels);
    struct json_object_iterator behind = json_object_iter_end(labels);
    for (; !json_object_iter_equal(&at, &behind); json_object_iter_next(&at)) {
        const char *value = take_text(row, "labels", json_object_iter_peek_value(&at));
        import_row_add_label(row, json_object_iter_peek_name(&at), value);
    }
}

static void take_member(struct import_row *row, const char *name, struct json_object *value)
{
    if (strcmp(name, "customer_id") == 0) {
        row->customer = take_text(row, name, value);
    } else if (strcmp(name, "service") == 0) {
        row->service = take_text(row, name, value);
    } else if (strcmp(name, "units_consumed") == 0) {
        row->units = take_number(row, name, value);
    } else if (strcmp(name, "price_per_unit") == 0) {
        row->price = take_number(row, name, value);
    } else if (strcmp(name, "occurred_at") == 0) {
        const char *time = take_text(row, name, value);
        if (time != NULL) {
            import_row_set_time(row, name, time);
        }
    } else if (strcmp(name, "request_id") == 0) {
        row->request_id = take_text(row, name, value);
    } else if (strcmp(name, "labels") == 0) {
        take_labels(row, value);
    } else {
        import_row_reject(row, "%s: there is no such field", name);
    }
}

/* Why ROW's text is no JSON object, or NULL: then state->item is what it is. */
static const char *parse(struct state *state, const struct import_row *row, int *ret_members)
{
    size_t length = row->raw_length;
    while (length > 0 && is_line_end(row->raw[length - 1])) {
        length--;
    }
    const char *wrong = lint(row->raw, length, ret_members);
    if (wrong != NULL) {
        return wrong;
    }
    json_tokener_reset(state->tokener);
    state->item = json_tokener_parse_ex(state->tokener, row->raw, (int)length);
    switch (json_tokener_get_error(state->tokener)) {
    case json_tokener_success:
        break;
    case json_tokener_continue:
        return "not JSON: it ends too early";
    default:
        return "not JSON";
    }
    return json_tokener_get_parse_end(state->tokener) == length &&
                   json_object_is_type(state->item, json_type_object)
               ? NULL
               : "not one JSON object";
}

static void take_item(struct json_object *item, int members, struct import_row *row)
{
    struct json_object_iterator at = json_object_iter_begin(item);
    struct json_object_iterator behind = json_object_iter_end(item);
    members -= json_object_object_length(item);
    for (; !json_object_iter_equal(&at, &behind); json_object_iter_next(&at)) {
        struct json_object *value = json_object_iter_peek_value(&at);
        take_member(row, json_object_iter_peek_name(&at), value);
        if (json_object_is_type(value, json_type_object)) {
            members -= json_object_object_length(value);
        }
    }
    if (members != 0) {
        import_row_reject(row, "malformed: a member is there twice");
    }
}

static enum import_result next(struct import_reader *reader, struct import_row *row,
                               struct reason *reterr)
{
    struct state *state = reader->state;
    int ended;
    json_object_put(state->item);
    state->item = NULL;
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
    if (row->rejected) {
        return IMPORT_ROW;
    }
    int members;
    const char *malformed = parse(state, row, &members);
    if (malformed != NULL) {
        import_row_reject(row, "malformed: %s", malformed);
    } else {
        take_item(state->item, members, row);
    }
    return IMPORT_ROW;
}

const struct import_format import_ndjson = {"ndjson", begin, next, end};
