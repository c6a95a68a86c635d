#include "billingctl/import_json.h"

#include <string.h>

enum {
    DEPTH_MAX = 3,     /* an item, and the labels in it */
    INT64_DIGITS = 18, /* that an int64_t has room for, whatever they are */
};

void import_json_done(struct import_json *json)
{
    json_object_put(json->object);
    if (json->tokener != NULL) {
        json_tokener_free(json->tokener);
    }
    *json = (struct import_json){0};
}

/* --- parsing ---------------------------------------------------------------------------------- */

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

/* How many bytes at JSON are a string, with its quotes. */
static size_t string_bytes(const char *json, size_t length)
{
    size_t i = 1;
    while (i < length && json[i] != '"') {
        i += json[i] == '\\' ? 2 : 1;
    }
    return i < length ? i + 1 : length;
}

/* How many bytes at JSON are a number, without its sign; 0: none. */
static size_t number_bytes(const char *json, size_t length)
{
    size_t i = 0;
    while (i < length && strchr("0123456789.eE+-", json[i]) != NULL) {
        i++;
    }
    return *json >= '0' && *json <= '9' ? i : 0;
}

/* Whether json-c might have no room for the number at JSON: a long integer, without fraction and
 * exponent, whose digits it then replaces. */
static bool is_wide(const char *json, size_t length)
{
    size_t i = 0;
    while (i < length && json[i] >= '0' && json[i] <= '9') {
        i++;
    }
    return i == length && length > INT64_DIGITS;
}

/* Returns whether JSON is still to be continued. */
static bool feed(struct import_json *json, const char *text, size_t length)
{
    json->object = json_tokener_parse_ex(json->tokener, text, (int)length);
    return json_tokener_get_error(json->tokener) == json_tokener_continue;
}

/* Feed TEXT, and behind each wide integer an exponent that changes nothing, with which json-c keeps
 * its digits.  Returns how many bytes were in what it was fed last, or more where some are left. */
static size_t feed_all(struct import_json *json, const char *text, size_t length)
{
    size_t fed = 0;
    for (size_t i = 0; i < length;) {
        size_t n = number_bytes(text + i, length - i);
        bool wide = is_wide(text + i, n);
        i += n > 0 ? n : text[i] == '"' ? string_bytes(text + i, length - i) : 1;
        if (wide) {
            if (!feed(json, text + fed, i - fed) || !feed(json, "e0", 2)) {
                return length + 1;
            }
            fed = i;
        }
    }
    feed(json, text + fed, length - fed); /* its error tells */
    return length - fed;
}

static const char *parse(struct import_json *json, const char *text, size_t length)
{
    json_tokener_reset(json->tokener);
    size_t last = feed_all(json, text, length);
    switch (json_tokener_get_error(json->tokener)) {
    case json_tokener_success:
        break;
    case json_tokener_continue:
        return "not JSON: it ends too early";
    default:
        return "not JSON";
    }
    return json_tokener_get_parse_end(json->tokener) == last &&
                   json_object_is_type(json->object, json_type_object)
               ? NULL
               : "not one JSON object";
}

const char *import_json_parse(struct import_json *json, const char *text, size_t length)
{
    json_object_put(json->object);
    json->object = NULL;
    if (json->tokener == NULL) {
        json->tokener = json_tokener_new_ex(DEPTH_MAX);
        if (json->tokener == NULL) {
            return "out of memory";
        }
        json_tokener_set_flags(json->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    }
    const char *wrong = lint(text, length, &json->members);
    if (wrong == NULL) {
        wrong = parse(json, text, length);
    }
    if (wrong != NULL) {
        json_object_put(json->object);
        json->object = NULL;
    }
    return wrong;
}

bool import_json_has_double(const struct import_json *json)
{
    int kept = json_object_object_length(json->object);
    struct json_object_iterator at = json_object_iter_begin(json->object);
    struct json_object_iterator behind = json_object_iter_end(json->object);
    for (; !json_object_iter_equal(&at, &behind); json_object_iter_next(&at)) {
        struct json_object *value = json_object_iter_peek_value(&at);
        if (json_object_is_type(value, json_type_object)) {
            kept += json_object_object_length(value);
        }
    }
    return kept != json->members;
}

/* --- members ---------------------------------------------------------------------------------- */

const char *import_json_text(struct import_row *row, const char *name, struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string)) {
        import_row_reject(row, "%s: must be a string", name);
        return NULL;
    }
    return json_object_get_string(value);
}

void import_json_add_labels(struct import_row *row, const char *name, struct json_object *labels)
{
    if (!json_object_is_type(labels, json_type_object)) {
        import_row_reject(row, "%s: must be an object", name);
        return;
    }
    struct json_object_iterator at = json_object_iter_begin(labels);
    struct json_object_iterator behind = json_object_iter_end(labels);
    for (; !json_object_iter_equal(&at, &behind); json_object_iter_next(&at)) {
        const char *value = import_json_text(row, name, json_object_iter_peek_value(&at));
        import_row_add_label(row, json_object_iter_peek_name(&at), value);
    }
}

void import_json_add_label_text(struct import_json *json, struct import_row *row, const char *name,
                                const char *text)
{
    const char *wrong = import_json_parse(json, text, strlen(text));
    if (wrong != NULL) {
        import_row_reject(row, "%s: %s", name, wrong);
        return;
    }
    import_json_add_labels(row, name, json->object);
    if (import_json_has_double(json)) {
        import_row_reject(row, "%s: a member is there twice", name);
    }
}
