/* Filling the messages of a fake daemon's answers. */
#pragma once

#include <string.h>

#include <protobuf-c/protobuf-c.h>

#define T0 INT64_C(1795345298000000) /* 2026-11-22T11:01:38Z */

static inline ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)(uintptr_t)text};
}

/* Set a byte field to TEXT. */
#define TEXT(message, field, text)                                                                 \
    do {                                                                                           \
        (message)->has_##field = 1;                                                                \
        (message)->field = bytes_of(text);                                                         \
    } while (0)

/* Set a field of another type. */
#define VALUE(message, field, value)                                                               \
    do {                                                                                           \
        (message)->has_##field = 1;                                                                \
        (message)->field = (value);                                                                \
    } while (0)
