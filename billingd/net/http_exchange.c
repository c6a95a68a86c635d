#include "billingd/net/http_exchange.h"

#include "billingd/base/assert.h"
#include "billingd/net/http_authorize.h"
#include "billingd/net/http_request.h"
#include "billingd/rpc/gate.h"

void http_exchange_note(struct http_exchange *exchange, const struct http_message *message,
                        const struct http_guard *guard)
{
    struct request *request = exchange->request;
    struct arena *arena = &request->arena;
    struct http_answer *answer = &exchange->answer;
    *answer = (struct http_answer){
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
        IGNORE(arena_copy(arena, message->headers[HTTP_ORIGIN], &answer->origin));
    }
    IGNORE(arena_copy(arena, message->headers[HTTP_X_REQUEST_ID], &answer->request_id));
    /* where it is not copied a new one is made */
    IGNORE(arena_copy(arena, message->headers[HTTP_TRACEPARENT], &request->traceparent));
    /* likewise it is in no trace */
}

/* Refuse what a page that is none of ours may have made a browser send.  Health is told to all: who
 * probes it may know the daemon by any name. */
static int check_guard(const struct http_exchange *exchange, const struct http_message *message,
                       const struct http_guard *guard, struct slice *reterr)
{
    const struct method *method = exchange->request->method;
    bool health = method != NULL && method->role == ROLE_NONE;
    struct slice host = message->headers[HTTP_HOST];
    if (host.data != NULL && !health && !http_guard_knows_host(guard, host)) {
        *reterr = SLICE("the Host header names none of http_hosts");
        return STATUS_HOST_NOT_ALLOWED;
    }
    if (message->headers[HTTP_ORIGIN].data != NULL && exchange->answer.origin.length == 0) {
        *reterr = SLICE("the Origin header names none of http_origins");
        return STATUS_ORIGIN_NOT_ALLOWED;
    }
    return 0;
}

/* OPTIONS says what there is, not what is in it. */
static bool is_options(const struct http_exchange *exchange)
{
    return exchange->request->page == REQUEST_OPTIONS;
}

/* Look up what MESSAGE leads to. */
static void find_route(struct http_exchange *exchange, const struct http_message *message)
{
    struct request *request = exchange->request;
    struct http_match *match = &exchange->match;
    *match = (struct http_match){0};
    exchange->found =
        http_route_find(message->method, message->path, match, exchange->answer.allow);
    if (exchange->found == 0 && match->route == NULL) {
        request->page = REQUEST_OPTIONS;
    } else if (exchange->found == 0) {
        request->page = match->route->page;
        request->method = method_find(match->route->call);
    }
}

/* Settle who asks, whose connection it is then, and whether that one may. */
static int check_asker(struct http_exchange *exchange, const struct http_message *message,
                       struct caller *caller, size_t connections_max, struct slice *reterr)
{
    struct request *request = exchange->request;
    gate_identify(request, http_authorize_token(message->headers[HTTP_AUTHORIZATION]));
    *reterr = slice_of(caller_too_many);
    int rc = caller_settle(caller, request, connections_max);
    if (rc == 0 && !is_options(exchange)) {
        rc = gate_authorize(request, request->method);
    }
    return rc;
}

int http_exchange_check(struct http_exchange *exchange, const struct http_message *message,
                        const struct http_guard *guard, struct caller *caller,
                        size_t connections_max, struct slice *reterr)
{
    find_route(exchange, message);
    int rc = check_guard(exchange, message, guard, reterr);
    return rc < 0 ? rc : check_asker(exchange, message, caller, connections_max, reterr);
}

bool http_exchange_wants_body(const struct http_exchange *exchange)
{
    return exchange->found == 0 && exchange->request->who.role != ROLE_NONE;
}

bool http_exchange_is_call(const struct http_exchange *exchange)
{
    const struct http_route *route = exchange->match.route;
    return route != NULL && route->call != BILLING__V1__REQUEST__CALL__NOT_SET;
}

int http_exchange_confirm(struct http_exchange *exchange, const struct http_message *message,
                          const struct caller *caller, struct slice *reterr)
{
    struct request *request = exchange->request;
    gate_confirm(request, &caller->who);
    int rc = is_options(exchange) ? 0 : gate_authorize(request, request->method);
    if (rc == 0 && exchange->found < 0) {
        *reterr = exchange->found == STATUS_PATH_NOT_FOUND ? SLICE("there is no such path")
                                                           : SLICE("the path has no such method");
        rc = exchange->found;
    }
    if (rc < 0 || !http_exchange_is_call(exchange)) {
        return rc;
    }
    exchange->answer.route = exchange->match.route;
    arena_set_budget(&request->arena, http_request_arena_bytes(message->body.length));
    *reterr = SLICE("the request takes too much memory");
    return arena_copy(&request->arena, message->query, &exchange->answer.query);
}
