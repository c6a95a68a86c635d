#include "billingd/net/http_dialogue.h"

#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/net/http_request.h"
#include "billingd/rpc/gate.h"

enum {
    READ_HERE_BYTES_MAX = 16 * 1024, /* of a body: a hundred items of a batch */
};

void http_dialogue_count(struct http_connection *c)
{
    connection_count(&c->base,
                     c->input.capacity + c->parser.head_text.capacity + c->parser.body.capacity);
}

/* --- answers ---------------------------------------------------------------------------------- */

void http_dialogue_note_stage(struct http_connection *c)
{
    if (c->stage != c->parser.stage) {
        c->stage = c->parser.stage;
        c->stage_us = clock_monotonic_us();
    }
}

void http_dialogue_stop(struct http_connection *c)
{
    c->base.no_more = true;
    c->base.refused = true;
    c->passing_by = false;
    io_buffer_free(&c->input);
    http_parser_reset(&c->parser);
    http_dialogue_note_stage(c);
}

/* The request that the parser holds is settled.  Where it is refused before its body has come, that
 * is passed by if it is known to come and to be small; else the connection ends.  A client that
 * waits for 100 (Continue) may send it or not. */
static void leave_message(struct http_connection *c)
{
    const struct http_parser *parser = &c->parser;
    bool small = parser->chunked || parser->length <= HTTP_SKIP_BYTES_MAX;
    if (parser->stage != HTTP_STAGE_BODY) {
        http_parser_reset(&c->parser);
    } else if (small && c->exchange.answer.keep_alive && !parser->message.expects_continue) {
        c->passing_by = true;
        http_parser_skip_body(&c->parser);
    } else {
        http_dialogue_stop(c);
    }
    c->continued = false;
    http_dialogue_note_stage(c);
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
        http_dialogue_count(c);
    }
    dispatch_answered(request);
    request_free(request);
    if (c->base.closed) {
        connection_release(&c->base);
    } else {
        connection_advance(&c->base);
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
    http_exchange_note(&c->exchange, &c->parser.message, &http_door_of(c)->options.guard);
    return true;
}

void http_dialogue_refuse(struct http_connection *c, int status, const char *reason)
{
    bool owed = !c->passing_by;
    if (owed && c->exchange.request == NULL && !begin_request(c)) {
        return;
    }
    log_debug(LOG_NET, "request refused", LOG_TEXT("door", "http"), LOG_TEXT("reason", reason));
    http_dialogue_stop(c);
    if (owed) {
        dispatch_refuse(c->exchange.request, status, "%s", reason);
    }
}

/* --- requests --------------------------------------------------------------------------------- */

/* What leads to no call is answered here. */
static void answer_myself(struct http_connection *c, struct request *request)
{
    settle_keep_alive(c);
    if (http_page_write(&c->exchange.answer, &http_door_of(c)->options.pages, request,
                        &c->base.out) < 0) {
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

/* Answer REQUEST, to which RC has been said.  What a page of another site made a browser send
 * counts for nobody: whose it is was not settled. */
static void answer_refusal(struct http_connection *c, struct request *request, int rc,
                           struct slice reason)
{
    bool one_too_many = rc == STATUS_RATE_LIMITED; /* the connection */
    bool counts = request->account.asker != NULL && !one_too_many;
    c->base.no_more |= one_too_many;
    if (counts && gate_is_too_often(request)) {
        return;
    }
    if (rc == STATUS_UNAUTHENTICATED || rc == STATUS_FORBIDDEN) {
        gate_refuse(request, request->method, rc);
    } else if (reason.length == 0) {
        dispatch_fail(request, rc);
    } else {
        dispatch_refuse(request, rc, "%.*s", (int)reason.length, reason.data);
    }
}

bool http_dialogue_take_head(struct http_connection *c, bool body_follows)
{
    struct slice reason = {0};
    if (!begin_request(c)) {
        return false;
    }
    struct request *request = c->exchange.request;
    int rc =
        http_exchange_check(&c->exchange, &c->parser.message, &http_door_of(c)->options.guard,
                            &c->base.caller, c->base.all->options.asker_connections_max, &reason);
    if (rc < 0) {
        answer_refusal(c, request, rc, reason);
        return false;
    }
    if (!http_exchange_wants_body(&c->exchange)) {
        http_parser_skip_body(&c->parser);
    }
    return !body_follows || request->method == NULL ||
           dispatch_invites(c->base.all->dispatch, request);
}

/* REQUEST's message is made, or RC says why not: the parser's is not needed any more. */
static void hand_on(struct http_connection *c, struct request *request, int rc)
{
    leave_message(c);
    http_dialogue_count(c); /* before it is asked whether there is memory for the request */
    if (rc < 0) {
        answer_refusal(c, request, rc, c->exchange.reason);
    } else {
        dispatch_submit(c->base.all->dispatch, request);
    }
}

/* Any thread, while no other has the request. */
static int read_message(struct request *request)
{
    struct http_connection *c = request->door;
    return http_request_fill(request, &c->exchange.match, &c->parser.message, &c->exchange.reason);
}

static void read_done_cb(struct request *request, int status)
{
    struct http_connection *c = request->door;
    c->lent = false;
    gate_confirm(request, &c->base.caller.who); /* its key may have been revoked meanwhile */
    hand_on(c, request, status);
}

/* A long body is read by a worker; meanwhile it stays in the parser. */
static void take_call(struct http_connection *c, struct request *request)
{
    static const struct request_reading reading = {read_message, read_done_cb};
    size_t bytes = c->parser.message.body.length;
    c->base.in_flight = 1;
    if (bytes <= READ_HERE_BYTES_MAX) {
        hand_on(c, request, read_message(request));
        return;
    }
    c->lent = true;
    c->exchange.reason = (struct slice){0}; /* where it is not even read */
    dispatch_read(c->base.all->dispatch, request, bytes, &reading);
}

void http_dialogue_take_message(struct http_connection *c)
{
    struct slice reason = {0};
    struct request *request = c->exchange.request;
    request->received_us = clock_monotonic_us(); /* its body may have been long on its way */
    int rc = http_exchange_confirm(&c->exchange, &c->parser.message, &c->base.caller, &reason);
    if (rc < 0) {
        answer_refusal(c, request, rc, reason);
        return;
    }
    c->exchange.request = NULL;
    if (http_exchange_is_call(&c->exchange)) {
        take_call(c, request);
        return;
    }
    leave_message(c);
    if (c->exchange.answer.preflight || !gate_is_too_often(request)) {
        answer_page(c, request); /* a preflight has no key to say whose it is */
    }
}
