/* The rules of trying again.
 *
 * Happy path: one try, one answer, done.
 *
 * A try that fails leaves a doubt where some of its bytes were sent and no answer says that
 * nothing was recorded.  Every later try carries the same request id, which the daemon looks up
 * before anything else but who asks; so the doubt ends with
 *   - a reply: it is recorded, once, by whichever try;
 *   - a refusal for the content: a recorded request is answered with its reply, so it is not; but
 *     a call that changes its own answers has no request id, and may be refused for what it did.
 * It does not end with "busy" or with "not allowed", which say nothing about the earlier try. */
#include "libbilling/src/call.h"

#include <string.h>

#include "libbilling/src/clock.h"
#include "libbilling/src/error.h"
#include "libbilling/src/exchange.h"
#include "libbilling/src/message.h"
#include "libbilling/src/random.h"

enum {
    DELAY_MS_MAX = 30000,
};

/* The tries of a call so far. */
struct tries {
    int count;
    bool in_doubt;        /* one of them may have been recorded */
    bool doubt_stays;     /* whatever a later one is refused for */
    struct exchange last; /* its reply is ours */
};

/* --- what an answer means --------------------------------------------------------------------- */

static uint64_t http_status(const struct exchange *exchange)
{
    return billing_object_uint64(exchange->reply, "status");
}

/* The daemon could not rather than would not: it is too busy, or something of it is broken. */
static bool is_trouble(const struct exchange *exchange)
{
    uint64_t status = http_status(exchange);
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
           status == 504;
}

static bool says_not_recorded(const struct exchange *exchange)
{
    const char *recorded = billing_object_text(exchange->reply, "recorded");
    return recorded != NULL && strcmp(recorded, "no") == 0;
}

/* A refusal that comes from behind the look-up of the request id. */
static bool is_settled(const struct exchange *exchange)
{
    uint64_t status = http_status(exchange);
    return exchange->is_problem && says_not_recorded(exchange) &&
           (status == 404 || status == 409 || status == 422);
}

static bool leaves_doubt(const struct exchange *exchange)
{
    return exchange->is_problem ? !says_not_recorded(exchange) : exchange->any_sent;
}

/* Whether the same again could end better. */
static bool can_repeat(const struct exchange *exchange)
{
    if (exchange->is_problem) {
        const char *code = billing_object_text(exchange->reply, "code");
        int status = code == NULL ? 0 : status_from_code(code, strlen(code));
        return exchange->is_token_old || !says_not_recorded(exchange) ||
               (status == 0 ? is_trouble(exchange) : status_info(status)->retryable);
    }
    switch (exchange->failure.fault) {
    case FAULT_CONNECT_FAILED:
    case FAULT_CONNECTION_LOST:
    case FAULT_TIMEOUT:
    case FAULT_BAD_REPLY:
        return true;
    case FAULT_NO_MEMORY:
        return exchange->any_sent; /* the answer is there to be asked for again */
    case FAULT_NONE:
    case FAULT_ARGUMENT:
    case FAULT_TOO_LARGE:
    case FAULT_NO_REQUEST_ID:
    case FAULT_TOKEN_FILE:
        return false;
    }
    return false;
}

/* The call's result after its last try, which failed. */
static int kind_of(const struct tries *tries)
{
    const struct exchange *last = &tries->last;
    if (tries->in_doubt && (tries->doubt_stays || !is_settled(last))) {
        return BILLING_E_UNKNOWN;
    }
    if (last->is_problem) {
        return is_trouble(last) ? BILLING_E_NOT_RECORDED : BILLING_E_REFUSED;
    }
    switch (last->failure.fault) {
    case FAULT_NO_MEMORY:
        return BILLING_E_NO_MEMORY;
    case FAULT_TOO_LARGE:
        return BILLING_E_REFUSED;
    case FAULT_ARGUMENT:
    case FAULT_TOKEN_FILE:
        return BILLING_E_ARGUMENT;
    case FAULT_NO_REQUEST_ID:
        return BILLING_E_SYSTEM;
    case FAULT_NONE:
    case FAULT_CONNECT_FAILED:
    case FAULT_CONNECTION_LOST:
    case FAULT_TIMEOUT:
    case FAULT_BAD_REPLY:
        break;
    }
    return BILLING_E_NOT_RECORDED;
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* A random part of base * 2^(n-1) before retry N: with full jitter, clients that were refused
 * together do not come back together. */
static int64_t backoff_ms(int64_t base_ms, int n)
{
    int64_t most_ms = base_ms;
    for (int i = 1; i < n && most_ms < DELAY_MS_MAX; i++) {
        most_ms *= 2;
    }
    return random_up_to(most_ms < DELAY_MS_MAX ? most_ms : DELAY_MS_MAX);
}

/* How long to wait before the next try. */
static int64_t delay_ms(const struct billing_options *options, const struct tries *tries)
{
    const struct exchange *last = &tries->last;
    if (last->was_kept && last->reply == NULL && last->failure.fault == FAULT_CONNECTION_LOST) {
        return 0; /* the daemon was restarted while the connection lay idle */
    }
    if (last->is_token_old) {
        return 0;
    }
    int64_t asked_ms = (int64_t)billing_object_uint64(last->reply, "retry_after_ms");
    int64_t own_ms = backoff_ms(options->retry_delay_ms, tries->count);
    return asked_ms > own_ms ? asked_ms : own_ms;
}

/* --- the call --------------------------------------------------------------------------------- */

static void log_try(const struct call *call, const struct tries *tries)
{
    const struct exchange *last = &tries->last;
    const char *code = last->is_problem ? billing_object_text(last->reply, "code")
                                        : failure_code(last->failure.fault);
    const char *detail =
        last->is_problem ? billing_object_text(last->reply, "detail") : last->failure.detail;
    options_log(&call->client->options, BILLING_LOG_WARNING,
                "try=%d code=%s request_id='%s' detail='%s'", tries->count,
                code == NULL ? "" : code, call->request_id == NULL ? "" : call->request_id,
                detail == NULL ? "" : detail);
}

static void try_once(struct call *call, struct tries *tries, int64_t deadline_us)
{
    int64_t try_deadline_us = clock_now_us() + call->client->options.try_timeout_ms * INT64_C(1000);
    billing_object_free(tries->last.reply);
    exchange_run(call->client, &call->request,
                 try_deadline_us < deadline_us ? try_deadline_us : deadline_us, &tries->last);
    tries->count++;
    if (tries->last.reply == NULL || tries->last.is_problem) {
        tries->in_doubt |= call->writes && leaves_doubt(&tries->last);
        log_try(call, tries);
    }
    if (tries->last.was_kept && (tries->last.reply == NULL || tries->last.is_token_old)) {
        client_drop_kept(call->client);
    }
}

/* Whether there is to be another try; then it has waited long enough. */
static bool wait_for_next(const struct call *call, const struct tries *tries, int64_t deadline_us)
{
    const struct billing_options *options = &call->client->options;
    if (tries->count > options->retries_max || !can_repeat(&tries->last)) {
        return false;
    }
    int64_t next_us = clock_now_us() + delay_ms(options, tries) * 1000;
    if (next_us >= deadline_us) {
        return false;
    }
    clock_sleep_until(next_us);
    return true;
}

/* The end of a call whose last try failed. */
static int fail(struct tries *tries, const char *request_id, billing_error **ret_error)
{
    struct error_parts parts = {
        .kind = kind_of(tries),
        .failure = &tries->last.failure,
        .problem = tries->last.is_problem ? tries->last.reply : NULL,
        .request_id = request_id,
        .attempts = tries->count,
    };
    if (ret_error == NULL) {
        billing_object_free(parts.problem);
    } else {
        *ret_error = error_new(&parts);
    }
    return parts.kind;
}

static void clear_results(billing_object **ret_reply, billing_error **ret_error)
{
    if (ret_reply != NULL) {
        *ret_reply = NULL;
    }
    if (ret_error != NULL) {
        *ret_error = NULL;
    }
}

void call_init(struct call *call, billing_client *client, Billing__V1__Request__CallCase call_case,
               bool writes)
{
    *call = (struct call){.client = client, .writes = writes};
    billing__v1__request__init(&call->request);
    call->request.call_case = call_case;
}

int call_run(struct call *call, billing_object **ret_reply, billing_error **ret_error)
{
    struct tries tries = {.doubt_stays = call->changes_answers};
    if (call->client == NULL) {
        return call_fail(FAULT_ARGUMENT, "no client", ret_reply, ret_error);
    }
    char traceparent[BILLING_TRACEPARENT_BYTES + 1];
    const struct billing_options *options = &call->client->options;
    int64_t deadline_us = clock_now_us() + options->timeout_ms * INT64_C(1000);
    message_refer(&call->request.has_traceparent, &call->request.traceparent,
                  options_traceparent(options, traceparent));
    clear_results(ret_reply, ret_error);
    do {
        try_once(call, &tries, deadline_us);
        if (tries.last.reply != NULL && !tries.last.is_problem) {
            if (ret_reply == NULL) {
                billing_object_free(tries.last.reply);
            } else {
                *ret_reply = tries.last.reply;
            }
            return 0;
        }
    } while (wait_for_next(call, &tries, deadline_us));
    return fail(&tries, call->request_id, ret_error);
}

int call_fail(enum fault fault, const char *reason, billing_object **ret_reply,
              billing_error **ret_error)
{
    struct tries tries = {0};
    clear_results(ret_reply, ret_error);
    failure_set(&tries.last.failure, fault, "%s", reason);
    return fail(&tries, NULL, ret_error);
}

int call_make_request_id(struct call *call, billing_object **ret_reply, billing_error **ret_error)
{
    if (call->client == NULL) {
        return call_fail(FAULT_ARGUMENT, "no client", ret_reply, ret_error);
    }
    if (!client_make_request_id(call->client, call->made_id)) {
        return call_fail(FAULT_NO_REQUEST_ID, "the maker of request ids failed", ret_reply,
                         ret_error);
    }
    call->request_id = call->made_id;
    return 0;
}
