#include "proto/json_writer.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "billing.pb-c.h"
#include "proto/field_kind.h"
#include "proto/timestamp.h"

/* --- the buffer ------------------------------------------------------------------------------- */

static void put(struct json_text *t, const char *bytes, size_t length)
{
    if (t->failed || length == 0) {
        return;
    }
    if (length > t->capacity - t->length) {
        size_t capacity = t->capacity < 256 ? 256 : t->capacity;
        while (capacity - t->length < length) {
            capacity *= 2;
        }
        char *data = realloc(t->data, capacity);
        if (data == NULL) {
            t->failed = true;
            return;
        }
        t->data = data;
        t->capacity = capacity;
    }
    memcpy(t->data + t->length, bytes, length);
    t->length += length;
}

static void put_text(struct json_text *t, const char *text)
{
    put(t, text, strlen(text));
}

/* --- values ----------------------------------------------------------------------------------- */

/* What stands for BYTE inside quotes, in ESCAPE; false where it is BYTE itself. */
static bool escape_byte(uint8_t byte, char escape[8])
{
    if (byte == '"' || byte == '\\') {
        escape[0] = '\\';
        escape[1] = (char)byte;
        escape[2] = '\0';
        return true;
    }
    if (byte < 0x20 || byte == 0x7F) {
        IGNORE(snprintf(escape, 8, "\\u%04x", byte) < 0); /* fits */
        return true;
    }
    return false;
}

static void put_string(struct json_text *t, const uint8_t *data, size_t length)
{
    size_t plain = 0; /* start of what needs no escape */
    put_text(t, "\"");
    for (size_t i = 0; i < length; i++) {
        char escape[8];
        if (escape_byte(data[i], escape)) {
            put(t, (const char *)data + plain, i - plain);
            put_text(t, escape);
            plain = i + 1;
        }
    }
    if (plain < length) { /* DATA is NULL where LENGTH is 0 */
        put(t, (const char *)data + plain, length - plain);
    }
    put_text(t, "\"");
}

static void put_count(struct json_text *t, uint64_t value)
{
    char digits[24];
    IGNORE(snprintf(digits, sizeof digits, "%" PRIu64, value) < 0); /* fits */
    put_text(t, digits);
}

static void put_time(struct json_text *t, int64_t time_us)
{
    char text[TIMESTAMP_TEXT_MAX];
    size_t length = timestamp_print(time_us, text);
    put_string(t, (const uint8_t *)text, length);
}

static void put_enum(struct json_text *t, const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(type, value);
    put_text(t, "\"");
    for (const char *c = row == NULL ? "" : row->name; *c != '\0'; c++) {
        char lower = *c;
        if (lower >= 'A' && lower <= 'Z') {
            lower = (char)(lower - 'A' + 'a');
        }
        put(t, &lower, 1);
    }
    put_text(t, "\"");
}

static void put_labels(struct json_text *t, Billing__V1__Label *const *labels, size_t n)
{
    put_text(t, "{");
    for (size_t i = 0; i < n; i++) {
        put_text(t, i > 0 ? ", " : "");
        put_string(t, labels[i]->name.data, labels[i]->name.len);
        put_text(t, ": ");
        put_string(t, labels[i]->value.data, labels[i]->value.len);
    }
    put_text(t, "}");
}

static void put_message(struct json_text *t, const ProtobufCMessage *message);

/* One value of FIELD, which lies at AT. */
static void put_value(struct json_text *t, const ProtobufCFieldDescriptor *field, const void *at)
{
    const ProtobufCBinaryData *bytes = at;
    switch (field_kind(field)) {
    case FIELD_TEXT:
        put_string(t, bytes->data, bytes->len);
        break;
    case FIELD_DECIMAL:
        put(t, (const char *)bytes->data, bytes->len);
        break;
    case FIELD_TIME:
        put_time(t, *(const int64_t *)at);
        break;
    case FIELD_COUNT32:
        put_count(t, *(const uint32_t *)at);
        break;
    case FIELD_COUNT64:
        put_count(t, *(const uint64_t *)at);
        break;
    case FIELD_FLAG:
        put_text(t, *(const protobuf_c_boolean *)at ? "true" : "false");
        break;
    case FIELD_ENUM:
        put_enum(t, field->descriptor, *(const int *)at);
        break;
    case FIELD_MESSAGE:
        put_message(t, *(ProtobufCMessage *const *)at);
        break;
    case FIELD_LABELS: /* repeated only: put_field() has them */
        break;
    }
}

/* --- fields ----------------------------------------------------------------------------------- */

/* Of messages, or of texts. */
static void put_list(struct json_text *t, const ProtobufCFieldDescriptor *field, const char *items,
                     size_t n)
{
    bool texts = field->type == PROTOBUF_C_TYPE_BYTES;
    size_t item_bytes = texts ? sizeof(ProtobufCBinaryData) : sizeof(ProtobufCMessage *);
    put_text(t, "[");
    for (size_t i = 0; i < n; i++) {
        put_text(t, i > 0 ? ", " : "");
        put_value(t, field, items + i * item_bytes);
    }
    put_text(t, "]");
}

static void put_field(struct json_text *t, const ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    const void *at = base + field->offset;
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        put_value(t, field, at);
        return;
    }
    size_t n = *(const size_t *)(const void *)(base + field->quantifier_offset);
    if (field_kind(field) == FIELD_LABELS) {
        put_labels(t, *(Billing__V1__Label *const *const *)at, n);
    } else {
        put_list(t, field, *(const char *const *)at, n);
    }
}

/* No message contains itself, so this goes only as deep as billing.proto does. */
static void put_message(struct json_text *t, const ProtobufCMessage *message)
{
    bool first = true;
    put_text(t, "{");
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (!field_is_set(message, field)) {
            continue;
        }
        put_text(t, first ? "\"" : ", \"");
        put_text(t, field->name);
        put_text(t, "\": ");
        put_field(t, message, field);
        first = false;
    }
    put_text(t, "}");
}

int json_write_message(struct json_text *text, const ProtobufCMessage *message)
{
    put_message(text, message);
    return text->failed ? STATUS_NO_MEMORY : 0;
}

int json_write_raw(struct json_text *text, const char *bytes, size_t length)
{
    put(text, bytes, length);
    return text->failed ? STATUS_NO_MEMORY : 0;
}
