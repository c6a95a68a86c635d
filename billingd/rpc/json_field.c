#include "billingd/rpc/json_field.h"

#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "billingd/base/assert.h"
#include "billingd/rpc/quote.h"
#include "proto/timestamp.h"
#include "proto/utf8.h"

enum {
    SHOWN_BYTES_MAX = 64,
    NAME_BYTES_MAX = 64,   /* no field's is longer */
    WORDS_BYTES_MAX = 128, /* of an enum, listed */
};

const ProtobufCFieldDescriptor *json_field_find(const ProtobufCMessage *message, struct slice name)
{
    char text[NAME_BYTES_MAX + 1] = "";
    if (name.length == 0 || name.length > NAME_BYTES_MAX ||
        memchr(name.data, '\0', name.length) != NULL) {
        return NULL;
    }
    memcpy(text, name.data, name.length);
    return protobuf_c_message_descriptor_get_field_by_name(message->descriptor, text);
}

static char *at_offset(ProtobufCMessage *message, unsigned offset)
{
    return (char *)message + offset;
}

bool json_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *quantifier = (const char *)message + field->quantifier_offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return *(const size_t *)(const void *)quantifier > 0;
    }
    return *(const protobuf_c_boolean *)quantifier;
}

/* --- kinds ------------------------------------------------------------------------------------ */

static int set_bytes(struct arena *arena, void *at, struct slice text)
{
    struct slice copy;
    int rc = arena_copy(arena, text, &copy);
    if (rc == 0) {
        ProtobufCBinaryData *data = at;
        data->len = copy.length;
        data->data = (uint8_t *)(uintptr_t)copy.data; /* lies in the arena, which is ours */
    }
    return rc;
}

/* Whether TEXT, no time, is one with TO in place of the character FROM at AT. */
static bool is_time_with(struct slice text, size_t at, char from, char to)
{
    char copy[QUOTE_BYTES];
    int64_t time_us;
    if (text.length > sizeof copy || at >= text.length || text.data[at] != from) {
        return false;
    }
    memcpy(copy, text.data, text.length);
    copy[at] = to;
    return timestamp_parse(copy, text.length, &time_us) == 0;
}

/* What TEXT may have been meant to be, as the end of a message. */
static const char *hint_at_time(struct slice text)
{
    enum {
        SECONDS = sizeof "2026-11-22T11:01:" - 1,
        OFFSET_BYTES = sizeof "+01:00" - 1,
    };
    if (is_time_with(text, SECONDS, '6', '5') && text.data[SECONDS + 1] == '0') {
        return "; a leap second has no place in it";
    }
    if (text.length > OFFSET_BYTES && is_time_with(text, text.length - OFFSET_BYTES, ' ', '+')) {
        return "; in a query a + is written %2B";
    }
    return "";
}

static int set_time(struct arena *arena, void *at, struct slice text, const char **reterr)
{
    int rc = timestamp_parse(text.data, text.length, at);
    if (rc == 0) {
        return 0;
    }
    struct quote quote = quote_text(text);
    struct slice message = /* with a NUL, to be a string */
        rc == STATUS_TIME_OUT_OF_RANGE
            ? arena_printf(arena, "'%s' lies outside the years 1970 to 9999%c", quote.text, '\0')
            : arena_printf(arena, "'%s' must be an RFC 3339 time, 2026-11-22T11:01:38Z%s%c",
                           quote.text, hint_at_time(text), '\0');
    *reterr = message.length > 0 ? message.data : "is no time";
    return rc;
}

static int parse_count(struct slice text, uint64_t max, uint64_t *ret, const char **reterr)
{
    uint64_t value = 0;
    bool negative = text.length > 1 && text.data[0] == '-';
    bool fits = true;
    *reterr = "must be a whole number";
    if (text.length == 0) {
        return STATUS_WRONG_TYPE;
    }
    for (size_t i = negative; i < text.length; i++) {
        unsigned digit = (unsigned char)text.data[i] - (unsigned)'0';
        if (digit > 9) {
            return STATUS_WRONG_TYPE;
        }
        fits = fits && !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_add_overflow(value, digit, &value);
    }
    if (!fits || value > max || (negative && value > 0)) {
        *reterr = negative ? "must not be negative" : "is too large";
        return STATUS_OUT_OF_BOUNDS;
    }
    *ret = value;
    return 0;
}

static int set_count32(void *at, struct slice text, const char **reterr)
{
    uint64_t value;
    int rc = parse_count(text, UINT32_MAX, &value, reterr);
    if (rc == 0) {
        *(uint32_t *)at = (uint32_t)value;
    }
    return rc;
}

static int set_count64(void *at, struct slice text, const char **reterr)
{
    uint64_t value;
    int rc = parse_count(text, UINT64_MAX, &value, reterr);
    if (rc == 0) {
        *(uint64_t *)at = value;
    }
    return rc;
}

static int set_flag(void *at, struct slice text, const char **reterr)
{
    bool is_true = slice_equal(text, SLICE("true"));
    if (!is_true && !slice_equal(text, SLICE("false"))) {
        *reterr = "must be true or false";
        return STATUS_WRONG_TYPE;
    }
    *(protobuf_c_boolean *)at = is_true;
    return 0;
}

static bool is_lower_case_of(struct slice text, const char *name)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] >= 'A' && text.data[i] <= 'Z') {
            return false;
        }
    }
    return text.length == strlen(name) && strncasecmp(text.data, name, text.length) == 0;
}

/* "must be hour, day or month". */
static const char *list_words(struct arena *arena, const ProtobufCEnumDescriptor *type)
{
    char text[WORDS_BYTES_MAX] = "must be ";
    size_t length = strlen(text);
    struct slice copy;
    for (unsigned i = 0; i < type->n_values; i++) {
        const char *link = i == 0 ? "" : i + 1 < type->n_values ? ", " : " or ";
        int n = snprintf(text + length, sizeof text - length, "%s%s", link, type->values[i].name);
        INVARIANT(n > 0 && (size_t)n < sizeof text - length);
        length += (size_t)n;
    }
    for (size_t i = 0; i < length; i++) {
        text[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
    }
    return arena_copy(arena, (struct slice){text, length + 1}, &copy) == 0
               ? copy.data
               : "is none of the known words";
}

static int set_enum(struct arena *arena, const ProtobufCEnumDescriptor *type, void *at,
                    struct slice text, const char **reterr)
{
    for (unsigned i = 0; i < type->n_values; i++) {
        if (is_lower_case_of(text, type->values[i].name)) {
            *(int *)at = type->values[i].value;
            return 0;
        }
    }
    *reterr = list_words(arena, type);
    return STATUS_OUT_OF_BOUNDS;
}

static int set_value(struct arena *arena, const ProtobufCFieldDescriptor *field, void *at,
                     struct slice text, const char **reterr)
{
    switch (field_kind(field)) {
    case FIELD_TEXT:
    case FIELD_DECIMAL: /* its handler parses it, and says what is wrong */
        return set_bytes(arena, at, text);
    case FIELD_TIME:
        return set_time(arena, at, text, reterr);
    case FIELD_COUNT32:
        return set_count32(at, text, reterr);
    case FIELD_COUNT64:
        return set_count64(at, text, reterr);
    case FIELD_FLAG:
        return set_flag(at, text, reterr);
    case FIELD_ENUM:
        return set_enum(arena, field->descriptor, at, text, reterr);
    case FIELD_MESSAGE:
    case FIELD_LABELS:
        break;
    }
    assert_failed("require", "a field of one value", __FILE__, __LINE__);
}

int json_field_set(struct arena *arena, ProtobufCMessage *message,
                   const ProtobufCFieldDescriptor *field, struct slice text, const char **reterr)
{
    int rc = set_value(arena, field, at_offset(message, field->offset), text, reterr);
    if (rc == 0) {
        *(protobuf_c_boolean *)at_offset(message, field->quantifier_offset) = true;
    }
    return rc;
}

struct slice json_field_show(struct arena *arena, struct slice name)
{
    char shown[SHOWN_BYTES_MAX];
    struct slice copy = {0};
    if (name.length > SHOWN_BYTES_MAX || !utf8_printable(name.data, name.length)) {
        name.length = name.length < SHOWN_BYTES_MAX ? name.length : SHOWN_BYTES_MAX;
        for (size_t i = 0; i < name.length; i++) {
            shown[i] = (char)(name.data[i] >= ' ' && name.data[i] <= '~' ? name.data[i] : '?');
        }
        name.data = shown;
    }
    return arena_copy(arena, name, &copy) == 0 ? copy : (struct slice){0};
}
