#include "billingd/net/http_connection.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/net/caller.h"
#include "billingd/net/http_answer.h"
#include "billingd/net/http_exchange.h"
#include "billingd/net/http_page.h"
#include "billingd/net/http_request.h"
#include "billingd/net/io_buffer.h"
#include "billingd/rpc/gate.h"

enum {
    READ_BYTES = 64 * 1024,       /* asked of the kernel at once */
    INPUT_HIGH_BYTES = 64 * 1024, /* pipelined: no more is read above it */
    OUT_HIGH_BYTES = 256 * 1024,  /* answers not taken: no more is parsed above it */
    LINGER_MS = 2000,             /* for a client to read its refusal */
    SKIP_BYTES_MAX = 64 * 1024, /* of a body that nobody wants: a longer one ends the connection */
    TURN_REQUESTS = 16,         /* of one asker in a turn of the loop */
    REFUSED_MAX = 64,           /* connections that linger only to read that they are too many */
    KEEPALIVE_S = 60,           /* TCP probes, for peers that vanished */
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

    struct caller caller; /* whose it is */

    struct http_parser parser;
    struct io_buffer input;        /* arrived, not yet parsed */
    struct http_exchange exchange; /* of the request that is arriving, or in flight */

    struct io_buffer out;     /* answers, not yet given to the kernel */
    struct io_buffer writing; /* what uv_write() is at */
    uv_write_t write;
    uv_shutdown_t shutdown;

    bool admitted;    /* else it is told that there are too many, and counts apart */
    bool in_flight;   /* a request is submitted and not yet answered */
    bool continued;   /* 100 (Continue) was sent for the request that is arriving */
    bool passing_by;  /* what is arriving is the rest of a request that is answered */
    bool advancing;   /* advance() is at work: an answer that comes now needs no other one */
    bool reading;     /* uv reads from it */
    bool input_ended; /* the client sends no more */
    bool no_more;     /* no further request is taken; input is dropped */
    bool refused;     /* by us, in the middle: the client may still be sending */
    bool shutting;    /* our side is, or is being, shut down */
    bool closing;     /* uv_close() was called */
    bool closed;      /* and is through */
    struct turn_waiter next_turn;

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
    request_free(c->exchange.request);
    c->exchange.request = NULL;
    http_parser_reset(&c->parser);
    io_buffer_free(&c->input);
    io_buffer_free(&c->out);
    io_buffer_free(&c->writing);
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
        account_count(&c->caller.account, c->input.capacity + c->parser.head_text.capacity +
                                              c->parser.body.capacity + c->out.capacity +
                                              c->writing.capacity);
    }
}

static size_t unwritten(const struct http_connection *c)
{
    return io_buffer_rest(&c->out).length + io_buffer_rest(&c->writing).length;
}

static void written_cb(uv_write_t *write, int status)
{
    struct http_connection *c = write->data;
    io_buffer_free(&c->writing);
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
    struct slice rest = io_buffer_rest(&c->out);
    if (rest.length == 0 || io_buffer_rest(&c->writing).length > 0) {
        return; /* written_cb() goes on */
    }
    uv_buf_t bytes = buf_of(rest);
    int n = uv_try_write(&c->stream, &bytes, 1);
    if (n < 0 && n != UV_EAGAIN) {
        cut(c);
        return;
    }
    c->active_us = clock_monotonic_us();
    io_buffer_take(&c->out, n < 0 ? 0 : (size_t)n);
    rest = io_buffer_rest(&c->out);
    if (rest.length == 0) {
        return;
    }
    c->stuck_us = c->active_us;
    c->writing = c->out;
    c->out = (struct io_buffer){0};
    c->write.data = c;
    bytes = buf_of(rest);
    if (uv_write(&c->write, &c->stream, &bytes, 1, written_cb) < 0) {
        cut(c);
    }
}

/* --- answers ---------------------------------------------------------------------------------- */

static void note_stage(struct http_connection *c)
{
    if (c->stage != c->parser.stage) {
        c->stage = c->parser.stage;
        c->stage_us = clock_monotonic_us();
    }
}

/* Take no more: nobody knows where a next request would begin. */
static void stop_taking(struct http_connection *c)
{
    c->no_more = true;
    c->refused = true;
    c->passing_by = false;
    io_buffer_free(&c->input);
    http_parser_reset(&c->parser);
    note_stage(c);
}

/* The request that the parser holds is settled.  Where it is refused before its body has come, that
 * is passed by if it is known to come and to be small; else the connection ends.  A client that
 * waits for 100 (Continue) may send it or not. */
static void leave_message(struct http_connection *c)
{
    const struct http_parser *parser = &c->parser;
    bool small = parser->chunked || parser->length <= SKIP_BYTES_MAX;
    if (parser->stage != HTTP_STAGE_BODY) {
        http_parser_reset(&c->parser);
    } else if (small && c->exchange.answer.keep_alive && !parser->message.expects_continue) {
        c->passing_by = true;
        http_parser_skip_body(&c->parser);
    } else {
        stop_taking(c);
    }
    c->continued = false;
}

/* What is behind this answer on the connection is decided now, since its head says so. */
static void settle_keep_alive(struct http_connection *c)
{
    struct http_answer *answer = &c->exchange.answer;
    answer->keep_alive = answer->keep_alive && !c->no_more && !c->door->draining;
    c->no_more |= !answer->keep_alive;
}

static void reply_cb(struct request *request)
{
    struct http_connection *c = request->door;
    c->in_flight = false;
    if (c->exchange.request == request) { /* it was not even handed on */
        c->exchange.request = NULL;
        leave_message(c);
    }
    if (!c->closing) {
        settle_keep_alive(c);
        if (http_answer_write(&c->exchange.answer, request, &c->out) < 0) {
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

/* Make the request that is arriving.  Returns false where there is no memory; then the connection
 * is cut. */
static bool begin_request(struct http_connection *c)
{
    struct request *request =
        request_create(c->door->dispatch, &c->caller.who, http_request_arena_bytes(0), reply_cb, c);
    if (request == NULL) {
        cut(c);
        return false;
    }
    request->came_by = REQUEST_HTTP;
    c->exchange.request = request;
    http_exchange_note(&c->exchange, &c->parser.message, &c->door->options.guard);
    return true;
}

/* Answer what cannot be taken, and take no more.  What was answered already is not answered again.
 */
static void refuse(struct http_connection *c, int status, const char *reason)
{
    bool owed = !c->passing_by;
    if (owed && c->exchange.request == NULL && !begin_request(c)) {
        return;
    }
    log_debug(LOG_NET, "request refused", LOG_TEXT("door", "http"), LOG_TEXT("reason", reason));
    stop_taking(c);
    if (owed) {
        dispatch_refuse(c->exchange.request, status, "%s", reason);
    }
}

/* --- turns ------------------------------------------------------------------------------------ */

static uint64_t turn_of(const struct http_door *door)
{
    return door->options.turn == NULL ? 0 : *door->options.turn;
}

/* Whether its asker has been heard enough in this turn of the loop. */
static bool is_turn_over(const struct http_connection *c)
{
    const struct asker *asker = c->caller.account.asker;
    return c->door->options.turn != NULL && !c->door->draining &&
           asker->http_turn == turn_of(c->door) && asker->in_http_turn >= TURN_REQUESTS;
}

static void note_turn(const struct http_connection *c)
{
    struct asker *asker = c->caller.account.asker;
    uint64_t turn = turn_of(c->door);
    asker->in_http_turn = asker->http_turn == turn ? asker->in_http_turn + 1 : 1;
    asker->http_turn = turn;
}

static void go_on_cb(void *connection)
{
    advance(connection); /* which may cut it, and others */
}

void http_door_turn(struct http_door *door)
{
    turn_queue_go_on(&door->waiting);
}

/* --- requests --------------------------------------------------------------------------------- */

/* What leads to no call is answered here. */
static void answer_myself(struct http_connection *c, struct request *request)
{
    settle_keep_alive(c);
    if (http_page_write(&c->exchange.answer, &c->door->options.pages, request, &c->out) < 0) {
        cut(c);
    }
    dispatch_answered(request);
    request_free(request);
}

/* A page is memory as any answer is. */
static void answer_page(struct http_connection *c, struct request *request)
{
    if (account_is_full(&c->caller.account)) {
        dispatch_refuse(request, STATUS_BUSY, "too much is waiting to be taken; ask again later");
    } else {
        answer_myself(c, request);
    }
}

/* Answer the request that is arriving, to which RC has been said.  What a page of another site made
 * a browser send counts for nobody: whose it is was not settled. */
static void answer_refusal(struct http_connection *c, int rc, struct slice reason)
{
    struct request *request = c->exchange.request;
    bool one_too_many = rc == STATUS_RATE_LIMITED; /* the connection */
    bool counts = request->account.asker != NULL && !one_too_many;
    c->no_more |= one_too_many;
    if (counts && gate_is_too_often(request)) {
        return;
    }
    if (rc == STATUS_UNAUTHENTICATED || rc == STATUS_FORBIDDEN) {
        gate_refuse(request, request->method, rc);
    } else {
        dispatch_refuse(request, rc, "%.*s", (int)reason.length, reason.data);
    }
}

/* The head that the parser holds is whole: settle who asks, and whether that may be had, before any
 * of a body is taken.  Returns whether the request goes on; else it is answered. */
static bool take_head(struct http_connection *c, bool body_follows)
{
    struct slice reason = {0};
    if (!begin_request(c)) {
        return false;
    }
    struct request *request = c->exchange.request;
    int rc = http_exchange_check(&c->exchange, &c->parser.message, &c->door->options.guard,
                                 &c->caller, c->door->options.asker_connections_max, &reason);
    note_turn(c);
    if (rc < 0) {
        answer_refusal(c, rc, reason);
        return false;
    }
    if (!http_exchange_wants_body(&c->exchange)) {
        http_parser_skip_body(&c->parser);
    }
    return !body_follows || request->method == NULL || dispatch_invites(c->door->dispatch, request);
}

/* Hand the request on that the parser has made whole. */
static void take_message(struct http_connection *c)
{
    struct slice reason = {0};
    struct request *request = c->exchange.request;
    request->received_us = clock_monotonic_us(); /* its body may have been long on its way */
    int rc = http_exchange_fill(&c->exchange, &c->parser.message, &c->caller, &reason);
    if (rc < 0) {
        answer_refusal(c, rc, reason);
        return;
    }
    c->exchange.request = NULL;
    leave_message(c);
    if (http_exchange_is_call(&c->exchange)) {
        c->in_flight = true;
        dispatch_submit(c->door->dispatch, request);
    } else if (c->exchange.answer.preflight || !gate_is_too_often(request)) {
        answer_page(c, request); /* a preflight has no key to say whose it is */
    }
}

/* --- input ------------------------------------------------------------------------------------ */

/* One in flight is fair: a queue that fills up holds nobody back, and answers busy when full; so
 * does memory, but to those who take their answers. */
static bool may_take(const struct http_connection *c)
{
    return !c->in_flight && !c->no_more && !c->closing && unwritten(c) < OUT_HIGH_BYTES &&
           (unwritten(c) == 0 || !account_is_full(&c->caller.account));
}

static void send_continue(struct http_connection *c)
{
    if (!c->continued && http_parser_awaits_continue(&c->parser)) {
        c->continued = true;
        if (io_buffer_append(&c->out, SLICE("HTTP/1.1 100 Continue\r\n\r\n")) < 0) {
            cut(c);
        }
    }
}

/* What is still to come of a request that is answered. */
static void pass_by(struct http_connection *c, bool whole)
{
    if (whole) {
        c->passing_by = false;
        http_parser_reset(&c->parser);
    } else if (c->parser.arrived > SKIP_BYTES_MAX) {
        stop_taking(c);
    }
}

/* All is well with what the parser has seen of a request. */
static void go_on(struct http_connection *c, bool whole)
{
    bool has_head = whole || c->parser.stage == HTTP_STAGE_BODY;
    if (has_head && c->exchange.request == NULL && !take_head(c, !whole)) {
        return;
    }
    count_bytes(c);
    if (whole) {
        take_message(c);
    } else if (caller_may_hold(&c->caller)) {
        send_continue(c);
    } else {
        refuse(c, STATUS_BUSY, "too much is arriving at once; send it again later");
    }
}

static void take_input(struct http_connection *c)
{
    struct slice input;
    bool heard = false;
    while (may_take(c) && !is_turn_over(c) && (input = io_buffer_rest(&c->input)).length > 0) {
        size_t used = 0;
        heard = true;
        int rc = http_parser_feed(&c->parser, input.data, input.length, &used);
        io_buffer_take(&c->input, used);
        if (rc < 0 && rc != STATUS_NEED_MORE) {
            refuse(c, rc, c->parser.reason);
        } else if (c->passing_by) {
            pass_by(c, rc == 0);
        } else {
            go_on(c, rc == 0);
        }
        note_stage(c);
    }
    if (may_take(c) && io_buffer_rest(&c->input).length > 0) {
        turn_queue_wait(&c->door->waiting, &c->next_turn, heard);
    }
}

static void end_input(struct http_connection *c)
{
    bool asked = io_buffer_rest(&c->input).length > 0;
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
               io_buffer_append(&c->input, (struct slice){buffer->base, (size_t)n}) < 0) {
        cut(c);
    }
    advance(c);
}

/* Read while what comes could be taken soon, or is only dropped. */
static void set_reading(struct http_connection *c)
{
    bool idle = !c->in_flight && unwritten(c) == 0 && !c->next_turn.waits;
    bool room = io_buffer_rest(&c->input).length < INPUT_HIGH_BYTES &&
                unwritten(c) < OUT_HIGH_BYTES && (idle || !account_is_full(&c->caller.account));
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
    if (idle && caller_is_late(&c->caller, options->head_timeout_ms, now_us)) {
        return "it showed no key";
    }
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
        caller_check_key(&c->caller, c->door->options.asker_connections_max);
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
}

void http_door_init(struct http_door *door, uv_loop_t *loop, struct dispatch *dispatch,
                    const struct http_options *options)
{
    *door = (struct http_door){.loop = loop, .dispatch = dispatch};
    http_door_adjust(door, options);
    door->read_buffer = malloc(READ_BYTES);
    INVARIANT(door->read_buffer != NULL);
    door->sweep.data = door;
    turn_queue_init(&door->waiting, loop);
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

void http_door_apply_rules(struct http_door *door)
{
    for (struct http_connection *c = door->connections; c != NULL; c = c->next) {
        caller_apply_rules(&c->caller, -1, NULL, door->options.asker_connections_max);
    }
}

static void turn_away_cb(void *connection)
{
    log_debug(LOG_NET, "connection cut", LOG_TEXT("door", "http"),
              LOG_TEXT("reason", "it showed no key, and others came"));
    cut(connection);
}

static struct http_connection *make_connection(struct http_door *door)
{
    struct http_connection *c = calloc(1, sizeof *c);
    INVARIANT(c != NULL);
    c->door = door;
    INVARIANT(uv_tcp_init(door->loop, &c->tcp) == 0);
    c->handle.data = c;
    c->caller.newcomer = (struct newcomer){.turn_away = turn_away_cb, .connection = c};
    c->next_turn = (struct turn_waiter){.go_on = go_on_cb, .connection = c};
    http_parser_init(&c->parser, &door->limits);
    c->active_us = clock_monotonic_us();
    return c;
}

void http_door_accept(struct http_door *door, uv_stream_t *server, struct admission admission)
{
    struct http_connection *c = make_connection(door);
    bool fits = caller_enter(&c->caller, door->dispatch, &admission, -1, NULL,
                             door->options.asker_connections_max) == 0;
    link_connection(door, c, admission.has_room && fits);
    if (uv_accept(server, &c->stream) < 0 || door->n_refused > REFUSED_MAX) {
        cut(c);
        return;
    }
    IGNORE(uv_tcp_nodelay(&c->tcp, 1)); /* answers are gathered here, not in the kernel */
    IGNORE(uv_tcp_keepalive(&c->tcp, 1, KEEPALIVE_S)); /* the idle timeout finds them too */
    if (!admission.has_room) {
        refuse(c, STATUS_BUSY, "there are too many connections");
    } else if (!fits) {
        refuse(c, STATUS_RATE_LIMITED, caller_too_many);
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
    turn_queue_close(&door->waiting);
    uv_close((uv_handle_t *)&door->sweep, NULL);
    free(door->read_buffer);
    door->read_buffer = NULL;
}
