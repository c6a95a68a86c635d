/* JSON into messages, value by value: what json_request.c is made of.
 *
 * A text is checked as a whole first (json_lint.h).  Then json-c makes a tree of it, or of its
 * values one by one where the tree of it all would take tens of megabytes, and the message's fields
 * are filled from that.  Any thread, while it has the request. */
#pragma once

#include "billingd/rpc/request.h"

struct json_object;
struct json_tokener;

enum {
    JSON_WHOLE_REQUEST = -1, /* an item's number */
};

struct json_decoder {
    struct request *request;      /* whose errors are noted */
    struct arena *arena;          /* the request's */
    struct json_tokener *tokener; /* owned */
    int item;                     /* of a batch, or JSON_WHOLE_REQUEST */
    bool exhausted;               /* the arena is */
    bool failed;                  /* json-c has, in what the lint let pass: for want of memory */
};

/* Begin to decode BODY for REQUEST.  Returns 0, STATUS_TOO_LARGE or STATUS_NO_MEMORY with words in
 * *RETERR. */
MUSTCHECK int json_decoder_begin(struct json_decoder *d, struct request *request, struct slice body,
                                 struct slice *reterr);

/* End what came to RC.  Returns that, or what else there was, with words in *RETERR. */
MUSTCHECK int json_decoder_end(struct json_decoder *d, int rc, struct slice *reterr);

/* COUNT things of SIZE in the arena, zeroed; NULL where it is exhausted. */
void *json_decoder_need(struct json_decoder *d, size_t count, size_t size);

/* FIELD of the item is wrong. */
void json_decoder_note(struct json_decoder *d, struct slice field, int status,
                       struct slice message);

/* --- texts ------------------------------------------------------------------------------------ */

/* Check TEXT, which is to be an object, and leave in it what json-c may have, from its "{" on.
 * Returns 0, or STATUS_MALFORMED_JSON, _WRONG_TYPE or _TOO_LARGE with words in *RETERR. */
MUSTCHECK int json_decoder_check(struct json_decoder *d, struct slice *text, struct slice *reterr);

/* Take C, and the blanks before it, from a TEXT that was checked.  Returns whether it was there. */
bool json_decoder_take_char(struct slice *text, char c);

/* Take the next value from TEXT; json_object_put() it.  NULL is null, unless D has failed. */
struct json_object *json_decoder_take(struct json_decoder *d, struct slice *text);

/* --- messages --------------------------------------------------------------------------------- */

/* Set the field NAME of MESSAGE to VALUE, which is no list of items, or note what is wrong with
 * it. */
void json_decoder_set(struct json_decoder *d, ProtobufCMessage *message, struct slice name,
                      struct json_object *value);

/* Likewise all members of OBJECT. */
void json_decoder_fill(struct json_decoder *d, ProtobufCMessage *message,
                       struct json_object *object);

/* Hang N pointers at LIST into the repeated FIELD of MESSAGE. */
void json_decoder_set_list(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                           void *list, size_t n);
