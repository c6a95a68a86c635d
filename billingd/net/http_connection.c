#include "billingd/net/http_connection.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/net/http_answer.h"
#include "billingd/net/http_authorize.h"
#include "billingd/net/http_buffer.h"
#include "billingd/net/http_request.h"
#include "billingd/net/http_routes.h"
#include "billingd/rpc/gate.h"

enum {
    READ_BYTES = 64 * 1024,       /* asked of the kernel at once */
    INPUT_HIGH_BYTES = 64 * 1024, /* pipelined: no more is read above it */
    OUT_HIGH_BYTES = 256 * 1024,  /* answers not taken: no more is parsed above it */
    LINGER_MS = 2000,             /* for a client to read its refusal */
    HELD_BYTES_FREE = 128 * 1024, /* of a body, each may hold while memory is scarce */
    REFUSED_MAX = 64,             /* connections that linger only to read that they are too many */
    KEEPALIVE_S = 60,             /* TCP probes, for peers that vanished */
    SWEEP_MS = 250,
};

struct http_connection {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
    };
    struct http_door *door;
    struct http_connection *next;
    struct http_connection *previous;

    struct identity who;    /* where a request brings no token */
    struct account account; /* of who asked last */

    struct http_parser parser;
    struct http_buffer input;  /* arrived, not yet parsed */
    struct http_answer answer; /* what it must know of the request in flight */

    struct http_buffer out;     /* answers, not yet given to the kernel */
    struct http_buffer writing; /* what uv_write() is at */
    uv_write_t write;
    uv_shutdown_t shutdown;

    bool admitted;    /* else it is told that there are too many, and counts apart */
    bool in_flight;   /* a request is submitted and not yet answered */
    bool continued;   /* 100 (Continue) was sent for the request that is arriving */
    bool advancing;   /* advance() is at work: an answer that comes now needs no other one */
    bool reading;     /* uv reads from it */
    bool input_ended; /* the client sends no more */
    bool no_more;     /* no further request is taken; input is dropped */
    bool refused;     /* by us, in the middle: the client may still be sending */
    bool shutting;    /* our side is, or is being, shut down */
    bool closing;     /* uv_close() was called */
    bool closed;      /* and is through */

    /* Monotonic microseconds. */
    int64_t active_us;     /* last byte in or out */
    int64_t stuck_us;      /* since when the client takes none of its answers; 0: it does */
    size_t queued_bytes;   /* in uv's write queue at the last sweep */
    enum http_stage stage; /* of the request that is arriving, */
    int64_t stage_us;      /* and since when */
    int64_t linger_us;     /* cut at this time; 0: not yet */
};

static void advance(struct http_connection *c);

/* --- its end ---------------------------------------------------------------------------------- */

static void free_if_over(struct http_connection *c)
{
    if (c->closed && !c->in_flight) {
        free(c);
    }
}

static void closed_cb(uv_handle_t *handle)
{
    struct http_connection *c = handle->data;
    http_parser_reset(&c->parser);
    http_buffer_free(&c->input);
    http_buffer_free(&c->out);
    http_buffer_free(&c->writing);
    c->closed = true;
    free_if_over(c);
}

static void cut(struct http_connection *c)
{
    struct http_door *door = c->door;
    if (c->closing) {
        return;
    }
    c->closing = true;
    if (c->previous == NULL) {
        door->connections = c->next;
    } else {
        c->previous->next = c->next;
    }
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    door->n--;
    account_close(&c->account);
    if (c->admitted) {
        door->dispatch->stats.connections--;
        door->dispatch->stats.open[REQUEST_HTTP]--;
    } else {
        door->n_refused--;
    }
    uv_close(&c->handle, closed_cb);
}

static void shutdown_cb(uv_shutdown_t *shutdown, int status)
{
    struct http_connection *c = shutdown->data;
    if (status < 0 || c->input_ended || (c->door->draining && !c->refused)) {
        cut(c);
    }
}

/* Everything is said: close our side, and wait a little for the client to close its own. */
static void finish(struct http_connection *c)
{
    if (c->shutting || c->closing) {
        return;
    }
    c->shutting = true;
    c->no_more = true;
    c->linger_us = clock_monotonic_us() + INT64_C(1000) * LINGER_MS;
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, &c->stream, shutdown_cb) < 0) {
        cut(c);
    }
}

/* --- writing ---------------------------------------------------------------------------------- */

static void count_bytes(struct http_connection *c)
{
    if (!c->closing) { /* cut() has counted it off */
        account_count(&c->account, c->input.capacity + c->parser.head_text.capacity +
                                       c->parser.body.capacity + c->out.capacity +
                                       c->writing.capacity);
    }
}

static size_t unwritten(const struct http_connection *c)
{
    return http_buffer_rest(&c->out).length + http_buffer_rest(&c->writing).length;
}

static void written_cb(uv_write_t *write, int status)
{
    struct http_connection *c = write->data;
    http_buffer_free(&c->writing);
    if (status < 0) {
        cut(c);
        return;
    }
    c->active_us = clock_monotonic_us();
    c->stuck_us = 0;
    advance(c);
}

static uv_buf_t buf_of(struct slice bytes)
{
    /* uv only reads what it writes, but its type cannot say so. */
    return uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.length);
}

/* Give `out` to the kernel, as much as it takes now; uv keeps at the rest. */
static void flush(struct http_connection *c)
{
    struct slice rest = http_buffer_rest(&c->out);
    if (rest.length == 0 || http_buffer_rest(&c->writing).length > 0) {
        return; /* written_cb() goes on */
    }
    uv_buf_t bytes = buf_of(rest);
    int n = uv_try_write(&c->stream, &bytes, 1);
    if (n < 0 && n != UV_EAGAIN) {
        cut(c);
        return;
    }
    c->active_us = clock_monotonic_us();
    http_buffer_take(&c->out, n < 0 ? 0 : (size_t)n);
    rest = http_buffer_rest(&c->out);
    if (rest.length == 0) {
        return;
    }
    c->stuck_us = c->active_us;
    c->writing = c->out;
    c->out = (struct http_buffer){0};
    c->write.data = c;
    bytes = buf_of(rest);
    if (uv_write(&c->write, &c->stream, &bytes, 1, written_cb) < 0) {
        cut(c);
    }
}

/* --- answers ---------------------------------------------------------------------------------- */

static const char too_many_of_one[] =
    "who asks has as many connections as connections_per_identity_max allows";

/* What is behind this answer on the connection is decided now, since its head says so. */
static void settle_keep_alive(struct http_connection *c)
{
    c->answer.keep_alive = c->answer.keep_alive && !c->no_more && !c->door->draining;
    c->no_more |= !c->answer.keep_alive;
}

static void reply_cb(struct request *request)
{
    struct http_connection *c = request->door;
    c->in_flight = false;
    if (!c->closing) {
        settle_keep_alive(c);
        if (http_answer_write(&c->answer, request, &c->out) < 0) {
            cut(c); /* no memory for it: the client will ask again */
        }
        count_bytes(c);
    }
    dispatch_answered(request);
    request_free(request);
    if (c->closed) {
        free_if_over(c);
    } else {
        advance(c);
    }
}

/* A request in flight, with the arena for a body of BODY_BYTES; NULL where there is no memory, and
 * then the connection is cut. */
static struct request *begin_request(struct http_connection *c, size_t body_bytes)
{
    struct request *request = request_create(c->door->dispatch, &c->who,
                                             http_request_arena_bytes(body_bytes), reply_cb, c);
    if (request == NULL) {
        cut(c);
        return NULL;
    }
    request->came_by = REQUEST_HTTP;
    c->in_flight = true;
    return request;
}

/* What the answer must know of the message that the parser holds, as far as it got. */
static void note_message(struct http_connection *c, struct request *request)
{
    struct arena *arena = &request->arena;
    const struct http_message *message = &c->parser.message;
    const struct http_guard *guard = &c->door->options.guard;
    c->answer = (struct http_answer){
        .head_only = slice_equal(message->method, SLICE("HEAD")),
        .is_1_0 = message->is_1_0,
        .keep_alive = message->keep_alive,
        .wants_csv = http_accept_choose(&message->accept) == HTTP_MEDIA_CSV,
        .varies = guard->n_origins > 0,
        .preflight = slice_equal(message->method, SLICE("OPTIONS")) &&
                     message->headers[HTTP_CORS_METHOD].data != NULL,
        .has_token = http_authorize_token(message->headers[HTTP_AUTHORIZATION]).length > 0,
    };
    if (http_guard_origin(guard, message->headers[HTTP_ORIGIN]) != NULL) {
        /* The request's own: by its answer the list may be another.  Else it may not. */
        IGNORE(arena_copy(arena, message->headers[HTTP_ORIGIN], &c->answer.origin));
    }
    IGNORE(arena_copy(arena, message->headers[HTTP_X_REQUEST_ID], &c->answer.request_id));
    /* where it is not copied a new one is made */
    IGNORE(arena_copy(arena, message->headers[HTTP_TRACEPARENT], &request->traceparent));
    /* likewise it is in no trace */
}

static void note_stage(struct http_connection *c)
{
    if (c->stage != c->parser.stage) {
        c->stage = c->parser.stage;
        c->stage_us = clock_monotonic_us();
    }
}

/* Answer what cannot be taken, and take no more: nobody knows where a next request would begin. */
static void refuse(struct http_connection *c, int status, const char *reason)
{
    struct request *request = begin_request(c, 0);
    if (request == NULL) {
        return;
    }
    note_message(c, request);
    c->no_more = true;
    c->refused = true;
    http_buffer_free(&c->input);
    http_parser_reset(&c->parser);
    note_stage(c);
    log_debug(LOG_NET, "request refused", LOG_TEXT("door", "http"), LOG_TEXT("reason", reason));
    dispatch_refuse(request, status, "%s", reason);
}

static int write_metrics(struct http_connection *c, struct request *request)
{
    const struct http_options *options = &c->door->options;
    struct metrics_text text = {0};
    options->metrics_cb(&text, options->metrics_arg);
    int rc = text.failed
                 ? STATUS_NO_MEMORY
                 : http_answer_write_metrics(&c->answer, request,
                                             (struct slice){text.data, text.length}, &c->out);
    free(text.data);
    return rc;
}

static int write_page(struct http_connection *c, struct request *request)
{
    switch (request->page) {
    case REQUEST_OPENAPI:
        return http_answer_write_openapi(&c->answer, request, &c->out);
    case REQUEST_METRICS:
        return write_metrics(c, request);
    case REQUEST_OPTIONS:
        return http_answer_write_options(&c->answer, request, &c->out);
    case REQUEST_NO_PAGE:
    case REQUEST__PAGES:
        break;
    }
    return STATUS_INTERNAL;
}

/* What leads to no call is answered here. */
static void answer_myself(struct http_connection *c, struct request *request)
{
    settle_keep_alive(c);
    if (write_page(c, request) < 0) {
        cut(c);
    }
    c->in_flight = false;
    dispatch_answered(request);
    request_free(request);
}

/* Fill REQUEST with the call that MATCH leads to. */
static int fill_request(struct http_connection *c, struct request *request,
                        const struct http_match *match, struct slice *reterr)
{
    const struct http_message *message = &c->parser.message;
    c->answer.route = match->route;
    *reterr = SLICE("the request takes too much memory");
    int rc = arena_copy(&request->arena, message->query, &c->answer.query);
    return rc < 0 ? rc : http_request_fill(request, match, message, reterr);
}

/* Refuse what a page that is none of ours may have made a browser send.  Health is told to all: who
 * probes it may know the daemon by any name. */
static int check_guard(const struct http_connection *c, bool health, struct slice *reterr)
{
    const struct http_guard *guard = &c->door->options.guard;
    struct slice host = c->parser.message.headers[HTTP_HOST];
    if (host.data != NULL && !health && !http_guard_knows_host(guard, host)) {
        *reterr = SLICE("the Host header names none of http_hosts");
        return STATUS_HOST_NOT_ALLOWED;
    }
    if (c->parser.message.headers[HTTP_ORIGIN].data != NULL && c->answer.origin.length == 0) {
        *reterr = SLICE("the Origin header names none of http_origins");
        return STATUS_ORIGIN_NOT_ALLOWED;
    }
    return 0;
}

/* Settle who asks, whose connection it is then. */
static int join_asker(struct http_connection *c, struct request *request, struct slice *reterr)
{
    gate_identify(request, http_authorize_token(c->parser.message.headers[HTTP_AUTHORIZATION]));
    int rc = account_connect(&c->account, request->account.asker,
                             c->door->options.asker_connections_max);
    c->no_more |= rc < 0;
    *reterr = slice_of(too_many_of_one);
    return rc;
}

/* Find out what the request that the parser has made whole leads to, and whether it may be had.
 * Whoever may not is not told what there is, and nothing of its body is looked at. */
static int check_message(struct http_connection *c, struct request *request,
                         struct http_match *ret_match, struct slice *reterr)
{
    const struct http_message *message = &c->parser.message;
    int found = http_route_find(message->method, message->path, ret_match, c->answer.allow);
    bool options =
        found == 0 && ret_match->route == NULL; /* says what there is, not what is in it */
    request->method = found == 0 && !options ? method_find(ret_match->route->call) : NULL;
    if (found == 0) {
        request->page = options ? REQUEST_OPTIONS : ret_match->route->page;
    }
    bool health = request->method != NULL && request->method->role == ROLE_NONE;
    int rc = check_guard(c, health, reterr);
    if (rc == 0) {
        rc = join_asker(c, request, reterr);
    }
    if (rc == 0 && !options) {
        rc = gate_authorize(request, request->method);
    }
    if (rc == 0 && found < 0) {
        *reterr = found == STATUS_PATH_NOT_FOUND ? SLICE("there is no such path")
                                                 : SLICE("the path has no such method");
        rc = found;
    }
    return rc;
}

/* Route, fill and submit the request that the parser has made whole. */
static void take_message(struct http_connection *c)
{
    struct request *request = begin_request(c, c->parser.message.body.length);
    struct http_match match = {0};
    struct slice reason = {0};
    if (request == NULL) {
        return;
    }
    note_message(c, request);
    int rc = check_message(c, request, &match, &reason);
    bool is_call =
        rc == 0 && match.route != NULL && match.route->call != BILLING__V1__REQUEST__CALL__NOT_SET;
    if (is_call) {
        rc = fill_request(c, request, &match, &reason);
    }
    http_parser_reset(&c->parser);
    c->continued = false;
    if (rc == STATUS_UNAUTHENTICATED || rc == STATUS_FORBIDDEN) {
        gate_refuse(request, request->method, rc);
    } else if (rc < 0) {
        dispatch_refuse(request, rc, "%.*s", (int)reason.length, reason.data);
    } else if (is_call) {
        dispatch_submit(c->door->dispatch, request);
    } else {
        answer_myself(c, request);
    }
}

/* --- input ------------------------------------------------------------------------------------ */

static bool may_take(const struct http_connection *c)
{
    /* One in flight is fair: a queue that fills up holds nobody back, and answers busy when full;
     * so does memory, but to those who take their answers. */
    bool room = unwritten(c) == 0 || !account_is_full(&c->account);
    return !c->in_flight && !c->no_more && !c->closing && room && unwritten(c) < OUT_HIGH_BYTES;
}

static void send_continue(struct http_connection *c)
{
    if (!c->continued && http_parser_awaits_continue(&c->parser)) {
        c->continued = true;
        if (http_buffer_append(&c->out, SLICE("HTTP/1.1 100 Continue\r\n\r\n")) < 0) {
            cut(c);
        }
    }
}

/* Many bodies that are half there could fill the memory. */
static bool is_too_much(struct http_connection *c)
{
    count_bytes(c);
    return c->parser.body.capacity > HELD_BYTES_FREE && account_is_full(&c->account);
}

static void take_input(struct http_connection *c)
{
    struct slice input;
    while (may_take(c) && (input = http_buffer_rest(&c->input)).length > 0) {
        size_t used = 0;
        int rc = http_parser_feed(&c->parser, input.data, input.length, &used);
        http_buffer_take(&c->input, used);
        if (rc == 0) {
            take_message(c);
        } else if (rc == STATUS_NEED_MORE && !is_too_much(c)) {
            send_continue(c);
        } else if (rc == STATUS_NEED_MORE) {
            refuse(c, STATUS_BUSY, "too much is arriving at once; send it again later");
        } else {
            refuse(c, rc, c->parser.reason);
        }
        note_stage(c);
    }
}

static void end_input(struct http_connection *c)
{
    bool asked = http_buffer_rest(&c->input).length > 0;
    if (!c->input_ended || c->no_more || asked || !may_take(c)) {
        return;
    }
    if (c->parser.stage != HTTP_STAGE_IDLE) {
        refuse(c, STATUS_MALFORMED_HTTP, "the connection ended within a request");
    }
    c->no_more = true;
}

static void alloc_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct http_connection *c = handle->data;
    (void)suggested;
    *ret = uv_buf_init(c->door->read_buffer, READ_BYTES);
}

static void read_cb(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct http_connection *c = stream->data;
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
        if (c->shutting) {
            cut(c); /* both sides are through */
        }
    } else if (!c->no_more &&
               http_buffer_append(&c->input, (struct slice){buffer->base, (size_t)n}) < 0) {
        cut(c);
    }
    advance(c);
}

/* Read while what comes could be taken soon, or is only dropped. */
static void set_reading(struct http_connection *c)
{
    bool room = http_buffer_rest(&c->input).length < INPUT_HIGH_BYTES &&
                unwritten(c) < OUT_HIGH_BYTES &&
                (unwritten(c) == 0 || !account_is_full(&c->account));
    bool wanted = !c->input_ended && !c->closing && (c->no_more || room);
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

/* Take all that can be taken now, write what there is to write, and settle whether to go on, to
 * wait or to end.  Answers may come while it is at work: they are part of what it does. */
static void advance(struct http_connection *c)
{
    if (c->closing || c->advancing) {
        return;
    }
    c->advancing = true;
    take_input(c);
    if (!c->closing) {
        end_input(c);
    }
    if (!c->closing) {
        flush(c);
    }
    if (!c->closing) {
        set_reading(c);
    }
    count_bytes(c);
    if (!c->closing && c->no_more && !c->in_flight && unwritten(c) == 0) {
        finish(c);
    }
    c->advancing = false;
}

/* --- deadlines -------------------------------------------------------------------------------- */

static bool is_over(int64_t since_us, int64_t timeout_ms, int64_t now_us)
{
    return timeout_ms != 0 && now_us - since_us > timeout_ms * 1000;
}

/* Why C is to be cut, or NULL. */
static const char *overdue(const struct http_connection *c, int64_t now_us)
{
    const struct http_options *options = &c->door->options;
    if (c->linger_us != 0 && now_us > c->linger_us) {
        return "lingered";
    }
    if (c->stuck_us != 0) {
        return is_over(c->stuck_us, options->write_timeout_ms, now_us) ? "answers not taken" : NULL;
    }
    bool idle = !c->in_flight && !c->shutting && c->stage == HTTP_STAGE_IDLE;
    return idle && is_over(c->active_us, options->idle_timeout_ms, now_us) ? "idle" : NULL;
}

/* Refuse a request that takes too long to arrive; time in which we would not read is not the
 * client's. */
static void check_arrival(struct http_connection *c, int64_t now_us)
{
    const struct http_options *options = &c->door->options;
    if (!may_take(c)) {
        c->stage_us = now_us;
    } else if (c->stage == HTTP_STAGE_HEAD &&
               is_over(c->stage_us, options->head_timeout_ms, now_us)) {
        refuse(c, STATUS_REQUEST_TIMEOUT, "the head took too long to arrive");
    } else if (c->stage == HTTP_STAGE_BODY &&
               is_over(c->stage_us, options->body_timeout_ms, now_us)) {
        refuse(c, STATUS_REQUEST_TIMEOUT, "the body took too long to arrive");
    }
}

/* uv tells when a write is through, not how it fares: a slow client is not a dead one. */
static void note_progress(struct http_connection *c, int64_t now_us)
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
    struct http_door *door = timer->data;
    int64_t now_us = clock_monotonic_us();
    struct http_connection *next;
    for (struct http_connection *c = door->connections; c != NULL; c = next) {
        next = c->next;
        note_progress(c, now_us);
        const char *reason = overdue(c, now_us);
        if (reason != NULL) {
            log_debug(LOG_NET, "connection cut", LOG_TEXT("door", "http"),
                      LOG_TEXT("reason", reason));
            cut(c);
            continue;
        }
        check_arrival(c, now_us);
        advance(c);
    }
}

/* --- the door --------------------------------------------------------------------------------- */

static size_t or_default(size_t value, size_t fallback)
{
    return value == 0 ? fallback : value;
}

void http_door_adjust(struct http_door *door, const struct http_options *options)
{
    door->options = *options;
    door->limits = (struct http_limits){
        .head_bytes_max = or_default(options->head_bytes_max, HTTP_HEAD_BYTES_DEFAULT),
        .target_bytes_max = or_default(options->target_bytes_max, HTTP_TARGET_BYTES_DEFAULT),
        .headers_max = (unsigned)or_default(options->headers_max, HTTP_HEADERS_DEFAULT),
        .body_bytes_max = or_default(options->body_bytes_max, HTTP_BODY_BYTES_DEFAULT),
    };
    door->pool.bytes_max = or_default(options->bodies_bytes_max, HTTP_BODIES_BYTES_DEFAULT);
}

void http_door_init(struct http_door *door, uv_loop_t *loop, struct dispatch *dispatch,
                    const struct http_options *options)
{
    *door = (struct http_door){.loop = loop, .dispatch = dispatch};
    http_door_adjust(door, options);
    door->read_buffer = malloc(READ_BYTES);
    INVARIANT(door->read_buffer != NULL);
    door->sweep.data = door;
    INVARIANT(uv_timer_init(loop, &door->sweep) == 0);
    INVARIANT(uv_timer_start(&door->sweep, sweep_cb, SWEEP_MS, SWEEP_MS) == 0);
    uv_unref((uv_handle_t *)&door->sweep);
}

static void link_connection(struct http_door *door, struct http_connection *c, bool admit)
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
        door->dispatch->stats.open[REQUEST_HTTP]++;
    } else {
        door->n_refused++;
    }
}

static struct http_connection *make_connection(struct http_door *door, bool needs_key)
{
    struct http_connection *c = calloc(1, sizeof *c);
    INVARIANT(c != NULL);
    c->door = door;
    INVARIANT(uv_tcp_init(door->loop, &c->tcp) == 0);
    c->handle.data = c;
    c->who =
        (struct identity){.name = SLICE("anonymous"), .role = needs_key ? ROLE_NONE : ROLE_WRITER};
    http_parser_init(&c->parser, &door->limits, &door->pool);
    c->active_us = clock_monotonic_us();
    return c;
}

void http_door_accept(struct http_door *door, uv_stream_t *server, struct admission admission)
{
    struct http_connection *c = make_connection(door, admission.needs_key);
    struct dispatch *dispatch = door->dispatch;
    struct asker *asker = askers_find(&dispatch->askers, c->who.name, c->active_us);
    account_open(&c->account, &dispatch->memory, asker);
    bool admit = admission.has_room &&
                 account_connect(&c->account, asker, door->options.asker_connections_max) == 0;
    link_connection(door, c, admit);
    if (uv_accept(server, &c->stream) < 0 || door->n_refused > REFUSED_MAX) {
        cut(c);
        return;
    }
    IGNORE(uv_tcp_nodelay(&c->tcp, 1)); /* answers are gathered here, not in the kernel */
    IGNORE(uv_tcp_keepalive(&c->tcp, 1, KEEPALIVE_S)); /* the idle timeout finds them too */
    if (!admission.has_room) {
        refuse(c, STATUS_BUSY, "there are too many connections");
    } else if (!admit) {
        refuse(c, STATUS_RATE_LIMITED, too_many_of_one);
    }
    advance(c);
}

void http_door_drain(struct http_door *door)
{
    struct http_connection *next;
    door->draining = true;
    for (struct http_connection *c = door->connections; c != NULL; c = next) {
        next = c->next;
        advance(c); /* a whole request that has arrived is refused by name */
        if (!c->closing && !c->in_flight && !c->no_more && c->stage != HTTP_STAGE_IDLE) {
            refuse(c, STATUS_SHUTTING_DOWN, "the daemon is shutting down");
        }
        c->no_more = true;
        advance(c);
    }
}

size_t http_door_count(const struct http_door *door)
{
    return door->n;
}

void http_door_close(struct http_door *door)
{
    while (door->connections != NULL) {
        cut(door->connections);
    }
    uv_close((uv_handle_t *)&door->sweep, NULL);
    free(door->read_buffer);
    door->read_buffer = NULL;
}
