#include "billingd/net/http_connection.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/net/http_answer.h"
#include "billingd/net/http_exchange.h"
#include "billingd/net/http_page.h"
#include "billingd/net/http_request.h"
#include "billingd/rpc/gate.h"

enum {
    INPUT_HIGH_BYTES = 64 * 1024, /* pipelined: no more is read above it */
    OUT_HIGH_BYTES = 256 * 1024,  /* answers not taken: no more is parsed above it */
    SKIP_BYTES_MAX = 64 * 1024, /* of a body that nobody wants: a longer one ends the connection */
    TURN_REQUESTS = 16,         /* of one asker in a turn of the loop */
    KEEPALIVE_S = 60,           /* TCP probes, for peers that vanished */
};

struct http_connection {
    struct connection base;
    struct http_parser parser;
    struct io_buffer input;        /* arrived, not yet parsed */
    struct http_exchange exchange; /* of the request that is arriving, or in flight */
    bool continued;                /* 100 (Continue) was sent for the request that is arriving */
    bool passing_by;               /* what is arriving is the rest of a request that is answered */
    bool advancing;        /* advance() is at work: an answer that comes now needs no other one */
    enum http_stage stage; /* of the request that is arriving, */
    int64_t stage_us;      /* and since when; monotonic */
};

static void advance(struct http_connection *c);

static struct http_connection *http_of(struct connection *c)
{
    return (struct http_connection *)c; /* which it begins with */
}

static struct http_door *door_of(const struct http_connection *c)
{
    return (struct http_door *)c->base.all; /* likewise */
}

static size_t unwritten(const struct http_connection *c)
{
    return connection_unwritten(&c->base);
}

static void count_bytes(struct http_connection *c)
{
    connection_count(&c->base,
                     c->input.capacity + c->parser.head_text.capacity + c->parser.body.capacity);
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
    c->base.no_more = true;
    c->base.refused = true;
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
    answer->keep_alive = answer->keep_alive && !c->base.no_more && !c->base.all->draining;
    c->base.no_more |= !answer->keep_alive;
}

static void reply_cb(struct request *request)
{
    struct http_connection *c = request->door;
    c->base.in_flight = 0;
    if (c->exchange.request == request) { /* it was not even handed on */
        c->exchange.request = NULL;
        leave_message(c);
    }
    if (!c->base.closing) {
        settle_keep_alive(c);
        if (http_answer_write(&c->exchange.answer, request, &c->base.out) < 0) {
            connection_cut(&c->base); /* no memory for it: the client will ask again */
        }
        count_bytes(c);
    }
    dispatch_answered(request);
    request_free(request);
    if (c->base.closed) {
        connection_release(&c->base);
    } else {
        advance(c);
    }
}

/* Make the request that is arriving.  Returns false where there is no memory; then the connection
 * is cut. */
static bool begin_request(struct http_connection *c)
{
    struct request *request = request_create(c->base.all->dispatch, &c->base.caller.who,
                                             http_request_arena_bytes(0), reply_cb, c);
    if (request == NULL) {
        connection_cut(&c->base);
        return false;
    }
    request->came_by = REQUEST_HTTP;
    c->exchange.request = request;
    http_exchange_note(&c->exchange, &c->parser.message, &door_of(c)->options.guard);
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
    const struct asker *asker = c->base.caller.account.asker;
    return door_of(c)->options.turn != NULL && !c->base.all->draining &&
           asker->http_turn == turn_of(door_of(c)) && asker->in_http_turn >= TURN_REQUESTS;
}

static void note_turn(const struct http_connection *c)
{
    struct asker *asker = c->base.caller.account.asker;
    uint64_t turn = turn_of(door_of(c));
    asker->in_http_turn = asker->http_turn == turn ? asker->in_http_turn + 1 : 1;
    asker->http_turn = turn;
}

/* --- requests --------------------------------------------------------------------------------- */

/* What leads to no call is answered here. */
static void answer_myself(struct http_connection *c, struct request *request)
{
    settle_keep_alive(c);
    if (http_page_write(&c->exchange.answer, &door_of(c)->options.pages, request, &c->base.out) <
        0) {
        connection_cut(&c->base);
    }
    dispatch_answered(request);
    request_free(request);
}

/* A page is memory as any answer is. */
static void answer_page(struct http_connection *c, struct request *request)
{
    if (account_is_full(&c->base.caller.account)) {
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
    c->base.no_more |= one_too_many;
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
    int rc =
        http_exchange_check(&c->exchange, &c->parser.message, &door_of(c)->options.guard,
                            &c->base.caller, door_of(c)->options.asker_connections_max, &reason);
    note_turn(c);
    if (rc < 0) {
        answer_refusal(c, rc, reason);
        return false;
    }
    if (!http_exchange_wants_body(&c->exchange)) {
        http_parser_skip_body(&c->parser);
    }
    return !body_follows || request->method == NULL ||
           dispatch_invites(c->base.all->dispatch, request);
}

/* Hand the request on that the parser has made whole. */
static void take_message(struct http_connection *c)
{
    struct slice reason = {0};
    struct request *request = c->exchange.request;
    request->received_us = clock_monotonic_us(); /* its body may have been long on its way */
    int rc = http_exchange_fill(&c->exchange, &c->parser.message, &c->base.caller, &reason);
    if (rc < 0) {
        answer_refusal(c, rc, reason);
        return;
    }
    c->exchange.request = NULL;
    leave_message(c);
    if (http_exchange_is_call(&c->exchange)) {
        c->base.in_flight = 1;
        dispatch_submit(c->base.all->dispatch, request);
    } else if (c->exchange.answer.preflight || !gate_is_too_often(request)) {
        answer_page(c, request); /* a preflight has no key to say whose it is */
    }
}

/* --- input ------------------------------------------------------------------------------------ */

/* One in flight is fair: a queue that fills up holds nobody back, and answers busy when full; so
 * does memory, but to those who take their answers. */
static bool may_take(const struct http_connection *c)
{
    return c->base.in_flight == 0 && !c->base.no_more && !c->base.closing &&
           unwritten(c) < OUT_HIGH_BYTES &&
           (unwritten(c) == 0 || !account_is_full(&c->base.caller.account));
}

static void send_continue(struct http_connection *c)
{
    if (!c->continued && http_parser_awaits_continue(&c->parser)) {
        c->continued = true;
        if (io_buffer_append(&c->base.out, SLICE("HTTP/1.1 100 Continue\r\n\r\n")) < 0) {
            connection_cut(&c->base);
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
    } else if (caller_may_hold(&c->base.caller)) {
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
    if (may_take(c) && io_buffer_left(&c->input) > 0) {
        turn_queue_wait(&c->base.all->waiting, &c->base.next_turn, heard);
    }
}

static void end_input(struct http_connection *c)
{
    bool asked = io_buffer_left(&c->input) > 0;
    if (!c->base.input_ended || c->base.no_more || asked || !may_take(c)) {
        return;
    }
    if (c->parser.stage != HTTP_STAGE_IDLE) {
        refuse(c, STATUS_MALFORMED_HTTP, "the connection ended within a request");
    }
    c->base.no_more = true;
}

static uv_buf_t space_cb(struct connection *base)
{
    return uv_buf_init(door_of(http_of(base))->read_buffer, CONNECTION_READ_BYTES);
}

static void arrived_cb(struct connection *base, struct slice bytes)
{
    if (io_buffer_append(&http_of(base)->input, bytes) < 0) {
        connection_cut(base);
    }
}

/* Read while what comes could be taken soon, or is only dropped. */
static void set_reading(struct http_connection *c)
{
    bool idle = c->base.in_flight == 0 && unwritten(c) == 0 && !c->base.next_turn.waits;
    bool room = io_buffer_left(&c->input) < INPUT_HIGH_BYTES && unwritten(c) < OUT_HIGH_BYTES &&
                (idle || !account_is_full(&c->base.caller.account));
    connection_want_reading(&c->base, c->base.no_more || room);
}

/* Take all that can be taken now, write what there is to write, and settle whether to go on, to
 * wait or to end.  Answers may come while it is at work: they are part of what it does. */
static void advance(struct http_connection *c)
{
    if (c->base.closing || c->advancing) {
        return;
    }
    c->advancing = true;
    take_input(c);
    if (!c->base.closing) {
        end_input(c);
    }
    if (!c->base.closing) {
        IGNORE(connection_flush(&c->base)); /* what is left is waited for */
    }
    if (!c->base.closing) {
        set_reading(c);
    }
    count_bytes(c);
    if (!c->base.closing && c->base.no_more && c->base.in_flight == 0 && unwritten(c) == 0) {
        connection_finish(&c->base);
    }
    c->advancing = false;
}

/* --- deadlines -------------------------------------------------------------------------------- */

static const char *overdue_cb(const struct connection *base, int64_t now_us)
{
    const struct http_connection *c = (const struct http_connection *)base;
    const struct http_options *options = &door_of(c)->options;
    if (c->stage != HTTP_STAGE_IDLE) {
        return NULL; /* check_arrival_cb() has an answer for it */
    }
    if (caller_is_late(&base->caller, options->head_timeout_ms, now_us)) {
        return "it showed no key";
    }
    return connection_is_over(base->active_us, options->idle_timeout_ms, now_us) ? "idle" : NULL;
}

/* Refuse a request that takes too long to arrive; time in which we would not read is not the
 * client's. */
static void check_arrival_cb(struct connection *base, int64_t now_us)
{
    struct http_connection *c = http_of(base);
    const struct http_options *options = &door_of(c)->options;
    if (!may_take(c)) {
        c->stage_us = now_us;
    } else if (c->stage == HTTP_STAGE_HEAD &&
               connection_is_over(c->stage_us, options->head_timeout_ms, now_us)) {
        refuse(c, STATUS_REQUEST_TIMEOUT, "the head took too long to arrive");
    } else if (c->stage == HTTP_STAGE_BODY &&
               connection_is_over(c->stage_us, options->body_timeout_ms, now_us)) {
        refuse(c, STATUS_REQUEST_TIMEOUT, "the body took too long to arrive");
    }
}

/* --- the protocol ----------------------------------------------------------------------------- */

static void begin_cb(struct connection *base)
{
    struct http_connection *c = http_of(base);
    http_parser_init(&c->parser, &door_of(c)->limits);
}

static void end_cb(struct connection *base)
{
    struct http_connection *c = http_of(base);
    request_free(c->exchange.request);
    c->exchange.request = NULL;
    http_parser_reset(&c->parser);
    io_buffer_free(&c->input);
}

static void advance_cb(struct connection *base)
{
    advance(http_of(base));
}

static void refuse_cb(struct connection *base, int status, const char *reason)
{
    refuse(http_of(base), status, reason);
}

static void drain_cb(struct connection *base)
{
    struct http_connection *c = http_of(base);
    advance(c); /* a whole request that has arrived is refused by name */
    if (!base->closing && base->in_flight == 0 && !base->no_more && c->stage != HTTP_STAGE_IDLE) {
        refuse(c, STATUS_SHUTTING_DOWN, "the daemon is shutting down");
    }
    base->no_more = true;
    advance(c);
}

static const struct connection_protocol protocol = {
    .door = "http",
    .over_tcp = REQUEST_HTTP,
    .keepalive_s = KEEPALIVE_S,
    .connection_bytes = sizeof(struct http_connection),
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

/* --- the door --------------------------------------------------------------------------------- */

static struct connections_options common_options(const struct http_options *options)
{
    return (struct connections_options){
        .protocol = &protocol,
        .asker_connections_max = options->asker_connections_max,
        .write_timeout_ms = options->write_timeout_ms,
    };
}

static size_t or_default(size_t value, size_t fallback)
{
    return value == 0 ? fallback : value;
}

void http_door_adjust(struct http_door *door, const struct http_options *options)
{
    door->options = *options;
    door->connections.options = common_options(options);
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
    struct connections_options common = common_options(options);
    *door = (struct http_door){.read_buffer = malloc(CONNECTION_READ_BYTES)};
    INVARIANT(door->read_buffer != NULL);
    connections_init(&door->connections, loop, dispatch, &common);
    http_door_adjust(door, options);
}

void http_door_close(struct http_door *door)
{
    connections_close(&door->connections);
    free(door->read_buffer);
    door->read_buffer = NULL;
}
