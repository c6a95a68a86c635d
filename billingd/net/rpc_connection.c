#include "billingd/net/rpc_connection.h"

#include <stdio.h>
#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/net/caller.h"
#include "billingd/net/io_buffer.h"
#include "billingd/rpc/gate.h"
#include "proto/frame.h"

enum {
    READ_BYTES = 64 * 1024,       /* asked of the kernel at once */
    OUT_HIGH_BYTES = 1024 * 1024, /* answers waiting for the client: no more is read above it */
    OUT_KEEP_BYTES = 16 * 1024,   /* a buffer of up to this is kept for the next answers */
    QUERIES_MAX = 16,             /* in flight on one connection: an answer may be megabytes */
    LINGER_MS = 2000,             /* for a client to read its refusal */
    REFUSED_MAX = 64,             /* connections that linger only to read that they are too many */
    HELD_BYTES_MAX = 2 * READ_BYTES, /* of frames that wait, each may hold while memory is full */
    SWEEP_MS = 250,
};

struct rpc_connection {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    struct rpc_door *door;
    struct rpc_connection *next;
    struct rpc_connection *previous;

    struct caller caller; /* whose it is */

    struct frame_reader reader;
    unsigned in_flight; /* requests submitted and not yet answered */
    unsigned queries;   /* of them, those whose answers are pages */
    bool reading;       /* uv reads from it */
    bool input_ended;   /* the client sends no more */
    bool no_more;       /* no further request is taken */
    bool shutting;      /* our side is being shut down */
    bool shut;          /* and is through */
    bool closing;       /* uv_close() was called */
    bool closed;        /* and is through */

    struct io_buffer out;     /* answers, not yet given to the kernel */
    struct io_buffer writing; /* what uv_write() is at */
    uv_write_t write;
    uv_shutdown_t shutdown;
    bool is_unflushed; /* in door->unflushed */
    struct rpc_connection *next_unflushed;
    struct turn_waiter next_turn;

    bool admitted; /* else it is told that there are too many, and counts apart */

    /* Monotonic microseconds. */
    int64_t active_us;   /* last byte in or out */
    int64_t stuck_us;    /* since when the client takes none of its answers; 0: it does */
    size_t queued_bytes; /* in uv's write queue at the last sweep */
    int64_t frame_us;    /* when the frame that is not whole began; 0: none */
    int64_t linger_us;   /* cut at this time; 0: not yet */
};

static void advance(struct rpc_connection *c);

/* --- its end ---------------------------------------------------------------------------------- */

static void free_if_over(struct rpc_connection *c)
{
    if (c->closed && c->in_flight == 0) {
        free(c);
    }
}

static void unlink_unflushed(struct rpc_connection *c)
{
    struct rpc_connection **at = &c->door->unflushed;
    while (c->is_unflushed && *at != c) {
        at = &(*at)->next_unflushed;
    }
    if (c->is_unflushed) {
        *at = c->next_unflushed;
        c->is_unflushed = false;
    }
}

static enum request_door door_of(const struct rpc_connection *c)
{
    return c->handle.type == UV_NAMED_PIPE ? REQUEST_UNIX : REQUEST_TCP;
}

/* What is in flight may live on, but has no buffers to go to. */
static void closed_cb(uv_handle_t *handle)
{
    struct rpc_connection *c = handle->data;
    frame_reader_done(&c->reader);
    io_buffer_free(&c->out);
    io_buffer_free(&c->writing);
    c->closed = true;
    free_if_over(c);
}

static void cut(struct rpc_connection *c)
{
    struct rpc_door *door = c->door;
    if (c->closing) {
        return;
    }
    c->closing = true;
    unlink_unflushed(c);
    turn_queue_leave(&door->waiting, &c->next_turn);
    if (c->previous == NULL) {
        door->connections = c->next;
    } else {
        c->previous->next = c->next;
    }
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    door->n--;
    caller_leave(&c->caller);
    if (c->admitted) {
        door->dispatch->stats.connections--;
        door->dispatch->stats.open[door_of(c)]--;
    } else {
        door->n_refused--;
    }
    uv_close(&c->handle, closed_cb);
}

static void shutdown_cb(uv_shutdown_t *shutdown, int status)
{
    struct rpc_connection *c = shutdown->data;
    c->shut = true;
    if (status < 0 || c->input_ended || c->door->draining) {
        cut(c);
    }
}

/* Everything is said: close our side, and wait a little for the client to close its own, so that
 * what it still sends does not turn our last answer into a reset. */
static void finish(struct rpc_connection *c)
{
    if (c->shut && (c->input_ended || c->door->draining)) {
        cut(c);
        return;
    }
    if (c->shutting || c->closing) {
        return;
    }
    c->shutting = true;
    c->linger_us = clock_monotonic_us() + (int64_t)LINGER_MS * 1000;
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, &c->stream, shutdown_cb) < 0) {
        cut(c);
    }
}

/* --- answers ---------------------------------------------------------------------------------- */

static size_t unwritten(const struct rpc_connection *c)
{
    return io_buffer_left(&c->out) + io_buffer_left(&c->writing);
}

static void count_bytes(struct rpc_connection *c)
{
    size_t bytes = c->reader.capacity + c->out.capacity + c->writing.capacity;
    if (!c->closing) { /* cut() has counted it off */
        account_count(&c->caller.account, bytes);
    }
}

static void want_flush(struct rpc_connection *c)
{
    if (!c->is_unflushed && !c->closing) {
        c->is_unflushed = true;
        c->next_unflushed = c->door->unflushed;
        c->door->unflushed = c;
    }
}

static void pack_response(struct rpc_connection *c, const Billing__V1__Response *response)
{
    size_t bytes = billing__v1__response__get_packed_size(response);
    uint8_t *room = (uint8_t *)io_buffer_room(&c->out, FRAME_HEADER_BYTES + bytes);
    INVARIANT(room != NULL); /* an answer is owed */
    frame_header_write(room, (uint32_t)bytes);
    billing__v1__response__pack(response, room + FRAME_HEADER_BYTES);
    io_buffer_added(&c->out, FRAME_HEADER_BYTES + bytes);
    count_bytes(c);
    want_flush(c);
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
    c->in_flight--;
    c->queries -= is_query(request);
    if (!c->closing) {
        pack_response(c, &request->response);
    }
    dispatch_answered(request);
    request_free(request);
    free_if_over(c);
}

static void written_cb(uv_write_t *write, int status)
{
    struct rpc_connection *c = write->data;
    io_buffer_reset(&c->writing, OUT_KEEP_BYTES);
    if (status < 0) {
        cut(c);
        return;
    }
    c->active_us = clock_monotonic_us();
    c->stuck_us = 0;
    if (io_buffer_left(&c->out) > 0) {
        want_flush(c);
    }
    advance(c);
}

static uv_buf_t buf_of(struct slice bytes)
{
    /* uv only reads what it writes, but its type cannot say so. */
    return uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.length);
}

/* Give `out` to the kernel, as much as it takes now; uv keeps at the rest. */
static void flush(struct rpc_connection *c)
{
    if (io_buffer_left(&c->writing) > 0 || io_buffer_left(&c->out) == 0) {
        return; /* written_cb() goes on */
    }
    uv_buf_t bytes = buf_of(io_buffer_rest(&c->out));
    int n = uv_try_write(&c->stream, &bytes, 1);
    if (n < 0 && n != UV_EAGAIN) {
        cut(c);
        return;
    }
    c->active_us = clock_monotonic_us();
    if (n >= 0 && (size_t)n == bytes.len) {
        io_buffer_reset(&c->out, OUT_KEEP_BYTES);
        advance(c);
        return;
    }
    io_buffer_take(&c->out, n < 0 ? 0 : (size_t)n);
    struct io_buffer rest = c->out;
    c->out = c->writing;
    c->writing = rest;
    c->write.data = c;
    c->stuck_us = c->active_us;
    bytes = buf_of(io_buffer_rest(&c->writing));
    if (uv_write(&c->write, &c->stream, &bytes, 1, written_cb) < 0) {
        cut(c);
    }
}

void rpc_door_flush(struct rpc_door *door)
{
    while (door->unflushed != NULL) {
        struct rpc_connection *c = door->unflushed;
        unlink_unflushed(c);
        flush(c);
    }
}

void rpc_door_turn(struct rpc_door *door)
{
    rpc_door_flush(door);
    door->turn++;
    door->turn_requests =
        company_turn(&door->dispatch->company, (int64_t)uv_now(door->loop) * 1000);
    turn_queue_go_on(&door->waiting);
    rpc_door_flush(door); /* what was answered at once: the loop may sleep now */
}

/* --- requests --------------------------------------------------------------------------------- */

static struct request *new_request(struct rpc_connection *c)
{
    struct request *request =
        request_create(c->door->dispatch, &c->caller.who, REQUEST_ARENA_BYTES_MAX, reply_cb, c);
    if (request == NULL) {
        cut(c);
        return NULL;
    }
    request->came_by = door_of(c);
    c->in_flight++;
    return request;
}

/* Say what is wrong with the stream itself; nothing more is taken from it. */
static void refuse(struct rpc_connection *c, int status, const char *reason)
{
    c->no_more = true;
    struct request *request = new_request(c);
    if (request != NULL) {
        dispatch_refuse(request, status, "%s", reason);
    }
}

static void refuse_length(struct rpc_connection *c, size_t bytes)
{
    char reason[128];
    IGNORE(snprintf(reason, sizeof reason, "a frame of %zu bytes; at most %zu are allowed", bytes,
                    c->door->options.frame_bytes_max) < 0); /* fits */
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
    if (caller_settle(&c->caller, request, c->door->options.asker_connections_max) < 0) {
        c->no_more = true;
        dispatch_refuse(request, STATUS_RATE_LIMITED, "%s", caller_too_many);
        return;
    }
    dispatch_submit(c->door->dispatch, request);
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
    c->no_more = true;
    dispatch_refuse(request, rc,
                    rc == STATUS_TOO_LARGE ? "the frame unpacks to more than a request may hold"
                                           : "the frame is not a billing.v1.Request");
}

/* Whether its asker has been heard enough in this turn of the loop. */
static bool is_turn_over(const struct rpc_connection *c)
{
    const struct asker *asker = c->caller.account.asker;
    const struct rpc_door *door = c->door;
    return asker->turn == door->turn && door->turn_requests != 0 &&
           asker->in_turn >= door->turn_requests;
}

static void go_on_cb(void *connection)
{
    advance(connection); /* which may cut it, and others */
}

/* Whether there is room for what a request may need: in flight, in the queue, for its answer.  A
 * queue or a memory that fills up holds back those who fill it, by their connections that have work
 * in it, never those that have none: so each gets its turn, and beyond the bound an answer that
 * says busy. */
static bool has_room(const struct rpc_connection *c)
{
    bool idle = c->in_flight == 0 && unwritten(c) == 0;
    return c->in_flight < c->door->options.pipeline_max && c->queries < QUERIES_MAX &&
           !is_turn_over(c) && (idle || !account_is_full(&c->caller.account)) &&
           (c->in_flight == 0 || !dispatch_is_pressed(c->door->dispatch, c->caller.account.asker));
}

static bool may_take(const struct rpc_connection *c)
{
    /* While draining, what is taken is refused at once and needs no room. */
    return !c->no_more && !c->closing && unwritten(c) < OUT_HIGH_BYTES &&
           (c->door->draining || has_room(c));
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
            company_heard(c->caller.account.asker, c->door->turn);
            take_frame(c, payload, bytes);
        } else if (rc == STATUS_TOO_LARGE) {
            refuse_length(c, bytes);
        }
    }
    /* While nothing is taken, whole frames may lie there, and the client owes nothing. */
    if (rc == 0 && !c->closing && is_turn_over(c)) {
        turn_queue_wait(&c->door->waiting, &c->next_turn, heard);
    }
    bool partial = rc == STATUS_NEED_MORE && frame_reader_pending(&c->reader) > 0;
    if (partial && c->frame_us == 0) {
        c->frame_us = clock_monotonic_us();
    } else if (!partial) {
        c->frame_us = 0;
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static void alloc_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct rpc_connection *c = handle->data;
    uint8_t *space = NULL;
    size_t bytes = 0;
    (void)suggested;
    if (c->no_more) {
        frame_reader_done(&c->reader); /* what comes now is read only to be dropped */
    }
    if (frame_reader_space(&c->reader, READ_BYTES, &space, &bytes) < 0) {
        bytes = 0; /* uv reports UV_ENOBUFS */
    }
    *ret = uv_buf_init((char *)space, (unsigned)(bytes < INT32_MAX ? bytes : INT32_MAX));
}

static void read_cb(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct rpc_connection *c = stream->data;
    (void)buffer; /* it is the reader's own */
    if (n == 0) {
        return;
    }
    if (n < 0 && n != UV_EOF) {
        cut(c);
        return;
    }
    c->active_us = clock_monotonic_us();
    if (n == UV_EOF) {
        c->input_ended = true;
    } else if (!c->no_more) {
        frame_reader_fed(&c->reader, (size_t)n);
    }
    advance(c);
}

/* Read exactly while a frame could be taken, or while what comes is only dropped. */
static void set_reading(struct rpc_connection *c)
{
    bool wanted = !c->input_ended && !c->closing && (c->no_more || may_take(c));
    if (wanted && !c->reading) {
        if (uv_read_start(&c->stream, alloc_cb, read_cb) < 0) {
            cut(c);
            return;
        }
    } else if (!wanted && c->reading) {
        IGNORE(uv_read_stop(&c->stream)); /* cannot fail */
    }
    c->reading = wanted;
}

/* Many frames that are half there could fill the memory, and so could whole ones that wait for a
 * client who does not take its answers.  One that has answers to come is not read on from while
 * memory is full, and may keep a little of what has arrived. */
static void check_held(struct rpc_connection *c)
{
    bool idle = c->in_flight == 0 && unwritten(c) == 0;
    bool much = c->reader.capacity > HELD_BYTES_MAX && frame_reader_pending(&c->reader) > 0;
    count_bytes(c);
    if (!c->no_more && ((idle && c->frame_us != 0) || much) && !caller_may_hold(&c->caller)) {
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
    if (c->closing) {
        return;
    }
    take_frames(c);
    if (!c->closing) {
        check_held(c);
    }
    if (c->closing) {
        return;
    }
    if (c->input_ended && may_take(c)) {
        if (frame_reader_pending(&c->reader) > 0) {
            refuse(c, STATUS_MALFORMED_FRAME, "the connection ended within a frame");
        }
        c->no_more = true;
    }
    if (c->closing) {
        return;
    }
    set_reading(c);
    drop_empty_buffer(c);
    count_bytes(c);
    if (c->no_more && c->in_flight == 0 && unwritten(c) == 0) {
        finish(c);
    }
}

/* --- deadlines -------------------------------------------------------------------------------- */

static bool is_over(int64_t since_us, int64_t timeout_ms, int64_t now_us)
{
    return since_us != 0 && timeout_ms != 0 && now_us - since_us > timeout_ms * 1000;
}

static const char *overdue(const struct rpc_connection *c, int64_t now_us)
{
    const struct rpc_options *options = &c->door->options;
    if (c->linger_us != 0 && now_us > c->linger_us) {
        return "lingered";
    }
    if (is_over(c->stuck_us, options->write_timeout_ms, now_us)) {
        return "answers not taken";
    }
    if (c->in_flight > 0 || unwritten(c) > 0 || c->shutting) {
        return NULL;
    }
    if (c->frame_us == 0 && caller_is_late(&c->caller, options->key_timeout_ms, now_us)) {
        return "it showed no key";
    }
    return is_over(c->active_us, options->idle_timeout_ms, now_us) ? "idle" : NULL;
}

/* uv tells when a write is through, not how it fares: a slow client is not a dead one. */
static void note_progress(struct rpc_connection *c, int64_t now_us)
{
    size_t queued_bytes = uv_stream_get_write_queue_size(&c->stream);
    if (queued_bytes < c->queued_bytes) {
        c->active_us = now_us;
        c->stuck_us = c->stuck_us == 0 ? 0 : now_us; /* 0: it has taken all */
    }
    c->queued_bytes = queued_bytes;
}

static void sweep_cb(uv_timer_t *timer)
{
    struct rpc_door *door = timer->data;
    int64_t now_us = clock_monotonic_us();
    struct rpc_connection *next;
    for (struct rpc_connection *c = door->connections; c != NULL; c = next) {
        next = c->next;
        note_progress(c, now_us);
        const char *reason = overdue(c, now_us);
        if (reason != NULL) {
            log_debug(LOG_NET, "connection cut", LOG_TEXT("door", "rpc"),
                      LOG_TEXT("reason", reason), LOG_SLICE("identity", c->caller.who.name));
            cut(c);
            continue;
        }
        if (is_over(c->frame_us, door->options.frame_timeout_ms, now_us)) {
            refuse(c, STATUS_REQUEST_TIMEOUT, "the frame took too long to arrive");
        }
        caller_check_key(&c->caller, door->options.asker_connections_max);
        advance(c); /* those that waited for the queue to empty */
    }
}

/* --- the door --------------------------------------------------------------------------------- */

void rpc_door_init(struct rpc_door *door, uv_loop_t *loop, struct dispatch *dispatch,
                   const struct rpc_options *options)
{
    *door = (struct rpc_door){.loop = loop, .dispatch = dispatch, .options = *options};
    door->sweep.data = door;
    turn_queue_init(&door->waiting, loop);
    INVARIANT(uv_timer_init(loop, &door->sweep) == 0);
    INVARIANT(uv_timer_start(&door->sweep, sweep_cb, SWEEP_MS, SWEEP_MS) == 0);
    uv_unref((uv_handle_t *)&door->sweep);
}

void rpc_door_adjust(struct rpc_door *door, const struct rpc_options *options)
{
    door->options = *options;
}

/* Of a Unix socket, whose kernel says who it is; else -1. */
static int unix_fd(const struct rpc_connection *c)
{
    uv_os_fd_t fd;
    return c->handle.type == UV_NAMED_PIPE && uv_fileno(&c->handle, &fd) == 0 ? fd : -1;
}

void rpc_door_apply_rules(struct rpc_door *door)
{
    for (struct rpc_connection *c = door->connections; c != NULL; c = c->next) {
        caller_apply_rules(&c->caller, unix_fd(c), door->options.peers,
                           door->options.asker_connections_max);
    }
}

static void turn_away_cb(void *connection)
{
    log_debug(LOG_NET, "connection cut", LOG_TEXT("door", "rpc"),
              LOG_TEXT("reason", "it showed no key, and others came"));
    cut(connection);
}

static void link_connection(struct rpc_door *door, struct rpc_connection *c, bool admit)
{
    c->next = door->connections;
    if (c->next != NULL) {
        c->next->previous = c;
    }
    door->connections = c;
    door->n++;
    c->admitted = admit;
    if (admit) {
        door->dispatch->stats.connections++;
        door->dispatch->stats.open[door_of(c)]++;
    } else {
        door->n_refused++;
    }
}

static struct rpc_connection *make_connection(struct rpc_door *door, bool is_unix)
{
    struct rpc_connection *c = calloc(1, sizeof *c);
    INVARIANT(c != NULL);
    c->door = door;
    if (is_unix) {
        INVARIANT(uv_pipe_init(door->loop, &c->pipe, 0) == 0);
    } else {
        INVARIANT(uv_tcp_init(door->loop, &c->tcp) == 0);
    }
    c->handle.data = c;
    c->caller.newcomer = (struct newcomer){.turn_away = turn_away_cb, .connection = c};
    c->next_turn = (struct turn_waiter){.go_on = go_on_cb, .connection = c};
    frame_reader_init(&c->reader, door->options.frame_bytes_max);
    c->active_us = clock_monotonic_us();
    return c;
}

void rpc_door_accept(struct rpc_door *door, uv_stream_t *server, struct admission admission)
{
    struct rpc_connection *c = make_connection(door, server->type == UV_NAMED_PIPE);
    int rc = uv_accept(server, &c->stream);
    bool fits = caller_enter(&c->caller, door->dispatch, &admission, unix_fd(c),
                             door->options.peers, door->options.asker_connections_max) == 0;
    link_connection(door, c, admission.has_room && fits);
    if (rc < 0 || door->n_refused > REFUSED_MAX) {
        cut(c);
        return;
    }
    if (server->type == UV_TCP) {
        IGNORE(uv_tcp_nodelay(&c->tcp, 1)); /* answers are gathered here, not in the kernel */
    }
    if (!admission.has_room) {
        refuse(c, STATUS_BUSY, "there are too many connections");
    } else if (!fits) {
        refuse(c, STATUS_RATE_LIMITED, caller_too_many);
    }
    advance(c);
}

void rpc_door_drain(struct rpc_door *door)
{
    struct rpc_connection *next;
    door->draining = true;
    for (struct rpc_connection *c = door->connections; c != NULL; c = next) {
        next = c->next;
        take_frames(c); /* whole frames that have arrived are refused by name */
        if (!c->closing && c->frame_us != 0) {
            refuse(c, STATUS_SHUTTING_DOWN, "the daemon is shutting down");
        }
        c->no_more = true;
        advance(c);
    }
}

void rpc_door_close(struct rpc_door *door)
{
    while (door->connections != NULL) {
        cut(door->connections);
    }
    turn_queue_close(&door->waiting);
    uv_close((uv_handle_t *)&door->sweep, NULL);
}
