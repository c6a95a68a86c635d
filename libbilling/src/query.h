/* Which part of a list a caller wants.  One thread at a time. */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include <billing/billing.h>

/* A byte field, as messages have it. */
struct query_text {
    protobuf_c_boolean is_set;
    ProtobufCBinaryData bytes; /* owned, also where it is not set */
};

struct billing_query {
    struct query_text service;
    struct query_text external_id;
    struct query_text cursor;
    int64_t start_us; /* -1: not set */
    int64_t end_us;   /* -1: not set */
    uint32_t limit;   /* 0: not set */
    int by;           /* enum billing_clock; 0: not set */
    bool failed;      /* a setter found no memory */
};

/* Fields of a query, to be or-ed. */
enum {
    QUERY_START = 1,
    QUERY_END = 2,
    QUERY_BY = 4,
    QUERY_SERVICE = 8,
    QUERY_EXTERNAL_ID = 16,
    QUERY_LIMIT = 32,
    QUERY_CURSOR = 64,
};

/* The fields that are set. */
unsigned query_fields(const struct billing_query *query);
