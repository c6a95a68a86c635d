/* What a field of a message means, read off its descriptor: the rules at the top of
 * billing.proto.  JSON in, JSON out, and the client's generic accessors all go by it.
 * Pure; any thread. */
#pragma once

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

enum field_kind {
    FIELD_TEXT,    /* bytes: ProtobufCBinaryData */
    FIELD_DECIMAL, /* bytes: a number in text */
    FIELD_TIME,    /* sfixed64: int64_t, microseconds since 1970 */
    FIELD_COUNT32, /* uint32_t */
    FIELD_COUNT64, /* uint64_t */
    FIELD_FLAG,    /* protobuf_c_boolean */
    FIELD_ENUM,    /* int */
    FIELD_MESSAGE, /* ProtobufCMessage * */
    FIELD_LABELS,  /* repeated Label */
};

/* The kind of FIELD.  Aborts on a type that billing.proto does not use: a fault of the build. */
enum field_kind field_kind(const ProtobufCFieldDescriptor *field);

/* Whether FIELD of MESSAGE, which is of its type, is set.  A repeated field always is. */
bool field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
