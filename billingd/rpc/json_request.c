#include "billingd/rpc/json_request.h"

#include <json-c/json.h>

#include "billingd/base/assert.h"
#include "billingd/rpc/json_decoder.h"
#include "billingd/rpc/json_lint.h"
#include "proto/field_kind.h"
#include "proto/limits.h"

enum {
    ITEMS_MIN = 16, /* that there is room for at first */
};

static const struct slice whole_item = {0}; /* the field that stands for all of them */

/* --- items ------------------------------------------------------------------------------------ */

/* The items of a message, as they come. */
struct items {
    const ProtobufCFieldDescriptor *field;
    ProtobufCMessage **list; /* in the arena */
    size_t n;
    size_t room;
};

/* The one repeated message that MESSAGE has, or NULL. */
static const ProtobufCFieldDescriptor *items_field(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (field_kind(&type->fields[i]) == FIELD_MESSAGE) {
            return &type->fields[i];
        }
    }
    return NULL;
}

static void grow(struct json_decoder *d, struct items *items)
{
    size_t room = items->room == 0 ? ITEMS_MIN : 2 * items->room;
    ProtobufCMessage **list = json_decoder_need(d, room, sizeof(void *));
    if (list != NULL && items->n > 0) {
        memcpy(list, items->list, items->n * sizeof(void *));
    }
    items->list = list;
    items->room = room;
}

static ProtobufCMessage *new_item(struct json_decoder *d, const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    ProtobufCMessage *item = json_decoder_need(d, 1, type->sizeof_message);
    if (item != NULL) {
        protobuf_c_message_init(type, item);
    }
    return item;
}

/* One more item, to be filled; NULL where it is not.  Those beyond the bound are counted, so that
 * the handler can refuse their number, but all share one empty message. */
static ProtobufCMessage *add_item(struct json_decoder *d, struct items *items)
{
    if (items->n == items->room) {
        grow(d, items);
    }
    if (d->exhausted) {
        return NULL;
    }
    d->item = (int)items->n;
    ProtobufCMessage *item =
        items->n > LIMIT_BATCH_ITEMS ? items->list[items->n - 1] : new_item(d, items->field);
    items->list[items->n++] = item;
    return items->n <= LIMIT_BATCH_ITEMS ? item : NULL;
}

static void set_items(struct json_decoder *d, ProtobufCMessage *message, const struct items *items)
{
    d->item = JSON_WHOLE_REQUEST;
    if (!d->exhausted) {
        json_decoder_set_list(message, items->field, items->list, items->n);
    }
}

/* --- one text --------------------------------------------------------------------------------- */

static void fill_item(struct json_decoder *d, ProtobufCMessage *item, json_object *value)
{
    if (json_object_is_type(value, json_type_object)) {
        json_decoder_fill(d, item, value);
    } else {
        json_decoder_note(d, whole_item, STATUS_WRONG_TYPE, SLICE("the item must be an object"));
    }
}

static bool is_over(const struct json_decoder *d)
{
    return d->exhausted || d->failed;
}

/* Take the items of MESSAGE from TEXT, behind the "[". */
static void take_items(struct json_decoder *d, ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field, struct slice *text)
{
    struct items items = {.field = field};
    while (!is_over(d) && !json_decoder_take_char(text, ']')) {
        json_object *value = json_decoder_take(d, text);
        ProtobufCMessage *item = add_item(d, &items);
        if (item != NULL && !d->failed) {
            fill_item(d, item, value);
        }
        json_object_put(value);
        IGNORE(!json_decoder_take_char(text, ',')); /* or it was the last */
    }
    set_items(d, message, &items);
}

static void take_member(struct json_decoder *d, ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *items, struct slice *text)
{
    json_object *name = json_decoder_take(d, text);
    IGNORE(!json_decoder_take_char(text, ':')); /* it is there: the text was checked */
    if (d->failed) {
        return;
    }
    struct slice name_text = {json_object_get_string(name),
                              (size_t)json_object_get_string_len(name)};
    if (slice_equal(name_text, slice_of(items->name)) && json_decoder_take_char(text, '[')) {
        take_items(d, message, items, text);
    } else {
        json_object *value = json_decoder_take(d, text);
        json_decoder_set(d, message, name_text, value);
        json_object_put(value);
    }
    json_object_put(name);
}

/* Fill MESSAGE, which has ITEMS, from the object that TEXT is: member by member, item by item. */
static void fill_by_item(struct json_decoder *d, ProtobufCMessage *message,
                         const ProtobufCFieldDescriptor *items, struct slice text)
{
    IGNORE(!json_decoder_take_char(&text, '{')); /* it is there */
    while (!is_over(d) && !json_decoder_take_char(&text, '}')) {
        take_member(d, message, items, &text);
        IGNORE(!json_decoder_take_char(&text, ',')); /* or it was the last */
    }
}

static void fill_whole(struct json_decoder *d, ProtobufCMessage *message, struct slice text)
{
    json_object *object = json_decoder_take(d, &text);
    if (!d->failed) {
        json_decoder_fill(d, message, object);
    }
    json_object_put(object);
}

int json_request_decode(struct request *request, ProtobufCMessage *message, struct slice body,
                        struct slice *reterr)
{
    struct json_decoder d;
    int rc = json_decoder_begin(&d, request, body, reterr);
    if (rc < 0) {
        return rc;
    }
    const ProtobufCFieldDescriptor *items = items_field(message);
    rc = json_decoder_check(&d, &body, reterr);
    if (rc == 0 && items != NULL) {
        fill_by_item(&d, message, items, body);
    } else if (rc == 0) {
        fill_whole(&d, message, body);
    }
    return json_decoder_end(&d, rc, reterr);
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

static void fill_line(struct json_decoder *d, ProtobufCMessage *item, struct slice line)
{
    struct slice reason = {0};
    int rc = json_decoder_check(d, &line, &reason);
    if (rc == 0) {
        fill_whole(d, item, line);
    } else {
        json_decoder_note(d, whole_item, rc, reason);
    }
}

int json_request_decode_lines(struct request *request, ProtobufCMessage *message, struct slice body,
                              struct slice *reterr)
{
    struct json_decoder d;
    struct slice line;
    struct items items = {.field = items_field(message)};
    REQUIRE(items.field != NULL);
    if (count_lines(body) > JSON_CONTAINERS_MAX) {
        *reterr = SLICE("too many lines");
        return STATUS_TOO_LARGE;
    }
    int rc = json_decoder_begin(&d, request, body, reterr);
    if (rc < 0) {
        return rc;
    }
    while (!is_over(&d) && next_line(&body, &line)) {
        ProtobufCMessage *item = add_item(&d, &items);
        if (item != NULL) {
            fill_line(&d, item, line);
        }
    }
    set_items(&d, message, &items);
    return json_decoder_end(&d, 0, reterr);
}
