#include "billingd/rpc/json_request.h"

#include <json-c/json.h>

#include "billingd/base/assert.h"
#include "billingd/rpc/json_field.h"
#include "billingd/rpc/json_lint.h"
#include "proto/limits.h"

enum {
    WHOLE_REQUEST = -1, /* an item's number */
    /* What noting one more error may take of the arena, the table of items' errors included. */
    NOTE_BYTES_MAX = 512 * 1024,
};

struct decoder {
    struct request *request;
    struct arena *arena;          /* the request's */
    struct json_tokener *tokener; /* owned */
    int item;                     /* of a batch, or WHOLE_REQUEST */
    bool exhausted;               /* the arena is */
};

static const struct slice whole_item = {0}; /* the field that stands for all of them */

/* Errors are owed room in the arena; where a hostile body has filled it, the request is over. */
static void note(struct decoder *d, struct slice field, int status, struct slice message)
{
    d->exhausted |= d->arena->budget + d->arena->left < NOTE_BYTES_MAX;
    if (!d->exhausted) {
        request_field_error(d->request, d->item, field, status, "%.*s", (int)message.length,
                            message.data);
    }
}

static void *need(struct decoder *d, size_t count, size_t size)
{
    void *memory = arena_alloc_array(d->arena, count, size);
    d->exhausted |= memory == NULL;
    return memory;
}

/* Room for COUNT pointers. */
static void *need_list(struct decoder *d, size_t count)
{
    return need(d, count, sizeof(void *));
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

/* Hang N pointers at LIST into the repeated FIELD of MESSAGE. */
static void set_list(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, void *list,
                     size_t n)
{
    *(void **)at_offset(message, field->offset) = list;
    *(size_t *)at_offset(message, field->quantifier_offset) = n;
}

static bool copy_text(struct decoder *d, struct slice text, ProtobufCBinaryData *ret)
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

static void set_texts(struct decoder *d, ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field, json_object *array)
{
    size_t n = json_object_array_length(array);
    ProtobufCBinaryData *texts = need(d, n, sizeof *texts);
    for (size_t i = 0; i < n && !d->exhausted; i++) {
        json_object *text = json_object_array_get_idx(array, i);
        if (!json_object_is_type(text, json_type_string)) {
            note(d, slice_of(field->name), STATUS_WRONG_TYPE, SLICE("must be an array of strings"));
            return;
        }
        IGNORE(!copy_text(d, text_of(text), &texts[i])); /* d knows */
    }
    if (!d->exhausted) {
        set_list(message, field, texts, n);
    }
}

static void set_labels(struct decoder *d, ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field, json_object *value)
{
    size_t n = 0;
    size_t members = (size_t)json_object_object_length(value);
    Billing__V1__Label *labels = need(d, members, sizeof *labels);
    Billing__V1__Label **list = need_list(d, members);
    if (labels == NULL || list == NULL) {
        return;
    }
    json_object_object_foreach(value, name, text)
    {
        Billing__V1__Label *label = &labels[n];
        if (!json_object_is_type(text, json_type_string)) {
            note(d, slice_of(field->name), STATUS_WRONG_TYPE,
                 SLICE("must be an object of strings"));
            return;
        }
        billing__v1__label__init(label);
        label->has_name = copy_text(d, slice_of(name), &label->name);
        label->has_value = copy_text(d, text_of(text), &label->value);
        list[n++] = label;
    }
    set_list(message, field, list, n);
}

/* --- objects ---------------------------------------------------------------------------------- */

static void fill(struct decoder *d, ProtobufCMessage *message, json_object *object);

static ProtobufCMessage *new_item(struct decoder *d, const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    ProtobufCMessage *item = need(d, 1, type->sizeof_message);
    if (item != NULL) {
        protobuf_c_message_init(type, item);
    }
    return item;
}

static void fill_item(struct decoder *d, ProtobufCMessage *item, json_object *value)
{
    if (json_object_is_type(value, json_type_object)) {
        fill(d, item, value);
    } else {
        note(d, whole_item, STATUS_WRONG_TYPE, SLICE("the item must be an object"));
    }
}

/* Items beyond the bound are counted, so that the handler can refuse their number, but all share
 * one empty message. */
static void set_items(struct decoder *d, ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field, json_object *array)
{
    size_t n = json_object_array_length(array);
    ProtobufCMessage **list = need_list(d, n);
    for (size_t i = 0; i < n && !d->exhausted; i++) {
        if (i > LIMIT_BATCH_ITEMS) {
            list[i] = list[i - 1];
            continue;
        }
        list[i] = new_item(d, field);
        if (i < LIMIT_BATCH_ITEMS && list[i] != NULL) {
            d->item = (int)i;
            fill_item(d, list[i], json_object_array_get_idx(array, i));
        }
    }
    d->item = WHOLE_REQUEST;
    if (!d->exhausted) {
        set_list(message, field, list, n);
    }
}

static void set_field(struct decoder *d, ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field, json_object *value)
{
    const char *reason = unlike(field, value);
    if (reason != NULL) {
        note(d, slice_of(field->name), STATUS_WRONG_TYPE, slice_of(reason));
    } else if (is_text_list(field)) {
        set_texts(d, message, field, value);
    } else if (field_kind(field) == FIELD_LABELS) {
        set_labels(d, message, field, value);
    } else if (field_kind(field) == FIELD_MESSAGE) {
        set_items(d, message, field, value);
    } else {
        int rc = json_field_set(d->arena, message, field, text_of(value), &reason);
        if (rc == STATUS_TOO_LARGE) {
            d->exhausted = true;
        } else if (rc < 0) {
            note(d, slice_of(field->name), rc, slice_of(reason));
        }
    }
}

/* No message contains itself, so this goes only as deep as billing.proto does. */
static void fill(struct decoder *d, ProtobufCMessage *message, json_object *object)
{
    json_object_object_foreach(object, name, value)
    {
        const ProtobufCFieldDescriptor *field = json_field_find(message, slice_of(name));
        if (field == NULL) {
            note(d, json_field_show(d->arena, slice_of(name)), STATUS_UNKNOWN_FIELD,
                 SLICE("is not known here"));
        } else if (json_field_is_set(message, field)) {
            note(d, slice_of(field->name), STATUS_UNKNOWN_FIELD,
                 SLICE("is given by the path and has no place in the body"));
        } else {
            set_field(d, message, field, value);
        }
        if (d->exhausted) {
            return;
        }
    }
}

/* --- texts ------------------------------------------------------------------------------------ */

static struct slice describe(struct decoder *d, const struct json_lint *lint)
{
    return arena_printf(d->arena, "%s, at byte %zu", lint->reason, lint->position + 1);
}

/* TEXT as json-c may have it. */
static int prepare(struct decoder *d, struct slice *text, struct slice *reterr)
{
    struct json_lint lint;
    int rc = json_lint(*text, &lint);
    if (rc < 0) {
        *reterr = describe(d, &lint);
        return rc;
    }
    if (lint.long_integers > 0) {
        size_t length = text->length + 2 * lint.long_integers;
        char *wide = need(d, length, 1);
        if (wide == NULL) {
            return STATUS_TOO_LARGE;
        }
        json_lint_widen(*text, wide);
        *text = (struct slice){wide, length};
    }
    return 0;
}

static bool begins_object(struct slice text)
{
    size_t at = 0;
    while (at < text.length && strchr(" \t\r\n", text.data[at]) != NULL) {
        at++;
    }
    return at < text.length && text.data[at] == '{';
}

/* The object that TEXT is; json_object_put() it. */
static int parse(struct decoder *d, struct slice text, json_object **ret, struct slice *reterr)
{
    int rc = prepare(d, &text, reterr);
    if (rc < 0) {
        return rc;
    }
    if (!begins_object(text)) {
        *reterr = SLICE("an object is expected");
        return STATUS_WRONG_TYPE;
    }
    json_tokener_reset(d->tokener);
    json_object *object = json_tokener_parse_ex(d->tokener, text.data, (int)text.length);
    if (object == NULL) {
        *reterr = SLICE("not JSON");
        return STATUS_MALFORMED_JSON;
    }
    *ret = object;
    return 0;
}

static int begin(struct decoder *d, struct request *request, struct slice body,
                 struct slice *reterr)
{
    *d = (struct decoder){.request = request, .arena = &request->arena, .item = WHOLE_REQUEST};
    if (body.length > INT32_MAX / 4) { /* json-c counts in int */
        *reterr = SLICE("the body is too large");
        return STATUS_TOO_LARGE;
    }
    d->tokener = json_tokener_new_ex(2 * JSON_DEPTH_MAX);
    if (d->tokener == NULL) {
        *reterr = SLICE("out of memory");
        return STATUS_NO_MEMORY;
    }
    json_tokener_set_flags(d->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    return 0;
}

static int end(struct decoder *d, int rc, struct slice *reterr)
{
    json_tokener_free(d->tokener);
    if (d->exhausted) {
        *reterr = SLICE("the request takes too much memory");
        return STATUS_TOO_LARGE;
    }
    return rc;
}

int json_request_decode(struct request *request, ProtobufCMessage *message, struct slice body,
                        struct slice *reterr)
{
    struct decoder d;
    json_object *object;
    int rc = begin(&d, request, body, reterr);
    if (rc < 0) {
        return rc;
    }
    rc = parse(&d, body, &object, reterr);
    if (rc == 0) {
        fill(&d, message, object);
        json_object_put(object);
    }
    return end(&d, rc, reterr);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Take the next line that is not blank from BODY. */
static bool next_line(struct slice *body, struct slice *ret)
{
    while (body->length > 0) {
        const char *lf = memchr(body->data, '\n', body->length);
        size_t length = lf == NULL ? body->length : (size_t)(lf - body->data);
        *ret = (struct slice){body->data, length};
        length += lf != NULL;
        body->data += length;
        body->length -= length;
        for (size_t i = 0; i < ret->length; i++) {
            if (ret->data[i] != ' ' && ret->data[i] != '\t' && ret->data[i] != '\r') {
                return true;
            }
        }
    }
    return false;
}

static size_t count_lines(struct slice body)
{
    struct slice line;
    size_t n = 0;
    while (next_line(&body, &line)) {
        n++;
    }
    return n;
}

static void fill_line(struct decoder *d, ProtobufCMessage *item, struct slice line)
{
    json_object *object;
    struct slice reason = {0};
    int rc = parse(d, line, &object, &reason);
    if (rc == 0) {
        fill(d, item, object);
        json_object_put(object);
        return;
    }
    note(d, whole_item, rc, reason);
}

/* The one repeated message that MESSAGE has. */
static const ProtobufCFieldDescriptor *items_field(const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *fields = message->descriptor->fields;
    unsigned i = 0;
    while (field_kind(&fields[i]) != FIELD_MESSAGE) {
        i++;
        INVARIANT(i < message->descriptor->n_fields);
    }
    return &fields[i];
}

/* As set_items(): what is beyond the bound shares one empty message. */
static void set_lines(struct decoder *d, ProtobufCMessage *message, struct slice body, size_t n)
{
    const ProtobufCFieldDescriptor *field = items_field(message);
    ProtobufCMessage **list = need_list(d, n);
    struct slice line;
    for (size_t i = 0; i < n && !d->exhausted; i++) {
        if (i > LIMIT_BATCH_ITEMS) {
            list[i] = list[i - 1];
            continue;
        }
        list[i] = new_item(d, field);
        if (i < LIMIT_BATCH_ITEMS && list[i] != NULL && next_line(&body, &line)) {
            d->item = (int)i;
            fill_line(d, list[i], line);
        }
    }
    if (!d->exhausted) {
        set_list(message, field, list, n);
    }
}

int json_request_decode_lines(struct request *request, ProtobufCMessage *message, struct slice body,
                              struct slice *reterr)
{
    struct decoder d;
    size_t n = count_lines(body);
    if (n > JSON_CONTAINERS_MAX) {
        *reterr = SLICE("too many lines");
        return STATUS_TOO_LARGE;
    }
    int rc = begin(&d, request, body, reterr);
    if (rc < 0) {
        return rc;
    }
    set_lines(&d, message, body, n);
    return end(&d, 0, reterr);
}
