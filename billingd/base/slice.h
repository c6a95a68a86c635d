/* A run of bytes that somebody else owns.  Not NUL-terminated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data; /* NULL where length is 0 */
    size_t length;
};

#define SLICE(literal) ((struct slice){.data = "" literal, .length = sizeof(literal) - 1})

static inline struct slice slice_of(const char *text)
{
    return (struct slice){.data = text, .length = strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* As memcmp() over the shorter, then by length. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}
