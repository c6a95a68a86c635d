/* What a client wants to read, by its Accept headers (RFC 9110, section 12.5.1).  Pure; any
 * thread. */
#pragma once

#include "billingd/base/slice.h"

enum http_media {
    HTTP_MEDIA_JSON,
    HTTP_MEDIA_CSV,
    HTTP__MEDIA,
};

/* Starts as {0}. */
struct http_accept {
    struct {
        unsigned precision; /* the range that speaks of it: 1 all, 2 its kind, 3 itself; 0: none */
        unsigned quality;   /* in thousandths */
    } media[HTTP__MEDIA];
};

/* Take the VALUE of an Accept header into account; each of several adds to the ones before.  A
 * range that is malformed counts as not written. */
void http_accept_note(struct http_accept *accept, struct slice value);

/* What is wanted most.  Of two that are wanted alike the one that is named more precisely, else
 * JSON; JSON also where nothing that there is would do, since a client that cannot read it is told
 * so by its Content-Type. */
enum http_media http_accept_choose(const struct http_accept *accept);
