/* Filling messages.  Pure; any thread. */
#pragma once

#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "proto/status.h"

/* Set a byte field, FIELD and its HAS, to TEXT, which it refers to from then on and which nobody
 * writes through it; NULL: not set. */
void message_refer(protobuf_c_boolean *has, ProtobufCBinaryData *field, const char *text);

/* Set a byte field to a copy of TEXT on the heap, in the place of what it has; NULL: not set, with
 * the old memory kept for later.  Free field->data at the end.
 * Returns 0, or BILLING_E_NO_MEMORY with the field not set. */
MUSTCHECK int message_copy(protobuf_c_boolean *has, ProtobufCBinaryData *field, const char *text);
