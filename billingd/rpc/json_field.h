/* One field of a message from its text: what a path, a query and a JSON string or number have in
 * common.  By descriptor, so that a new call needs no code here.  Everything that is kept lies in
 * the arena.  Any thread, while it has the request. */
#pragma once

#include <stdbool.h>

#include "billingd/base/arena.h"
#include "proto/field_kind.h"
#include "proto/status.h"

/* The field of MESSAGE whose name is NAME; NULL where it has none. */
const ProtobufCFieldDescriptor *json_field_find(const ProtobufCMessage *message, struct slice name);

/* Whether FIELD of MESSAGE has a value; a repeated one: any. */
bool json_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* Set FIELD, not a repeated one and no message, of MESSAGE to what TEXT says; TEXT is copied.
 *
 * Returns 0, or with *RETERR what is expected instead ("must be ...", static or in the
 * arena): STATUS_WRONG_TYPE, STATUS_OUT_OF_BOUNDS, STATUS_TIME_OUT_OF_RANGE; or STATUS_TOO_LARGE
 * where the arena is full. */
MUSTCHECK int json_field_set(struct arena *arena, ProtobufCMessage *message,
                             const ProtobufCFieldDescriptor *field, struct slice text,
                             const char **reterr);

/* NAME as an answer may show it: itself where it is text for people and short, else cut, with
 * what could do harm replaced. */
struct slice json_field_show(struct arena *arena, struct slice name);
