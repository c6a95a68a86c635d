/* Which part of a list a caller wants.  One thread at a time. */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include <billing/billing.h>

#include "proto/status.h"

/* A byte field, as messages have it. */
struct query_text {
    protobuf_c_boolean is_set;
    ProtobufCBinaryData bytes; /* owned, also where it is not set */
};

struct billing_query {
    struct query_text service;
    struct query_text price;
    struct query_text external_id;
    struct query_text cursor;
    int64_t start_us;                   /* -1: not set */
    int64_t end_us;                     /* -1: not set */
    uint32_t limit;                     /* 0: not set */
    int by;                             /* enum billing_clock; 0: not set */
    int window;                         /* enum billing_window; 0: not set */
    int group_by;                       /* Billing__V1__SummarizeUsage__Group; 0: not set */
    protobuf_c_boolean include_empty;   /* 0: not set */
    protobuf_c_boolean include_revoked; /* 0: not set */
    bool failed;                        /* a setter found no memory */
};

/* Set the fields of QUERY in MESSAGE, where they have the same names.  MESSAGE refers to the texts
 * of QUERY from then on.  Returns NULL, or the name of a field that messages of this sort have not,
 * with MESSAGE half filled.  Pure. */
MUSTCHECK const char *query_fill(const struct billing_query *query, ProtobufCMessage *message);
