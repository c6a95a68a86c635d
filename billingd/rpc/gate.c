#include "billingd/rpc/gate.h"

#include <inttypes.h>

#include "billingd/base/clock.h"

/* --- who -------------------------------------------------------------------------------------- */

/* Put who TOKEN says into REQUEST: a copy, since its key may be revoked while it runs. */
static int take_token(struct request *request, struct slice token)
{
    struct identity who;
    int rc = keyring_identify(request->dispatch->options.keyring, token, clock_wall_us(), &who);
    return rc < 0 ? rc : request_set_identity(request, &who);
}

static const struct identity nobody = {.name = SLICE("anonymous"), .role = ROLE_NONE};

void gate_identify(struct request *request, struct slice token)
{
    struct dispatch *dispatch = request->dispatch;
    if (token.data != NULL) {
        request->token = token.length == 0 ? REQUEST_EMPTY_TOKEN : REQUEST_TOKEN;
    }
    if (request->token != REQUEST_NO_TOKEN && take_token(request, token) < 0) {
        request->who = nobody;
    }
    account_open(&request->account, &dispatch->memory,
                 askers_find(&dispatch->askers, request->who.name, request->received_us));
}

void gate_confirm(struct request *request, const struct identity *caller)
{
    const struct keyring *keyring = request->dispatch->options.keyring;
    uint64_t key = request->who.key;
    if (key != 0 && !keyring_counts(keyring, key, clock_wall_us())) {
        request->who = nobody;
    } else if (request->token == REQUEST_NO_TOKEN) {
        request->who.role = caller->role;
    }
}

/* --- may -------------------------------------------------------------------------------------- */

static enum role role_for(const struct method *method)
{
    return method == NULL ? ROLE_READER : method->role;
}

int gate_authorize(const struct request *request, const struct method *method)
{
    const struct identity *who = &request->who;
    if (who->role < role_for(method)) {
        /* Nobody is to say who he is; anybody else is known, and may not. */
        return who->role == ROLE_NONE && who->key == 0 ? STATUS_UNAUTHENTICATED : STATUS_FORBIDDEN;
    }
    bool every_service = method != NULL && method->every_service;
    return every_service && who->services.length > 0 ? STATUS_FORBIDDEN : 0;
}

static void refuse_nobody(struct request *request, const char *name, const char *role)
{
    switch (request->token) {
    case REQUEST_NO_TOKEN:
        dispatch_refuse(request, STATUS_UNAUTHENTICATED, "%s needs the role %s: present an API key",
                        name, role);
        break;
    case REQUEST_EMPTY_TOKEN:
        dispatch_refuse(request, STATUS_UNAUTHENTICATED,
                        "there is no API key in what says who asks; over HTTP it is to be "
                        "'Authorization: Bearer KEY'");
        break;
    case REQUEST_TOKEN:
        dispatch_refuse(request, STATUS_UNAUTHENTICATED,
                        "the API key is not valid: it is unknown, revoked or expired");
        break;
    }
}

void gate_refuse(struct request *request, const struct method *method, int status)
{
    const char *name = method == NULL ? "this" : method->name;
    const char *role = role_name(role_for(method));
    const struct identity *who = &request->who;
    if (status == STATUS_UNAUTHENTICATED) {
        refuse_nobody(request, name, role);
    } else if (who->role < role_for(method)) {
        dispatch_refuse(request, status, "%s needs the role %s, and '%.*s' has %s", name, role,
                        (int)who->name.length, who->name.data, role_name(who->role));
    } else {
        dispatch_refuse(request, status,
                        "%s concerns all services, and '%.*s' may write of some alone", name,
                        (int)who->name.length, who->name.data);
    }
}

/* --- how often -------------------------------------------------------------------------------- */

/* A batch counts for its items where it may come to record them. */
static size_t weight_of(const struct request *request)
{
    const Billing__V1__Request *message = request->message;
    bool batch =
        message != NULL && message->call_case == BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH;
    size_t items = batch ? message->create_usage_batch->n_usage : 0;
    bool counts =
        items > 0 && items <= LIMIT_BATCH_ITEMS && gate_authorize(request, request->method) == 0;
    return counts ? items : 1;
}

static bool ask(struct request *request, size_t weight)
{
    int64_t a_second = request->dispatch->options.requests_per_second_max;
    int64_t wait_us = 0;
    bool health = request->method != NULL && request->method->role == ROLE_NONE;
    if (health || asker_may_ask(request->account.asker, a_second, weight,
                                request_submitted_us(request), &wait_us)) {
        return false;
    }
    request->retry_after_ms = (uint32_t)((wait_us + 999) / 1000);
    dispatch_refuse(request, STATUS_RATE_LIMITED,
                    "'%.*s' asks for more than the %" PRId64 " a second that "
                    "requests_per_second_max allows; nothing was recorded, send it again later",
                    (int)request->who.name.length, request->who.name.data, a_second);
    return true;
}

bool gate_is_too_often(struct request *request)
{
    return ask(request, weight_of(request));
}

bool gate_is_too_early(struct request *request)
{
    return ask(request, 0);
}
