/* The REST paths: which call of the protocol each leads to.  Pure; any thread. */
#pragma once

#include <stdbool.h>

#include "billing.pb-c.h"
#include "billingd/rpc/request.h"
#include "proto/status.h"

enum http_body {
    HTTP_BODY_NONE,
    HTTP_BODY_JSON,
    HTTP_BODY_JSON_OR_NONE,  /* none is {} */
    HTTP_BODY_JSON_OR_LINES, /* application/x-ndjson too, a line an item */
};

struct http_route {
    const char *method;
    const char *path; /* ":name" stands for one segment, and is the field of that name */
    Billing__V1__Request__CallCase call; /* not set: a page, which is no call */
    unsigned success;                    /* HTTP status of a result; 204: it has no body */
    const char *location; /* of what was made, ":a.b" being a field of the reply; NULL: none */
    enum http_body body;
    int unnamed;          /* the refusal where a segment can be no value of its field */
    bool csv;             /* the result may be had as text/csv */
    bool status_by_ready; /* 503 where the reply says that the daemon is not ready */
    enum request_page page;
};

enum {
    HTTP_PATH_FIELDS_MAX = 2,
    HTTP_ALLOW_BYTES = 64,
};

/* A segment of the path that stands for a field. */
struct http_path_field {
    struct slice name;
    struct slice value; /* as sent, with its escapes */
};

struct http_match {
    const struct http_route *route; /* NULL: OPTIONS, which leads to no call */
    struct http_path_field fields[HTTP_PATH_FIELDS_MAX];
    unsigned n_fields;
};

/* Route INDEX of the table, for those who go through all; NULL behind the last. */
const struct http_route *http_route_at(unsigned index);

/* Find the route of METHOD (HEAD goes where GET goes) and PATH ("*" is the server as a whole).
 *
 * Returns 0 with *RET, STATUS_METHOD_NOT_ALLOWED, or STATUS_PATH_NOT_FOUND.  With the second, and
 * for OPTIONS, the methods that there are for PATH are in ALLOW of HTTP_ALLOW_BYTES, as the header
 * of that name wants them; else it is empty. */
MUSTCHECK int http_route_find(struct slice method, struct slice path, struct http_match *ret,
                              char *allow);
