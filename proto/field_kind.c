#include "proto/field_kind.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "billing.pb-c.h"

static const char *const decimals[] = {
    "units_consumed", "price_per_unit", "amount",   "exact_amount",
    "exact_total",    "total",          "rounding", "records_per_commit",
};

static bool is_decimal(const char *name)
{
    for (size_t i = 0; i < sizeof decimals / sizeof decimals[0]; i++) {
        if (strcmp(decimals[i], name) == 0) {
            return true;
        }
    }
    return false;
}

enum field_kind field_kind(const ProtobufCFieldDescriptor *field)
{
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        return is_decimal(field->name) ? FIELD_DECIMAL : FIELD_TEXT;
    case PROTOBUF_C_TYPE_SFIXED64:
        return FIELD_TIME;
    case PROTOBUF_C_TYPE_UINT32:
        return FIELD_COUNT32;
    case PROTOBUF_C_TYPE_UINT64:
        return FIELD_COUNT64;
    case PROTOBUF_C_TYPE_BOOL:
        return FIELD_FLAG;
    case PROTOBUF_C_TYPE_ENUM:
        return FIELD_ENUM;
    case PROTOBUF_C_TYPE_MESSAGE:
        return field->descriptor == &billing__v1__label__descriptor ? FIELD_LABELS : FIELD_MESSAGE;
    default:
        abort();
    }
}

bool field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return true;
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        return *(const uint32_t *)(const void *)(base + field->quantifier_offset) == field->id;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return *(ProtobufCMessage *const *)(const void *)(base + field->offset) != NULL;
    }
    return *(const protobuf_c_boolean *)(base + field->quantifier_offset);
}
