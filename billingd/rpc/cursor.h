/* Cursors: where a page of a list ended, as opaque text that a caller hands back.
 *
 * A cursor pins a position in the order of the list, not a number of rows, so it stays right while
 * records arrive.  It holds a version, the list it belongs to and a check keyed by the store and by
 * the question: the call as it was asked, but for its `cursor` and `limit`.  So one of another
 * list, another customer or window, or another store is refused rather than misread.  Loop
 * thread. */
#pragma once

#include "billingd/ledger/record_page.h"
#include "billingd/rpc/request.h"

enum cursor_list {
    CURSOR_CUSTOMERS = 1,
    CURSOR_USAGE_BY_OCCURRED = 2,
    CURSOR_USAGE_BY_BILLED = 3,
    /* 4 was a bill's before it had adjustments. */
    CURSOR_SUMMARY = 5,
    CURSOR_BILL_RECORDS = 6,
    CURSOR_ADJUSTMENTS_BY_OCCURRED = 7,
    CURSOR_ADJUSTMENTS_BY_BILLED = 8,
    CURSOR_SERVICES = 9,
    CURSOR_BILL = 10,
    CURSOR_BILLS = 11,
    CURSOR_INVOICE = 12,
    CURSOR_INVOICES = 13,
    CURSOR_KEYS = 14,
};

enum {
    CURSOR_POSITION_BYTES_MAX = 320,
};

/* Set a field to the cursor of POSITION (1 to CURSOR_POSITION_BYTES_MAX bytes) in LIST, good for
 * the call that REQUEST made. */
void cursor_print(struct request *request, enum cursor_list list, struct slice position,
                  protobuf_c_boolean *has, ProtobufCBinaryData *field);

/* As cursor_print(), good for the call QUESTION: of an answer that is the first page of another
 * call's. */
void cursor_print_of(struct request *request, const ProtobufCMessage *question,
                     enum cursor_list list, struct slice position, protobuf_c_boolean *has,
                     ProtobufCBinaryData *field);

/* As cursor_print() for lists whose position is a number. */
void cursor_print_number(struct request *request, enum cursor_list list, uint64_t position,
                         protobuf_c_boolean *has, ProtobufCBinaryData *field);

/* The position in the field `cursor`, in the arena: empty where it is not given.  What is no cursor
 * of LIST for the call that REQUEST makes is noted in request->errors. */
struct slice cursor_parse(struct request *request, enum cursor_list list, protobuf_c_boolean has,
                          ProtobufCBinaryData field);

/* As cursor_parse() for lists whose position is a number: 0 where it is not given. */
uint64_t cursor_parse_number(struct request *request, enum cursor_list list, protobuf_c_boolean has,
                             ProtobufCBinaryData field);

/* Both for lists whose position is one of a scan of the store: {0, 0} where it is not given. */
void cursor_print_position(struct request *request, enum cursor_list list,
                           struct store_position position, protobuf_c_boolean *has,
                           ProtobufCBinaryData *field);
struct store_position cursor_parse_position(struct request *request, enum cursor_list list,
                                            protobuf_c_boolean has, ProtobufCBinaryData field);
