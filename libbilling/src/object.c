/* Reading replies.  Everything was made when the reply was decoded (reply.c). */
#include <stdlib.h>
#include <string.h>

#include "libbilling/src/reply.h"
#include "proto/field_kind.h"
#include "proto/json_writer.h"

/* --- paths ------------------------------------------------------------------------------------ */

/* What a path leads to. */
struct found {
    const ProtobufCFieldDescriptor *field; /* NULL: there is no such field */
    const struct billing_object *owner;    /* has the field; NULL: not set on the way to it */
};

/* The field of DESCRIPTOR whose name is the LENGTH bytes at NAME, or NULL. */
static const ProtobufCFieldDescriptor *field_named(const ProtobufCMessageDescriptor *descriptor,
                                                   const char *name, size_t length)
{
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const char *candidate = descriptor->fields[i].name;
        if (strncmp(candidate, name, length) == 0 && candidate[length] == '\0') {
            return &descriptor->fields[i];
        }
    }
    return NULL;
}

static const struct member *member_of(const struct billing_object *owner,
                                      const ProtobufCFieldDescriptor *field)
{
    return &owner->members[field - owner->message->descriptor->fields];
}

static struct found find(const struct billing_object *object, const char *path)
{
    struct found found = {.owner = object};
    if (object == NULL || path == NULL) {
        return found;
    }
    const ProtobufCMessageDescriptor *descriptor = object->message->descriptor;
    for (;;) {
        size_t length = strcspn(path, ".");
        found.field = field_named(descriptor, path, length);
        if (found.field == NULL || path[length] == '\0') {
            return found;
        }
        if (found.field->type != PROTOBUF_C_TYPE_MESSAGE ||
            found.field->label == PROTOBUF_C_LABEL_REPEATED) {
            return (struct found){0};
        }
        descriptor = found.field->descriptor;
        found.owner = found.owner == NULL ? NULL : member_of(found.owner, found.field)->items;
        path += length + 1;
    }
}

/* The member at PATH; one that is not set if there is none. */
static const struct member *find_member(const struct billing_object *object, const char *path)
{
    static const struct member not_set;
    struct found found = find(object, path);
    return found.field == NULL || found.owner == NULL ? &not_set
                                                      : member_of(found.owner, found.field);
}

/* Where the value at PATH lies, if it is set and of KIND; else NULL. */
static const void *find_value(const struct billing_object *object, const char *path,
                              enum field_kind kind)
{
    struct found found = find(object, path);
    if (found.field == NULL || found.owner == NULL || field_kind(found.field) != kind ||
        member_of(found.owner, found.field)->text == NULL) {
        return NULL;
    }
    return (const char *)found.owner->message + found.field->offset;
}

/* --- public ----------------------------------------------------------------------------------- */

/* A key is shown this once, and to nobody who finds the memory later. */
static bool holds_secret(const struct reply *reply)
{
    return reply->response->result_case == BILLING__V1__RESPONSE__RESULT_CREATE_KEY;
}

/* A caller has only whole replies to free, and of these the body is the reply's first member. */
void billing_object_free(billing_object *object)
{
    if (object == NULL) {
        return;
    }
    struct reply *reply = (struct reply *)(void *)object;
    if (holds_secret(reply)) {
        arena_wipe(&reply->arena);
    }
    arena_done(&reply->arena);
    free(reply);
}

const char *billing_object_text(const billing_object *object, const char *path)
{
    return find_member(object, path)->text;
}

int64_t billing_object_time_us(const billing_object *object, const char *path)
{
    const int64_t *time_us = find_value(object, path, FIELD_TIME);
    return time_us == NULL ? -1 : *time_us;
}

uint64_t billing_object_uint64(const billing_object *object, const char *path)
{
    const uint64_t *count = find_value(object, path, FIELD_COUNT64);
    if (count != NULL) {
        return *count;
    }
    const uint32_t *count32 = find_value(object, path, FIELD_COUNT32);
    return count32 == NULL ? 0 : *count32;
}

bool billing_object_flag(const billing_object *object, const char *path)
{
    const protobuf_c_boolean *flag = find_value(object, path, FIELD_FLAG);
    return flag != NULL && *flag != 0;
}

const billing_object *billing_object_child(const billing_object *object, const char *path)
{
    struct found found = find(object, path);
    if (found.field == NULL || found.field->label == PROTOBUF_C_LABEL_REPEATED) {
        return NULL;
    }
    return find_member(object, path)->items;
}

/* An object within, which is no list, has an item too. */
static const struct member *find_list(const struct billing_object *object, const char *path)
{
    struct found found = find(object, path);
    bool is_list = found.field != NULL && found.field->label == PROTOBUF_C_LABEL_REPEATED;
    return find_member(is_list ? object : NULL, path);
}

size_t billing_object_count(const billing_object *object, const char *path)
{
    return find_list(object, path)->count;
}

const billing_object *billing_object_item(const billing_object *object, const char *path,
                                          size_t index)
{
    const struct member *list = find_list(object, path);
    return list->items != NULL && index < list->count ? &list->items[index] : NULL;
}

const char *billing_object_text_item(const billing_object *object, const char *path, size_t index)
{
    const struct member *list = find_list(object, path);
    return list->texts != NULL && index < list->count ? list->texts[index] : NULL;
}

billing_field_kind billing_object_kind(const billing_object *object, const char *path)
{
    struct found found = find(object, path);
    if (found.field == NULL) {
        return BILLING_FIELD_NONE;
    }
    if (found.field->label == PROTOBUF_C_LABEL_REPEATED) {
        return found.field->type == PROTOBUF_C_TYPE_BYTES ? BILLING_FIELD_TEXTS
                                                          : BILLING_FIELD_LIST;
    }
    switch (field_kind(found.field)) {
    case FIELD_TEXT:
    case FIELD_ENUM:
        return BILLING_FIELD_TEXT;
    case FIELD_DECIMAL:
    case FIELD_COUNT32:
    case FIELD_COUNT64:
        return BILLING_FIELD_NUMBER;
    case FIELD_TIME:
        return BILLING_FIELD_TIME;
    case FIELD_FLAG:
        return BILLING_FIELD_FLAG;
    case FIELD_MESSAGE:
    case FIELD_LABELS:
        return BILLING_FIELD_OBJECT;
    }
    return BILLING_FIELD_NONE;
}

size_t billing_object_field_count(const billing_object *object)
{
    return object == NULL ? 0 : object->message->descriptor->n_fields;
}

const char *billing_object_field_name(const billing_object *object, size_t index)
{
    return index < billing_object_field_count(object)
               ? object->message->descriptor->fields[index].name
               : NULL;
}

int billing_object_json(const billing_object *object, char **ret_text, size_t *ret_length)
{
    struct json_text json = {0};
    if (ret_text == NULL) {
        return BILLING_E_ARGUMENT;
    }
    *ret_text = NULL;
    if (object == NULL) {
        return BILLING_E_ARGUMENT;
    }
    if (json_write_message(&json, object->message) != 0 || json_write_raw(&json, "", 1) != 0) {
        free(json.data);
        return BILLING_E_NO_MEMORY;
    }
    *ret_text = json.data;
    if (ret_length != NULL) {
        *ret_length = json.length - 1;
    }
    return 0;
}

void billing_text_free(char *text)
{
    free(text);
}

const char *billing_object_request_id(const billing_object *object)
{
    if (object == NULL || !object->reply->response->has_request_id) {
        return NULL;
    }
    const ProtobufCBinaryData *id = &object->reply->response->request_id;
    return id->len == 0 ? "" : (const char *)id->data;
}

bool billing_object_replayed(const billing_object *object)
{
    return object != NULL && object->reply->response->has_replayed &&
           object->reply->response->replayed;
}
