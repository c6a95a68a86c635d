/* Messages as JSON text (RFC 8259): the REST objects, and what billingctl prints.
 *
 * Written here rather than by a JSON library because the client library links none, and because
 * one writer makes the daemon's bodies and `billingctl --output json` the same to the byte.
 * Members stand in the order of the .proto; a field that is not set is left out; a repeated one
 * is always there, if only as [].  Pure but for the heap; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "proto/status.h"

/* A buffer that grows on the heap.  A failed allocation sticks: later writes do nothing. */
struct json_text {
    char *data; /* owned; not NUL-terminated */
    size_t length;
    size_t capacity;
    bool failed; /* out of memory */
};

/* Append MESSAGE as an object.  TEXT starts as {0}; free TEXT->data when done.
 * Returns 0, or STATUS_NO_MEMORY. */
MUSTCHECK int json_write_message(struct json_text *text, const ProtobufCMessage *message);

/* Append raw LENGTH bytes, for what stands around messages. */
MUSTCHECK int json_write_raw(struct json_text *text, const char *bytes, size_t length);
