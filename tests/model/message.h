/* Messages of the protocol, whatever their type: copied, compared and put into words by their
 * descriptors.  One thread. */
#pragma once

#include <stdbool.h>

#include "billing.pb-c.h"
#include "tests/model/memory.h"

/* A new message of type CamelCase, whose functions begin with SNAKE_CASE. */
#define MESSAGE_NEW(memory, CamelCase, snake_case)                                                 \
    ((CamelCase *)message_init(memory_alloc((memory), sizeof(CamelCase)),                          \
                               (ProtobufCMessageInit)snake_case##__init))

/* Set a field. */
#define PUT(message, field, value)                                                                 \
    do {                                                                                           \
        (message)->has_##field = true;                                                             \
        (message)->field = (value);                                                                \
    } while (0)

/* Set a field to a text, which stays the caller's; NULL leaves it out. */
#define PUT_TEXT(message, field, text)                                                             \
    do {                                                                                           \
        const char *put_text = (text);                                                             \
        if (put_text != NULL) {                                                                    \
            (message)->has_##field = true;                                                         \
            (message)->field = raw_bytes(put_text);                                                \
        }                                                                                          \
    } while (0)

/* The text of a field, or NULL where it is not set. */
#define TEXT_OF(memory, message, field)                                                            \
    ((message)->has_##field ? message_text((memory), (message)->field) : NULL)

/* MESSAGE, having been through INIT. */
void *message_init(void *message, ProtobufCMessageInit init);

/* The bytes of FIELD as a text with a NUL behind it. */
const char *message_text(struct memory *memory, ProtobufCBinaryData field);

/* A copy of MESSAGE and all that is in it. */
void *message_copy(struct memory *memory, const void *message);

/* The member of the oneof of a Request or a Response that is set, or NULL. */
void *message_chosen(const void *message);

/* The members of the first repeated messages in MESSAGE or one below: what a page has, one list
 * behind the other.  Returns how many there are; up to MAX of them in ROWS. */
size_t message_rows(const void *message, const ProtobufCMessage **rows, size_t max);

/* Leave of those rows only N from FIRST on. */
void message_cut_rows(void *message, size_t first, size_t n);

/* The field NAME of MESSAGE, if its type has it and it is set; else NULL. */
const ProtobufCBinaryData *message_bytes(const void *message, const char *name);

/* The time NAME of MESSAGE, if its type has it and it is set; else 0. */
int64_t message_time(const void *message, const char *name);

/* The first message in MESSAGE that is set, or NULL. */
const void *message_below(const void *message);

/* Whether A and B, of the same type, have the same in the field NAME; true where their type has
 * none of that name. */
bool message_same_field(struct memory *memory, const void *a, const void *b, const char *name);

/* Set the field NAME of MESSAGE to VALUE; NULL: leave it out. */
void message_put_bytes(void *message, const char *name, const ProtobufCBinaryData *value);

/* In words, what GOT has otherwise than EXPECTED, which is of the same type; NULL where they are
 * equal. */
const char *message_difference(struct memory *memory, const void *expected, const void *got);

/* All of MESSAGE in words. */
const char *message_words(struct memory *memory, const void *message);
