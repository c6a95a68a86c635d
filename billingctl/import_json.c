#include "billingctl/import_json.h"

#include <string.h>

enum {
    DEPTH_MAX = 3, /* an item, and the labels in it */
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

static const char *parse(struct import_json *json, const char *text, size_t length)
{
    json_tokener_reset(json->tokener);
    json->object = json_tokener_parse_ex(json->tokener, text, (int)length);
    switch (json_tokener_get_error(json->tokener)) {
    case json_tokener_success:
        break;
    case json_tokener_continue:
        return "not JSON: it ends too early";
    default:
        return "not JSON";
    }
    return json_tokener_get_parse_end(json->tokener) == length &&
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
