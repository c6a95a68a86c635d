/* One request after another on a connection of the HTTP door: each is begun, refused or handed on,
 * and answered.  Loop thread. */
#pragma once

#include "billingd/net/http_connection.h"

enum {
    HTTP_SKIP_BYTES_MAX = 64 * 1024, /* of a body that nobody wants: a longer one ends it all */
};

/* Count what C holds. */
void http_dialogue_count(struct http_connection *c);

/* Note in which stage the request is that is arriving, and since when. */
void http_dialogue_note_stage(struct http_connection *c);

/* Take no more: nobody knows where a next request would begin. */
void http_dialogue_stop(struct http_connection *c);

/* Answer what cannot be taken with STATUS, for REASON, and take no more.  What was answered already
 * is not answered again. */
void http_dialogue_refuse(struct http_connection *c, int status, const char *reason);

/* The head that the parser holds is whole: settle who asks, and whether that may be had, before any
 * of a body is taken.  Returns whether the request goes on; else it is answered, or C is cut. */
bool http_dialogue_take_head(struct http_connection *c, bool body_follows);

/* Hand the request on that the parser has made whole. */
void http_dialogue_take_message(struct http_connection *c);
