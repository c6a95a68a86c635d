/* One request: from its first byte to its answer, whichever door it came through.
 *
 * A door creates it, fills `message` (a billing.v1.Request in its arena) and hands it to
 * dispatch_submit(); the handlers turn the message into arguments for the ledger and the result
 * into `response`; the door's reply() sends that in its own form and frees the request.
 *
 * The loop thread owns a request but between submit and done, when it is a worker's. */
#pragma once

#include <stdarg.h>

#include "billing.pb-c.h"
#include "billingd/base/arena.h"
#include "billingd/commit/op.h"
#include "billingd/rpc/account.h"
#include "billingd/rpc/identity.h"

struct dispatch;
struct method;
struct request;

/* Requests that are over, each with a chunk of memory: single records come and go by the hundred
 * thousand a second, and the allocator would take a seventh of the loop's time.  Loop thread. */
struct request_spares {
    struct request *first; /* by op.next; owned */
    size_t n;
};

/* One thing that is wrong with what was asked. */
struct field_error {
    struct field_error *next;
    struct slice field;
    int status; /* STATUS_WRONG_TYPE, _MISSING_FIELD, _UNKNOWN_FIELD, _OUT_OF_BOUNDS, ... */
    struct slice message;
};

struct field_errors {
    struct field_error *first; /* in the order in which they were found */
    struct field_error *last;
    unsigned n; /* at most REQUEST_FIELD_ERRORS_MAX: what is found beyond is not kept */
};

/* What is to be done next with a request of LANE_PREPARED_WRITE: the worker says so. */
enum request_next {
    REQUEST_ANSWER,
    REQUEST_PREPARE,
    REQUEST_APPLY,
};

/* What it brought to say who asks, whether it counts or not. */
enum request_token {
    REQUEST_NO_TOKEN,
    REQUEST_EMPTY_TOKEN, /* in which there is no key at all */
    REQUEST_TOKEN,
};

enum request_door {
    REQUEST_UNIX,
    REQUEST_TCP,
    REQUEST_HTTP,
    REQUEST__DOORS,
};

/* What a door answers by itself, without a call. */
enum request_page {
    REQUEST_NO_PAGE,
    REQUEST_OPENAPI,
    REQUEST_METRICS,
    REQUEST_OPTIONS,
    REQUEST__PAGES,
};

/* How a door makes a message out of what has arrived, where that takes long. */
struct request_reading {
    /* Worker thread: fill request->message.  Returns 0, or a STATUS_* that refuses the request. */
    int (*read)(struct request *request);

    /* Loop thread: it is over, and the request the door's again.  STATUS is what read() returned,
     * or why it was not called. */
    void (*done)(struct request *request, int status);
};

struct request {
    struct op op; /* its place in the workers' queues */
    struct arena arena;
    struct dispatch *dispatch;
    const struct method *method;
    struct identity who;
    struct account account;           /* the same, as limits count; open from gate_identify() on */
    enum request_token token;         /* settled there too */
    uint32_t retry_after_ms;          /* of its problem; 0: as usual */
    int64_t received_us;              /* monotonic */
    Billing__V1__Request *message;    /* in the arena */
    void *args;                       /* the handler's, in the arena */
    enum request_next next;           /* see LANE_PREPARED_WRITE */
    unsigned prepared;                /* how often it was */
    struct slice request_id;          /* under which it would record; empty: none */
    struct field_errors errors;       /* what the door and the handler found wrong */
    struct field_errors *item_errors; /* likewise, by batch item; NULL while there is none */
    Billing__V1__Response response;   /* what it points to is in the arena */
    void (*reply)(struct request *request); /* the door's; loop thread; exactly once */
    const struct request_reading *reading;  /* of dispatch_read() */
    void *door;                             /* the door's own */

    /* --- set by the door, for the log and the metrics --- */
    enum request_door came_by;
    enum request_page page;
    struct slice traceparent; /* as it was sent, in the arena */
    unsigned told_status;     /* HTTP status of the answer; 0: as the response has it */
    struct slice told_id;     /* which request id the answer had, in the arena; empty: none */
};

enum {
    REQUEST_SPARES_MAX = 1024, /* some 5 MiB */
    /* How often a write is prepared before its caller is told to come again. */
    REQUEST_PREPARED_MAX = 8,
    /* What one request may take from the heap to be unpacked.  An honest frame of 16 MiB takes
     * less; a hostile one is refused. */
    REQUEST_ARENA_BYTES_MAX = 96 * 1024 * 1024,
    /* What it may take on top of that to be checked and carried out, and for its answer: beyond
     * what the largest batch of wrong items, or the largest page, needs. */
    REQUEST_WORK_BYTES_MAX = 128 * 1024 * 1024,
    REQUEST_ANSWER_BYTES_MAX = 128 * 1024 * 1024,
    /* A record has fewer fields; ten thousand items of so many errors still fit a frame. */
    REQUEST_FIELD_ERRORS_MAX = 8,
};

/* A request whose arena takes at most ARENA_BYTES, asked by WHO (copied).  REPLY is called once,
 * on the loop thread, when `response` is complete: maybe before dispatch_submit() returns.
 * Returns NULL when out of memory.  Free it with request_free(). */
struct request *request_create(struct dispatch *dispatch, const struct identity *who,
                               size_t arena_bytes, void (*reply)(struct request *request),
                               void *door);

/* It is WHO (copied) that asks.  Returns 0, or STATUS_TOO_LARGE where the arena is too small. */
MUSTCHECK int request_set_identity(struct request *request, const struct identity *who);

/* The request whose op it is; NULL for NULL. */
struct request *request_of_op(struct op *op);

/* When REQUEST came to the desk, by the monotonic clock: now, where a worker has read it, for which
 * it may have waited. */
int64_t request_submitted_us(const struct request *request);

/* Free REQUEST (NULL is fine) and all that is in its arena. */
void request_free(struct request *request);

/* Free what SPARES holds. */
void request_spares_free(struct request_spares *spares);

/* Fill REQUEST->message by decoding LENGTH bytes of protobuf at BYTES, which are not referred to
 * afterwards.  Returns 0; STATUS_MALFORMED_FRAME; STATUS_TOO_LARGE where the arena is too small. */
MUSTCHECK int request_unpack(struct request *request, const uint8_t *bytes, size_t length);

/* The token that REQUEST's message carries; its data is NULL where there is none. */
struct slice request_token(const struct request *request);

/* Note that FIELD of batch item ITEM (-1: of the request itself) is wrong.  FIELD is kept by
 * reference and must live as long as the request. */
__attribute__((format(printf, 5, 6))) void request_field_error(struct request *request, int item,
                                                               struct slice field, int status,
                                                               const char *format, ...);

/* Whether FIELD of ITEM is known to be wrong already. */
bool request_has_field_error(const struct request *request, int item, const char *field);

/* What is known to be wrong with ITEM; its first is NULL where nothing is. */
struct field_errors request_errors(const struct request *request, int item);
