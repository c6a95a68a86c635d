#include "billingd/rpc/json_decoder.h"

#include <json-c/json.h>

#include "billingd/base/assert.h"
#include "billingd/rpc/json_field.h"
#include "billingd/rpc/json_lint.h"

enum {
    /* What noting one more error may take of the arena, the table of items' errors included. */
    NOTE_BYTES_MAX = 512 * 1024,
};

int json_decoder_begin(struct json_decoder *d, struct request *request, struct slice body,
                       struct slice *reterr)
{
    *d = (struct json_decoder){
        .request = request, .arena = &request->arena, .item = JSON_WHOLE_REQUEST};
    if (body.length > INT32_MAX / 4) { /* json-c counts in int */
        *reterr = SLICE("the body is too large");
        return STATUS_TOO_LARGE;
    }
    d->tokener = json_tokener_new_ex(2 * JSON_DEPTH_MAX);
    if (d->tokener == NULL) {
        *reterr = SLICE("out of memory");
        return STATUS_NO_MEMORY;
    }
    json_tokener_set_flags(d->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 |
                                           JSON_TOKENER_ALLOW_TRAILING_CHARS);
    return 0;
}

int json_decoder_end(struct json_decoder *d, int rc, struct slice *reterr)
{
    json_tokener_free(d->tokener);
    if (d->exhausted) {
        *reterr = SLICE("the request takes too much memory");
        return STATUS_TOO_LARGE;
    }
    if (d->failed) {
        *reterr = SLICE("not JSON");
        return STATUS_MALFORMED_JSON;
    }
    return rc;
}

/* Errors are owed room in the arena; where a hostile body has filled it, the request is over. */
void json_decoder_note(struct json_decoder *d, struct slice field, int status, struct slice message)
{
    d->exhausted |= d->arena->budget + d->arena->left < NOTE_BYTES_MAX;
    if (!d->exhausted) {
        request_field_error(d->request, d->item, field, status, "%.*s", (int)message.length,
                            message.data);
    }
}

void *json_decoder_need(struct json_decoder *d, size_t count, size_t size)
{
    void *memory = arena_alloc_array(d->arena, count, size);
    d->exhausted |= memory == NULL;
    return memory;
}

/* --- values ----------------------------------------------------------------------------------- */

static struct slice text_of(json_object *value)
{
    const char *data = json_object_get_string(value);
    if (json_object_is_type(value, json_type_string)) {
        return (struct slice){data, (size_t)json_object_get_string_len(value)};
    }
    struct slice text = slice_of(data);
    if (text.length > 2 && memcmp(data + text.length - 2, "e0", 2) == 0) {
        text.length -= 2; /* json_lint_widen()'s; and 10^0 is 1 */
    }
    return text;
}

static bool is_text_list(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED && field->type == PROTOBUF_C_TYPE_BYTES;
}

/* What JSON type FIELD wants, NULL where VALUE is of it. */
static const char *unlike(const ProtobufCFieldDescriptor *field, json_object *value)
{
    bool string = json_object_is_type(value, json_type_string);
    bool number =
        json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
    if (is_text_list(field)) {
        return json_object_is_type(value, json_type_array) ? NULL : "must be an array of strings";
    }
    switch (field_kind(field)) {
    case FIELD_TEXT:
    case FIELD_TIME:
    case FIELD_ENUM:
        return string ? NULL : "must be a string";
    case FIELD_DECIMAL:
        return string || number ? NULL : "must be a number, or a string with one";
    case FIELD_COUNT32:
    case FIELD_COUNT64:
        return number ? NULL : "must be a number";
    case FIELD_FLAG:
        return json_object_is_type(value, json_type_boolean) ? NULL : "must be true or false";
    case FIELD_MESSAGE:
        return json_object_is_type(value, json_type_array) ? NULL : "must be an array";
    case FIELD_LABELS:
        return json_object_is_type(value, json_type_object) ? NULL : "must be an object of strings";
    }
    return "cannot be given";
}

static void *at_offset(ProtobufCMessage *message, unsigned offset)
{
    return (char *)message + offset;
}

void json_decoder_set_list(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                           void *list, size_t n)
{
    *(void **)at_offset(message, field->offset) = list;
    *(size_t *)at_offset(message, field->quantifier_offset) = n;
}

static bool copy_text(struct json_decoder *d, struct slice text, ProtobufCBinaryData *ret)
{
    struct slice copy;
    if (arena_copy(d->arena, text, &copy) < 0) {
        d->exhausted = true;
        return false;
    }
    ret->data = (uint8_t *)(uintptr_t)copy.data; /* lies in the arena, which is ours */
    ret->len = copy.length;
    return true;
}

static void set_texts(struct json_decoder *d, ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field, json_object *array)
{
    size_t n = json_object_array_length(array);
    ProtobufCBinaryData *texts = json_decoder_need(d, n, sizeof *texts);
    for (size_t i = 0; i < n && !d->exhausted; i++) {
        json_object *text = json_object_array_get_idx(array, i);
        if (!json_object_is_type(text, json_type_string)) {
            json_decoder_note(d, slice_of(field->name), STATUS_WRONG_TYPE,
                              SLICE("must be an array of strings"));
            return;
        }
        IGNORE(!copy_text(d, text_of(text), &texts[i])); /* d knows */
    }
    if (!d->exhausted) {
        json_decoder_set_list(message, field, texts, n);
    }
}

static void set_labels(struct json_decoder *d, ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field, json_object *value)
{
    size_t n = 0;
    size_t members = (size_t)json_object_object_length(value);
    Billing__V1__Label *labels = json_decoder_need(d, members, sizeof *labels);
    Billing__V1__Label **list = json_decoder_need(d, members, sizeof(void *));
    if (labels == NULL || list == NULL) {
        return;
    }
    json_object_object_foreach(value, name, text)
    {
        Billing__V1__Label *label = &labels[n];
        if (!json_object_is_type(text, json_type_string)) {
            json_decoder_note(d, slice_of(field->name), STATUS_WRONG_TYPE,
                              SLICE("must be an object of strings"));
            return;
        }
        billing__v1__label__init(label);
        label->has_name = copy_text(d, slice_of(name), &label->name);
        label->has_value = copy_text(d, text_of(text), &label->value);
        list[n++] = label;
    }
    json_decoder_set_list(message, field, list, n);
}

/* --- objects ---------------------------------------------------------------------------------- */

static void set_field(struct json_decoder *d, ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field, json_object *value)
{
    const char *reason = unlike(field, value);
    if (reason != NULL) {
        json_decoder_note(d, slice_of(field->name), STATUS_WRONG_TYPE, slice_of(reason));
    } else if (is_text_list(field)) {
        set_texts(d, message, field, value);
    } else if (field_kind(field) == FIELD_LABELS) {
        set_labels(d, message, field, value);
    } else {
        int rc = json_field_set(d->arena, message, field, text_of(value), &reason);
        if (rc == STATUS_TOO_LARGE) {
            d->exhausted = true;
        } else if (rc < 0) {
            json_decoder_note(d, slice_of(field->name), rc, slice_of(reason));
        }
    }
}

void json_decoder_set(struct json_decoder *d, ProtobufCMessage *message, struct slice name,
                      json_object *value)
{
    const ProtobufCFieldDescriptor *field = json_field_find(message, name);
    if (field == NULL) {
        json_decoder_note(d, json_field_show(d->arena, name), STATUS_UNKNOWN_FIELD,
                          SLICE("is not known here"));
    } else if (json_field_is_set(message, field)) {
        json_decoder_note(d, slice_of(field->name), STATUS_UNKNOWN_FIELD,
                          SLICE("is given by the path and has no place in the body"));
    } else {
        set_field(d, message, field, value);
    }
}

void json_decoder_fill(struct json_decoder *d, ProtobufCMessage *message, json_object *object)
{
    json_object_object_foreach(object, name, value)
    {
        json_decoder_set(d, message, slice_of(name), value);
        if (d->exhausted) {
            return;
        }
    }
}

/* --- texts ------------------------------------------------------------------------------------ */

static struct slice describe(struct json_decoder *d, const struct json_lint *lint)
{
    return arena_printf(d->arena, "%s, at byte %zu", lint->reason, lint->position + 1);
}

/* TEXT with N long integers, as json-c may have it. */
static int widen(struct json_decoder *d, struct slice *text, size_t n)
{
    size_t length = text->length + 2 * n;
    char *wide = json_decoder_need(d, length, 1);
    if (wide == NULL) {
        return STATUS_TOO_LARGE;
    }
    json_lint_widen(*text, wide);
    *text = (struct slice){wide, length};
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct slice *text)
{
    while (text->length > 0 && is_blank(*text->data)) {
        text->data++;
        text->length--;
    }
}

int json_decoder_check(struct json_decoder *d, struct slice *text, struct slice *reterr)
{
    struct json_lint lint;
    int rc = json_lint(*text, &lint);
    if (rc < 0) {
        *reterr = describe(d, &lint);
        return rc;
    }
    skip_blanks(text);
    if (*text->data != '{') {
        *reterr = SLICE("an object is expected");
        return STATUS_WRONG_TYPE;
    }
    return lint.long_integers == 0 ? 0 : widen(d, text, lint.long_integers);
}

bool json_decoder_take_char(struct slice *text, char c)
{
    skip_blanks(text);
    if (text->length == 0 || *text->data != c) {
        return false;
    }
    text->data++;
    text->length--;
    return true;
}

json_object *json_decoder_take(struct json_decoder *d, struct slice *text)
{
    json_tokener_reset(d->tokener);
    json_object *value = json_tokener_parse_ex(d->tokener, text->data, (int)text->length);
    size_t taken = json_tokener_get_parse_end(d->tokener);
    d->failed |= json_tokener_get_error(d->tokener) != json_tokener_success;
    text->data += taken;
    text->length -= taken;
    return value;
}
