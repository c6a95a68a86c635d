/* Lists of a customer's records, as ListUsage and ListAdjustments ask for them: the fields that
 * they share, and their cursors.  Loop thread. */
#pragma once

#include "billingd/ledger/record_page.h"
#include "billingd/rpc/cursor.h"
#include "billingd/rpc/request.h"

struct record_list_fields {
    const ProtobufCMessage *base;
    protobuf_c_boolean has_customer_id, has_start, has_end, has_by, has_service, has_limit,
        has_cursor;
    ProtobufCBinaryData customer_id;
    int64_t start;
    int64_t end;
    Billing__V1__Clock by;
    ProtobufCBinaryData service;
    uint32_t limit;
    ProtobufCBinaryData cursor;
};

/* Those of the message M, of whichever of the types. */
#define RECORD_LIST_FIELDS(m)                                                                      \
    ((struct record_list_fields){                                                                  \
        .base = &(m)->base,                                                                        \
        .has_customer_id = (m)->has_customer_id,                                                   \
        .customer_id = (m)->customer_id,                                                           \
        .has_start = (m)->has_start,                                                               \
        .start = (m)->start,                                                                       \
        .has_end = (m)->has_end,                                                                   \
        .end = (m)->end,                                                                           \
        .has_by = (m)->has_by,                                                                     \
        .by = (m)->by,                                                                             \
        .has_service = (m)->has_service,                                                           \
        .service = (m)->service,                                                                   \
        .has_limit = (m)->has_limit,                                                               \
        .limit = (m)->limit,                                                                       \
        .has_cursor = (m)->has_cursor,                                                             \
        .cursor = (m)->cursor,                                                                     \
    })

/* Fill what PAGE asks for from FIELDS.  LISTS has the list's cursor by each enum store_clock. */
void record_list_decode(struct request *request, const struct record_list_fields *fields,
                        const enum cursor_list lists[2], struct record_page *page);

/* Set a field to the cursor behind PAGE, where there may be more. */
void record_list_cursor(struct request *request, const struct record_page *page,
                        const enum cursor_list lists[2], protobuf_c_boolean *has,
                        ProtobufCBinaryData *field);
