#include "billingd/net/rpc_connection.h"

#include <stdio.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/rpc/gate.h"
#include "proto/frame.h"

enum {
    OUT_HIGH_BYTES = 1024 * 1024, /* answers waiting for the client: no more is read above it */
    OUT_KEEP_BYTES = 16 * 1024,   /* a buffer of up to this is kept for the next answers */
    QUERIES_MAX = 16,             /* in flight on one connection: an answer may be megabytes */
    HELD_BYTES_MAX =
        2 * CONNECTION_READ_BYTES, /* of frames that wait, each may hold while memory is full */
};

struct rpc_connection {
    struct connection base;
    struct frame_reader reader;
    unsigned queries; /* of those in flight, whose answers are pages */
    int64_t frame_us; /* monotonic, when the frame that is not whole began; 0: none */
};

static void advance(struct rpc_connection *c);

static struct rpc_connection *rpc_of(struct connection *c)
{
    return (struct rpc_connection *)c; /* which it begins with */
}

static struct rpc_door *door_of(const struct rpc_connection *c)
{
    return (struct rpc_door *)c->base.all; /* likewise */
}

/* --- answers ---------------------------------------------------------------------------------- */

static void count_bytes(struct rpc_connection *c)
{
    connection_count(&c->base, c->reader.capacity);
}

static void pack_response(struct rpc_connection *c, const Billing__V1__Response *response)
{
    size_t bytes = billing__v1__response__get_packed_size(response);
    uint8_t *room = (uint8_t *)io_buffer_room(&c->base.out, FRAME_HEADER_BYTES + bytes);
    INVARIANT(room != NULL); /* an answer is owed */
    frame_header_write(room, (uint32_t)bytes);
    billing__v1__response__pack(response, room + FRAME_HEADER_BYTES);
    io_buffer_added(&c->base.out, FRAME_HEADER_BYTES + bytes);
    count_bytes(c);
    connections_want_flush(&c->base);
}

/* Whether readers answer it, or may: with as much as there is. */
static bool is_query(const struct request *request)
{
    const struct method *method =
        request->message == NULL ? NULL : method_find(request->message->call_case);
    return method != NULL && (method->lane == LANE_READ || method->lane == LANE_PREPARED_WRITE);
}

static void reply_cb(struct request *request)
{
    struct rpc_connection *c = request->door;
    c->base.in_flight--;
    c->queries -= is_query(request);
    if (!c->base.closing) {
        pack_response(c, &request->response);
    }
    dispatch_answered(request);
    request_free(request);
    connection_release(&c->base);
}

/* --- requests --------------------------------------------------------------------------------- */

static struct request *new_request(struct rpc_connection *c)
{
    struct request *request = request_create(c->base.all->dispatch, &c->base.caller.who,
                                             REQUEST_ARENA_BYTES_MAX, reply_cb, c);
    if (request == NULL) {
        connection_cut(&c->base);
        return NULL;
    }
    request->came_by = connection_door(&c->base);
    c->base.in_flight++;
    return request;
}

/* Say what is wrong with the stream itself; nothing more is taken from it. */
static void refuse(struct rpc_connection *c, int status, const char *reason)
{
    c->base.no_more = true;
    struct request *request = new_request(c);
    if (request != NULL) {
        dispatch_refuse(request, status, "%s", reason);
    }
}

static void refuse_length(struct rpc_connection *c, size_t bytes)
{
    char reason[128];
    IGNORE(snprintf(reason, sizeof reason, "a frame of %zu bytes; at most %zu are allowed", bytes,
                    c->reader.payload_max) < 0); /* fits */
    refuse(c, STATUS_TOO_LARGE, reason);
}

static void note_trace(struct request *request)
{
    ProtobufCBinaryData sent = request->message->traceparent;
    if (request->message->has_traceparent) {
        request->traceparent = (struct slice){(const char *)sent.data, sent.len};
    }
}

/* Settle who asks, and hand it on. */
static void submit(struct rpc_connection *c, struct request *request)
{
    note_trace(request);
    c->queries += is_query(request);
    gate_identify(request, request_token(request));
    if (caller_settle(&c->base.caller, request, c->base.all->options.asker_connections_max) < 0) {
        c->base.no_more = true;
        dispatch_refuse(request, STATUS_RATE_LIMITED, "%s", caller_too_many);
        return;
    }
    dispatch_submit(c->base.all->dispatch, request);
}

static void take_frame(struct rpc_connection *c, const uint8_t *payload, size_t bytes)
{
    struct request *request = new_request(c);
    if (request == NULL) {
        return;
    }
    int rc = request_unpack(request, payload, bytes);
    if (rc == 0) {
        submit(c, request);
        return;
    }
    c->base.no_more = true;
    dispatch_refuse(request, rc,
                    rc == STATUS_TOO_LARGE ? "the frame unpacks to more than a request may hold"
                                           : "the frame is not a billing.v1.Request");
}

/* Whether its asker has been heard enough in this turn of the loop. */
static bool is_turn_over(const struct rpc_connection *c)
{
    const struct asker *asker = c->base.caller.account.asker;
    const struct rpc_door *door = door_of(c);
    return asker->turn == door->turn && door->turn_requests != 0 &&
           asker->in_turn >= door->turn_requests;
}

/* Whether there is room for what a request may need: in flight, in the queue, for its answer.  A
 * queue or a memory that fills up holds back those who fill it, by their connections that have work
 * in it, never those that have none: so each gets its turn, and beyond the bound an answer that
 * says busy. */
static bool has_room(const struct rpc_connection *c)
{
    bool idle = c->base.in_flight == 0 && connection_unwritten(&c->base) == 0;
    return c->base.in_flight < door_of(c)->options.pipeline_max && c->queries < QUERIES_MAX &&
           !is_turn_over(c) && (idle || !account_is_full(&c->base.caller.account)) &&
           (c->base.in_flight == 0 ||
            !dispatch_is_pressed(c->base.all->dispatch, c->base.caller.account.asker));
}

static bool may_take(const struct rpc_connection *c)
{
    /* While draining, what is taken is refused at once and needs no room. */
    return !c->base.no_more && !c->base.closing &&
           connection_unwritten(&c->base) < OUT_HIGH_BYTES &&
           (c->base.all->draining || has_room(c));
}

static void take_frames(struct rpc_connection *c)
{
    const uint8_t *payload;
    size_t bytes;
    bool heard = false;
    int rc = 0;
    while (rc == 0 && may_take(c)) {
        rc = frame_reader_next(&c->reader, &payload, &bytes);
        if (rc == 0) {
            heard = true;
            c->frame_us = 0;
            company_heard(c->base.caller.account.asker, door_of(c)->turn, bytes);
            take_frame(c, payload, bytes);
        } else if (rc == STATUS_TOO_LARGE) {
            refuse_length(c, bytes);
        }
    }
    /* While nothing is taken, whole frames may lie there, and the client owes nothing. */
    if (rc == 0 && !c->base.closing && is_turn_over(c)) {
        turn_queue_wait(&c->base.all->waiting, &c->base.next_turn, heard);
    }
    bool partial = rc == STATUS_NEED_MORE && frame_reader_pending(&c->reader) > 0;
    if (partial && c->frame_us == 0) {
        c->frame_us = clock_monotonic_us();
    } else if (!partial) {
        c->frame_us = 0;
    }
}

/* --- what comes ------------------------------------------------------------------------------- */

static uv_buf_t space_cb(struct connection *base)
{
    struct rpc_connection *c = rpc_of(base);
    uint8_t *space = NULL;
    size_t bytes = 0;
    if (base->no_more) {
        frame_reader_done(&c->reader); /* what comes now is read only to be dropped */
    }
    if (frame_reader_space(&c->reader, CONNECTION_READ_BYTES, &space, &bytes) < 0) {
        bytes = 0;
    }
    return uv_buf_init((char *)space, (unsigned)(bytes < INT32_MAX ? bytes : INT32_MAX));
}

static void arrived_cb(struct connection *base, struct slice bytes)
{
    frame_reader_fed(&rpc_of(base)->reader, bytes.length); /* it lies there */
}

/* Many frames that are half there could fill the memory, and so could whole ones that wait for a
 * client who does not take its answers.  One that has answers to come is not read on from while
 * memory is full, and may keep a little of what has arrived. */
static void check_held(struct rpc_connection *c)
{
    bool idle = c->base.in_flight == 0 && connection_unwritten(&c->base) == 0;
    bool much = c->reader.capacity > HELD_BYTES_MAX && frame_reader_pending(&c->reader) > 0;
    count_bytes(c);
    if (!c->base.no_more && ((idle && c->frame_us != 0) || much) &&
        !caller_may_hold(&c->base.caller)) {
        refuse(c, STATUS_BUSY, "too much is arriving at once; send it again later");
        frame_reader_done(&c->reader);
        count_bytes(c);
    }
}

/* An idle connection keeps no buffer: two thousand of them cost next to nothing. */
static void drop_empty_buffer(struct rpc_connection *c)
{
    if (frame_reader_pending(&c->reader) == 0) {
        frame_reader_done(&c->reader);
    }
}

/* Take all that can be taken now, and settle whether to go on, to wait or to end. */
static void advance(struct rpc_connection *c)
{
    if (c->base.closing) {
        return;
    }
    take_frames(c);
    if (!c->base.closing) {
        check_held(c);
    }
    if (c->base.closing) {
        return;
    }
    if (c->base.input_ended && may_take(c)) {
        if (frame_reader_pending(&c->reader) > 0) {
            refuse(c, STATUS_MALFORMED_FRAME, "the connection ended within a frame");
        }
        c->base.no_more = true;
    }
    if (c->base.closing) {
        return;
    }
    /* Exactly while a frame could be taken, or while what comes is only dropped. */
    connection_want_reading(&c->base, c->base.no_more || may_take(c));
    drop_empty_buffer(c);
    count_bytes(c);
    if (c->base.no_more && c->base.in_flight == 0 && connection_unwritten(&c->base) == 0) {
        connection_finish(&c->base);
    }
}

static void advance_cb(struct connection *base)
{
    if (io_buffer_left(&base->out) > 0 && io_buffer_left(&base->writing) == 0) {
        connections_want_flush(base);
    }
    advance(rpc_of(base));
}

/* --- deadlines -------------------------------------------------------------------------------- */

static const char *overdue_cb(const struct connection *base, int64_t now_us)
{
    const struct rpc_connection *c = (const struct rpc_connection *)base;
    const struct rpc_options *options = &door_of(c)->options;
    if (c->frame_us == 0 && caller_is_late(&base->caller, options->key_timeout_ms, now_us)) {
        return "it showed no key";
    }
    return connection_is_over(base->active_us, options->idle_timeout_ms, now_us) ? "idle" : NULL;
}

static void check_arrival_cb(struct connection *base, int64_t now_us)
{
    struct rpc_connection *c = rpc_of(base);
    if (connection_is_over(c->frame_us, door_of(c)->options.frame_timeout_ms, now_us)) {
        refuse(c, STATUS_REQUEST_TIMEOUT, "the frame took too long to arrive");
    }
}

/* --- the protocol ----------------------------------------------------------------------------- */

static void begin_cb(struct connection *base)
{
    struct rpc_connection *c = rpc_of(base);
    frame_reader_init(&c->reader, door_of(c)->options.frame_bytes_max);
}

static void end_cb(struct connection *base)
{
    frame_reader_done(&rpc_of(base)->reader);
}

static void refuse_cb(struct connection *base, int status, const char *reason)
{
    refuse(rpc_of(base), status, reason);
}

static void drain_cb(struct connection *base)
{
    struct rpc_connection *c = rpc_of(base);
    take_frames(c); /* whole frames that have arrived are refused by name */
    if (!base->closing && c->frame_us != 0) {
        refuse(c, STATUS_SHUTTING_DOWN, "the daemon is shutting down");
    }
    base->no_more = true;
    advance(c);
}

const struct connection_protocol rpc_protocol = {
    .door = "rpc",
    .over_tcp = REQUEST_TCP,
    .out_keep_bytes = OUT_KEEP_BYTES,
    .connection_bytes = sizeof(struct rpc_connection),
    .begin = begin_cb,
    .end = end_cb,
    .space = space_cb,
    .arrived = arrived_cb,
    .advance = advance_cb,
    .refuse = refuse_cb,
    .overdue = overdue_cb,
    .check_arrival = check_arrival_cb,
    .drain = drain_cb,
};
