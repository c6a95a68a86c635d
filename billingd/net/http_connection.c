#include "billingd/net/http_connection.h"

#include "billingd/net/http_dialogue.h"

enum {
    INPUT_HIGH_BYTES = 64 * 1024, /* pipelined: no more is read above it */
    OUT_HIGH_BYTES = 256 * 1024,  /* answers not taken: no more is parsed above it */
    TURN_REQUESTS = 16,           /* of one asker in a turn of the loop */
};

static void advance(struct http_connection *c);

static size_t unwritten(const struct http_connection *c)
{
    return connection_unwritten(&c->base);
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
    return http_door_of(c)->options.turn != NULL && !c->base.all->draining &&
           asker->http_turn == turn_of(http_door_of(c)) && asker->in_http_turn >= TURN_REQUESTS;
}

static void note_turn(const struct http_connection *c)
{
    struct asker *asker = c->base.caller.account.asker;
    uint64_t turn = turn_of(http_door_of(c));
    asker->in_http_turn = asker->http_turn == turn ? asker->in_http_turn + 1 : 1;
    asker->http_turn = turn;
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
    } else if (c->parser.arrived > HTTP_SKIP_BYTES_MAX) {
        http_dialogue_stop(c);
    }
}

/* Take the head that is whole.  Returns whether the request goes on. */
static bool hear(struct http_connection *c, bool body_follows)
{
    bool goes_on = http_dialogue_take_head(c, body_follows);
    if (!c->base.closing) { /* else it is nobody's any more */
        note_turn(c);
    }
    return goes_on;
}

/* All is well with what the parser has seen of a request. */
static void go_on(struct http_connection *c, bool whole)
{
    bool has_head = whole || c->parser.stage == HTTP_STAGE_BODY;
    if (has_head && c->exchange.request == NULL && !hear(c, !whole)) {
        return;
    }
    http_dialogue_count(c);
    if (whole) {
        http_dialogue_take_message(c);
    } else if (caller_may_hold(&c->base.caller)) {
        send_continue(c);
    } else {
        http_dialogue_refuse(c, STATUS_BUSY, "too much is arriving at once; send it again later");
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
            http_dialogue_refuse(c, rc, c->parser.reason);
        } else if (c->passing_by) {
            pass_by(c, rc == 0);
        } else {
            go_on(c, rc == 0);
        }
        http_dialogue_note_stage(c);
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
        http_dialogue_refuse(c, STATUS_MALFORMED_HTTP, "the connection ended within a request");
    }
    c->base.no_more = true;
}

static uv_buf_t space_cb(struct connection *base)
{
    return uv_buf_init(http_door_of(http_of(base))->read_buffer, CONNECTION_READ_BYTES);
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
    http_dialogue_count(c);
    if (!c->base.closing && c->base.no_more && c->base.in_flight == 0 && unwritten(c) == 0) {
        connection_finish(&c->base);
    }
    c->advancing = false;
}

/* --- deadlines -------------------------------------------------------------------------------- */

static const char *overdue_cb(const struct connection *base, int64_t now_us)
{
    const struct http_connection *c = (const struct http_connection *)base;
    const struct http_options *options = &http_door_of(c)->options;
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
    const struct http_options *options = &http_door_of(c)->options;
    if (!may_take(c)) {
        c->stage_us = now_us;
    } else if (c->stage == HTTP_STAGE_HEAD &&
               connection_is_over(c->stage_us, options->head_timeout_ms, now_us)) {
        http_dialogue_refuse(c, STATUS_REQUEST_TIMEOUT, "the head took too long to arrive");
    } else if (c->stage == HTTP_STAGE_BODY &&
               connection_is_over(c->stage_us, options->body_timeout_ms, now_us)) {
        http_dialogue_refuse(c, STATUS_REQUEST_TIMEOUT, "the body took too long to arrive");
    }
}

/* --- the protocol ----------------------------------------------------------------------------- */

static void begin_cb(struct connection *base)
{
    struct http_connection *c = http_of(base);
    http_parser_init(&c->parser, &http_door_of(c)->limits);
}

static void end_cb(struct connection *base)
{
    struct http_connection *c = http_of(base);
    request_free(c->exchange.request);
    c->exchange.request = NULL;
    if (!c->lent) { /* else it is as soon as it comes back */
        http_parser_reset(&c->parser);
    }
    io_buffer_free(&c->input);
}

static void advance_cb(struct connection *base)
{
    advance(http_of(base));
}

static void refuse_cb(struct connection *base, int status, const char *reason)
{
    http_dialogue_refuse(http_of(base), status, reason);
}

static void drain_cb(struct connection *base)
{
    struct http_connection *c = http_of(base);
    advance(c); /* a whole request that has arrived is refused by name */
    if (!base->closing && base->in_flight == 0 && !base->no_more && c->stage != HTTP_STAGE_IDLE) {
        http_dialogue_refuse(c, STATUS_SHUTTING_DOWN, "the daemon is shutting down");
    }
    base->no_more = true;
    advance(c);
}

const struct connection_protocol http_protocol = {
    .door = "http",
    .over_tcp = REQUEST_HTTP,
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
