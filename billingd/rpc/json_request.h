/* A JSON body into the message of a call, by the message's descriptor alone: the names of fields
 * are the names of JSON members, and their kinds (proto/field_kind.h) say what may stand there.  So
 * a new call needs no code here.
 *
 * What is wrong with single fields is noted in request->errors, all of it, and the field is left
 * unset: a missing one, an unknown one or one of a wrong type does not hide the others.  Any
 * thread, while it has the request. */
#pragma once

#include "billingd/rpc/request.h"

/* Fill MESSAGE, in REQUEST's arena, from BODY, which is not referred to afterwards.  Fields that
 * are set already were given by the path: they are not to be named again.
 *
 * Returns 0, also where fields are wrong; or with *RETERR in the arena, in words:
 * STATUS_MALFORMED_JSON, STATUS_WRONG_TYPE (no object), STATUS_TOO_LARGE, STATUS_NO_MEMORY. */
MUSTCHECK int json_request_decode(struct request *request, ProtobufCMessage *message,
                                  struct slice body, struct slice *reterr);

/* Likewise from lines of JSON (application/x-ndjson), each an item of the one repeated message that
 * MESSAGE has.  A line that is not an object of JSON is an item that is wrong as a whole: it is
 * noted under an empty field name, and an empty message stands in its place.  Blank lines are
 * nothing.  Returns 0, STATUS_TOO_LARGE or STATUS_NO_MEMORY. */
MUSTCHECK int json_request_decode_lines(struct request *request, ProtobufCMessage *message,
                                        struct slice body, struct slice *reterr);
