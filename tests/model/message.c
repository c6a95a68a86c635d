#include "tests/model/message.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/field_kind.h"
#include "proto/timestamp.h"

void *message_init(void *message, ProtobufCMessageInit init)
{
    init(message);
    return message;
}

const char *message_text(struct memory *memory, ProtobufCBinaryData field)
{
    char *text = memory_alloc(memory, field.len + 1);
    return field.len == 0 ? text : memcpy(text, field.data, field.len);
}

static void *allocate(void *memory, size_t bytes)
{
    return memory_alloc(memory, bytes);
}

static void keep(void *memory, void *pointer)
{
    (void)memory; /* frees it at once, later */
    (void)pointer;
}

void *message_copy(struct memory *memory, const void *message)
{
    const ProtobufCMessage *from = message;
    ProtobufCAllocator allocator = {.alloc = allocate, .free = keep, .allocator_data = memory};
    size_t bytes = protobuf_c_message_get_packed_size(from);
    uint8_t *packed = memory_alloc(memory, bytes + 1);
    protobuf_c_message_pack(from, packed);
    ProtobufCMessage *copy = protobuf_c_message_unpack(from->descriptor, &allocator, bytes, packed);
    if (copy == NULL) {
        abort();
    }
    return copy;
}

/* --- fields ----------------------------------------------------------------------------------- */

static const void *member(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (const char *)message + field->offset;
}

static size_t count_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
}

static const ProtobufCMessage *message_at(const ProtobufCMessage *message,
                                          const ProtobufCFieldDescriptor *field)
{
    return *(const ProtobufCMessage *const *)member(message, field);
}

static ProtobufCMessage **list_at(const ProtobufCMessage *message,
                                  const ProtobufCFieldDescriptor *field)
{
    return *(ProtobufCMessage * *const *)member(message, field);
}

static bool is_list(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

void *message_chosen(const void *message)
{
    const ProtobufCMessage *m = message;
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &m->descriptor->fields[i];
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 && field_is_set(m, field)) {
            return *(ProtobufCMessage *const *)member(m, field);
        }
    }
    return NULL;
}

const ProtobufCBinaryData *message_bytes(const void *message, const char *name)
{
    const ProtobufCMessage *m = message;
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
    return field != NULL && field->type == PROTOBUF_C_TYPE_BYTES && field_is_set(m, field)
               ? member(m, field)
               : NULL;
}

void message_put_bytes(void *message, const char *name, const ProtobufCBinaryData *value)
{
    ProtobufCMessage *m = message;
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
    if (field != NULL) {
        *(protobuf_c_boolean *)((char *)m + field->quantifier_offset) = value != NULL;
        if (value != NULL) {
            *(ProtobufCBinaryData *)(void *)((char *)m + field->offset) = *value;
        }
    }
}

int64_t message_time(const void *message, const char *name)
{
    const ProtobufCMessage *m = message;
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
    return field != NULL && field->type == PROTOBUF_C_TYPE_SFIXED64 && field_is_set(m, field)
               ? *(const int64_t *)member(m, field)
               : 0;
}

const void *message_below(const void *message)
{
    const ProtobufCMessage *m = message;
    for (unsigned i = 0; m != NULL && i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &m->descriptor->fields[i];
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && !is_list(field) && field_is_set(m, field)) {
            return message_at(m, field);
        }
    }
    return NULL;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* MESSAGE, or the message in it, that has lists. */
static const ProtobufCMessage *holder_of_rows(const ProtobufCMessage *message)
{
    const ProtobufCMessage *below = NULL;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (is_list(field)) {
            return message;
        }
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && field_is_set(message, field)) {
            below = holder_of_rows(message_at(message, field));
        }
    }
    return below;
}

size_t message_rows(const void *message, const ProtobufCMessage **rows, size_t max)
{
    const ProtobufCMessage *holder = holder_of_rows(message);
    size_t n = 0;
    for (unsigned i = 0; holder != NULL && i < holder->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &holder->descriptor->fields[i];
        for (size_t j = 0; is_list(field) && j < count_of(holder, field); j++, n++) {
            if (n < max) {
                rows[n] = list_at(holder, field)[j];
            }
        }
    }
    return n;
}

void message_cut_rows(void *message, size_t first, size_t n)
{
    const ProtobufCMessage *holder = holder_of_rows(message);
    for (unsigned i = 0; holder != NULL && i < holder->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &holder->descriptor->fields[i];
        if (!is_list(field) || count_of(holder, field) == 0) {
            continue;
        }
        char *base = (char *)(uintptr_t)holder; /* our own copy: see the prototype */
        size_t *count = (size_t *)(void *)(base + field->quantifier_offset);
        size_t skip = first < *count ? first : *count;
        size_t left = *count - skip;
        *(ProtobufCMessage ***)(void *)(base + field->offset) += skip;
        *count = left < n ? left : n;
        first -= skip;
        n -= *count;
    }
}

/* --- words ------------------------------------------------------------------------------------ */

static const char *time_words(struct memory *memory, int64_t time_us)
{
    char text[TIMESTAMP_TEXT_MAX];
    if (time_us < 0 || time_us > TIMESTAMP_MAX) {
        return memory_format(memory, "%" PRId64 " us", time_us);
    }
    timestamp_print(time_us, text);
    return memory_format(memory, "%s", text);
}

static const char *value_words(struct memory *memory, const ProtobufCFieldDescriptor *field,
                               const void *value)
{
    const ProtobufCBinaryData *bytes = value;
    switch (field_kind(field)) {
    case FIELD_TEXT:
    case FIELD_DECIMAL:
        return memory_format(memory, "'%s'", message_text(memory, *bytes));
    case FIELD_TIME:
        return time_words(memory, *(const int64_t *)value);
    case FIELD_COUNT32:
        return memory_format(memory, "%" PRIu32, *(const uint32_t *)value);
    case FIELD_COUNT64:
        return memory_format(memory, "%" PRIu64, *(const uint64_t *)value);
    case FIELD_FLAG:
        return *(const protobuf_c_boolean *)value != 0 ? "true" : "false";
    case FIELD_ENUM: {
        const ProtobufCEnumValue *name =
            protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)value);
        return name != NULL ? name->name : memory_format(memory, "%d", *(const int *)value);
    }
    case FIELD_MESSAGE:
    case FIELD_LABELS:
        return message_words(memory, *(const ProtobufCMessage *const *)value);
    }
    return "?";
}

static const char *field_words(struct memory *memory, const ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *field)
{
    if (!is_list(field)) {
        return value_words(memory, field, member(message, field));
    }
    const char *words = "[";
    for (size_t i = 0; i < count_of(message, field); i++) {
        words = memory_format(memory, "%s%s%s", words, i == 0 ? "" : ", ",
                              value_words(memory, field, &list_at(message, field)[i]));
    }
    return memory_format(memory, "%s]", words);
}

const char *message_words(struct memory *memory, const void *message)
{
    const ProtobufCMessage *m = message;
    const char *words = "{";
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &m->descriptor->fields[i];
        if (field_is_set(m, field) && !(is_list(field) && count_of(m, field) == 0)) {
            words = memory_format(memory, "%s%s%s: %s", words, words[1] == '\0' ? "" : ", ",
                                  field->name, field_words(memory, m, field));
        }
    }
    return memory_format(memory, "%s}", words);
}

/* --- differences ------------------------------------------------------------------------------ */

static bool same_value(const ProtobufCFieldDescriptor *field, const void *a, const void *b)
{
    const ProtobufCBinaryData *a_bytes = a;
    const ProtobufCBinaryData *b_bytes = b;
    switch (field_kind(field)) {
    case FIELD_TEXT:
    case FIELD_DECIMAL:
        return a_bytes->len == b_bytes->len &&
               (a_bytes->len == 0 || memcmp(a_bytes->data, b_bytes->data, a_bytes->len) == 0);
    case FIELD_TIME:
    case FIELD_COUNT64:
        return *(const uint64_t *)a == *(const uint64_t *)b;
    case FIELD_COUNT32:
        return *(const uint32_t *)a == *(const uint32_t *)b;
    case FIELD_FLAG:
        return (*(const protobuf_c_boolean *)a != 0) == (*(const protobuf_c_boolean *)b != 0);
    case FIELD_ENUM:
        return *(const int *)a == *(const int *)b;
    case FIELD_MESSAGE:
    case FIELD_LABELS:
        break;
    }
    return false;
}

/* These give the words for what is behind a name: ".lines[2].amount: expected ..., got ...". */
static const char *differ(struct memory *memory, const ProtobufCMessage *expected,
                          const ProtobufCMessage *got);

static const char *list_difference(struct memory *memory, const ProtobufCFieldDescriptor *field,
                                   const ProtobufCMessage *expected, const ProtobufCMessage *got)
{
    size_t n_expected = count_of(expected, field);
    size_t n_got = count_of(got, field);
    for (size_t i = 0; i < n_expected && i < n_got; i++) {
        const char *words = differ(memory, list_at(expected, field)[i], list_at(got, field)[i]);
        if (words != NULL) {
            return memory_format(memory, "[%zu]%s", i, words);
        }
    }
    if (n_expected == n_got) {
        return NULL;
    }
    const ProtobufCMessage *longer = n_got > n_expected ? got : expected;
    size_t first = n_got > n_expected ? n_expected : n_got;
    return memory_format(memory, ": expected %zu of them, got %zu; the first %s is %s", n_expected,
                         n_got, longer == got ? "too many" : "missing",
                         message_words(memory, list_at(longer, field)[first]));
}

static const char *field_difference(struct memory *memory, const ProtobufCFieldDescriptor *field,
                                    const ProtobufCMessage *expected, const ProtobufCMessage *got)
{
    if (is_list(field)) {
        return list_difference(memory, field, expected, got);
    }
    bool is_expected = field_is_set(expected, field);
    bool is_got = field_is_set(got, field);
    if (is_expected && is_got && field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return differ(memory, message_at(expected, field), message_at(got, field));
    }
    if (is_expected == is_got &&
        (!is_got || same_value(field, member(expected, field), member(got, field)))) {
        return NULL;
    }
    return memory_format(memory, ": expected %s, got %s",
                         is_expected ? field_words(memory, expected, field) : "nothing",
                         is_got ? field_words(memory, got, field) : "nothing");
}

bool message_same_field(struct memory *memory, const void *a, const void *b, const char *name)
{
    const ProtobufCMessage *m = a;
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
    return field == NULL || field_difference(memory, field, a, b) == NULL;
}

static const char *differ(struct memory *memory, const ProtobufCMessage *expected,
                          const ProtobufCMessage *got)
{
    for (unsigned i = 0; i < expected->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &expected->descriptor->fields[i];
        const char *words = field_difference(memory, field, expected, got);
        if (words != NULL) {
            return memory_format(memory, ".%s%s", field->name, words);
        }
    }
    return got->n_unknown_fields > 0 ? ": got a field that is not in the protocol" : NULL;
}

const char *message_difference(struct memory *memory, const void *expected, const void *got)
{
    const char *words = differ(memory, expected, got);
    return words == NULL || *words != '.' ? words : words + 1;
}
