/* Bytes that grow: what is to be sent, or has arrived.  A struct of zeros is an empty one.
 * One thread at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "billingd/base/slice.h"

struct buffer {
    uint8_t *data; /* owned */
    size_t capacity;
    size_t start; /* of what is not taken yet */
    size_t end;
};

/* Room for BYTES behind what is there, to be filled before the next call; it then moves END. */
uint8_t *buffer_space(struct buffer *buffer, size_t bytes);

/* Append a copy of BYTES. */
void buffer_put(struct buffer *buffer, struct slice bytes);

/* Take BYTES off the front. */
void buffer_take(struct buffer *buffer, size_t bytes);

/* Free what BUFFER owns. */
void buffer_free(struct buffer *buffer);
