/* Cursors: where a page of a list ended, as opaque text that a caller hands back.
 *
 * A cursor pins a position in the order of the list, not a number of rows, so it stays right while
 * records arrive.  It holds a version, the list it belongs to and a check keyed by the store, so
 * that one of another list or another store is refused rather than misread.  Loop thread. */
#pragma once

#include "billingd/rpc/request.h"

enum cursor_list {
    CURSOR_CUSTOMERS = 1,
    CURSOR_USAGE_BY_OCCURRED = 2,
    CURSOR_USAGE_BY_BILLED = 3,
    CURSOR_BILL_LINES = 4,
};

enum {
    CURSOR_POSITION_BYTES_MAX = 320,
};

/* Set a field to the cursor of POSITION (at most CURSOR_POSITION_BYTES_MAX bytes) in LIST. */
void cursor_print(struct request *request, enum cursor_list list, struct slice position,
                  protobuf_c_boolean *has, ProtobufCBinaryData *field);

/* The position in the field `cursor`, in the arena: empty where it is not given.  What is no cursor
 * of LIST is noted in request->errors. */
struct slice cursor_parse(struct request *request, enum cursor_list list, protobuf_c_boolean has,
                          ProtobufCBinaryData field);
