#include "billingd/rpc/dispatch.h"

#include <stdio.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/gate.h"
#include "billingd/rpc/problem.h"

void dispatch_init(struct dispatch *dispatch, const struct dispatch_options *options,
                   uint64_t id_key)
{
    *dispatch = (struct dispatch){.options = *options, .id_key = id_key};
    dispatch->memory.bytes_max = options->memory_max;
    key_log_init(&dispatch->key_log, options->keyring, options->committer);
    dispatch->log.options = options->log;
    request_stats_init(&dispatch->counts);
}

void dispatch_done(struct dispatch *dispatch)
{
    request_spares_free(&dispatch->spares);
    askers_done(&dispatch->askers);
}

/* --- worker threads --------------------------------------------------------------------------- */

static size_t bytes_of(const struct request *request)
{
    return sizeof *request + arena_bytes(&request->arena);
}

/* What a worker has made waits for the loop, and is to be counted meanwhile. */
static void count_made(struct request *request)
{
    account_count(&request->account, bytes_of(request));
}

static int announce_op(struct op *op, struct store_txn *txn)
{
    struct request *request = request_of_op(op);
    return request->method->announce(request, txn);
}

static int apply_op(struct op *op, struct store_txn *txn, const struct ledger_env *env)
{
    struct request *request = request_of_op(op);
    int rc = request->method->apply(request, txn, env);
    count_made(request);
    return rc;
}

static int query_op(struct op *op, struct store_view *view, const struct ledger_env *env)
{
    struct request *request = request_of_op(op);
    if (account_is_full(&request->account)) {
        return STATUS_BUSY;
    }
    int rc = request->method->query(request, view, env);
    count_made(request);
    return rc;
}

static int read_op(struct op *op, struct store_view *view, const struct ledger_env *env)
{
    struct request *request = request_of_op(op);
    (void)view;
    (void)env;
    int rc = request->reading->read(request);
    count_made(request);
    return rc;
}

/* --- the answer ------------------------------------------------------------------------------- */

static const char *explain(int status)
{
    switch (status) {
    case STATUS_CUSTOMER_NOT_FOUND:
        return "there is no such customer";
    case STATUS_USAGE_NOT_FOUND:
        return "the customer has no such usage record";
    case STATUS_INVOICE_NOT_FOUND:
        return "there is no invoice with this number";
    case STATUS_VOID_NOT_FOUND:
        return "the usage record is not voided";
    case STATUS_SERVICE_NOT_FOUND:
        return "the catalogue has no such service";
    case STATUS_REQUEST_NOT_FOUND:
        return "nothing is recorded under this request id";
    case STATUS_JOB_NOT_FOUND:
        return "there is no such job: only the last few are known, and none from before a restart";
    case STATUS_BUSY:
        return "there is too much to do; nothing was recorded, send it again later";
    case STATUS_STORAGE_FULL:
        return "the storage is full; nothing was recorded, send it again later";
    case STATUS_SHUTTING_DOWN:
        return "the daemon is shutting down; nothing was recorded, send it again later";
    case STATUS_DEADLINE_EXCEEDED:
        return "it could not be begun within its timeout; nothing was recorded";
    case STATUS_TOO_LARGE:
        return "the request, or its answer, takes too much memory";
    case STATUS_CORRUPT:
        return "stored data that it needs does not match its checksum; nothing was recorded";
    default:
        return status_info(status)->title;
    }
}

/* Everything that could be refused for its size has been: what is left is bounded. */
static void begin_answer(struct request *request)
{
    arena_set_budget(&request->arena, REQUEST_ANSWER_BYTES_MAX);
    if (request->message != NULL && request->message->has_call_id) {
        request->response.has_call_id = true;
        request->response.call_id = request->message->call_id;
    }
}

static void answer(struct request *request, int status)
{
    begin_answer(request);
    if (status == 0) {
        request->method->encode(request);
    } else {
        problem_reply(request, problem_of_status(request, status, slice_of(explain(status))));
    }
    request->reply(request);
}

/* --- the way in ------------------------------------------------------------------------------- */

/* What REQUEST keeps while it waits: more, once it is prepared. */
static void count_bytes(struct request *request)
{
    request->op.bytes = bytes_of(request);
    account_count(&request->account, request->op.bytes);
}

static int submit_next(struct dispatch *dispatch, struct request *request)
{
    if (dispatch->closed) {
        return STATUS_SHUTTING_DOWN;
    }
    count_bytes(request);
    if (request->next == REQUEST_APPLY) {
        return committer_submit(dispatch->options.committer, &request->op);
    }
    if (request->prepared == REQUEST_PREPARED_MAX) {
        return STATUS_BUSY;
    }
    request->prepared++;
    return readers_submit(dispatch->options.readers, &request->op);
}

static int submit_to_lane(struct dispatch *dispatch, struct request *request)
{
    switch (request->method->lane) {
    case LANE_WRITE:
        company_note_write(&dispatch->company, request->account.asker,
                           request_submitted_us(request));
        return committer_submit(dispatch->options.committer, &request->op);
    case LANE_READ:
        return readers_submit(dispatch->options.readers, &request->op);
    case LANE_PREPARED_WRITE:
        request->next = REQUEST_PREPARE;
        return submit_next(dispatch, request);
    case LANE_HERE:
        break;
    }
    return STATUS_INTERNAL;
}

static void read_done_op(struct op *op)
{
    struct request *request = request_of_op(op);
    request->dispatch->stats.in_flight--;
    account_count(&request->account, 0); /* it counts once it is let in, as any other */
    request->reading->done(request, op->status);
}

void dispatch_read(struct dispatch *dispatch, struct request *request, size_t bytes,
                   const struct request_reading *reading)
{
    struct op *op = &request->op;
    request->reading = reading;
    *op = (struct op){
        .bytes = bytes,
        .asker = request->account.asker->place,
        .viewless = true,
        .query = read_op,
        .done = read_done_op,
    };
    dispatch->stats.in_flight++;
    int rc =
        dispatch->draining ? STATUS_SHUTTING_DOWN : readers_submit(dispatch->options.readers, op);
    if (rc < 0) { /* else it is not ours to touch */
        op->status = rc;
        read_done_op(op);
    }
}

static void done_op(struct op *op)
{
    struct request *request = request_of_op(op);
    struct dispatch *dispatch = request->dispatch;
    int status = op->status;
    count_bytes(request); /* the worker has used memory too */
    if (status == 0 && request->next != REQUEST_ANSWER) {
        status = submit_next(dispatch, request);
        if (status == 0) {
            return;
        }
    }
    dispatch->stats.in_flight--;
    if (status == 0 && request->method->lane == LANE_READ && account_is_full(&request->account)) {
        status = STATUS_BUSY; /* whoever takes no answers gets no more of them */
    }
    answer(request, status);
}

static int submit_op(struct dispatch *dispatch, struct request *request)
{
    struct op *op = &request->op;
    uint32_t timeout_ms = request->message->timeout_ms;
    count_bytes(request);
    op->deadline_us = timeout_ms == 0 ? 0 : request->received_us + (int64_t)timeout_ms * 1000;
    op->heavy = request->method->heavy;
    op->in_order = request->method->role == ROLE_ADMIN; /* keys are made before they are revoked */
    op->asker = request->account.asker->place;
    op->announce = announce_op;
    op->apply = apply_op;
    op->query = query_op;
    op->done = done_op;
    int rc = submit_to_lane(dispatch, request);
    if (rc == 0) {
        dispatch->stats.in_flight++;
    }
    return rc;
}

static void refuse_fields(struct request *request)
{
    /* What asks for a view is a query, and so is what is wrong with it. */
    enum lane lane = request->method->lane;
    bool asks = (lane == LANE_HERE || lane == LANE_READ) && !request->method->acts;
    int as_status = asks ? STATUS_INVALID_QUERY : 0;
    begin_answer(request);
    problem_reply(request, problem_of_errors(request, -1, as_status));
    request->reply(request);
}

/* Whether REQUEST may be carried out, but for how often it comes: 0, or why not. */
static int check_admission(const struct dispatch *dispatch, const struct request *request)
{
    int rc = gate_authorize(request, request->method);
    if (rc == 0 && dispatch->closed) {
        return STATUS_SHUTTING_DOWN;
    }
    if (rc < 0 || request->method->lane == LANE_HERE) {
        return rc;
    }
    if (dispatch->draining && request->reading == NULL) { /* else it was read since before */
        return STATUS_SHUTTING_DOWN;
    }
    return account_is_full(&request->account) ? STATUS_BUSY : 0;
}

/* Answer REQUEST, to which check_admission() has said STATUS. */
static void refuse_admission(struct request *request, int status)
{
    if (status == STATUS_UNAUTHENTICATED || status == STATUS_FORBIDDEN) {
        gate_refuse(request, request->method, status);
    } else {
        answer(request, status);
    }
}

bool dispatch_invites(struct dispatch *dispatch, struct request *request)
{
    count_bytes(request);
    int rc = check_admission(dispatch, request);
    /* What is refused now counts now; the others once they are whole. */
    bool limited = rc < 0 ? gate_is_too_often(request) : gate_is_too_early(request);
    if (!limited && rc < 0) {
        refuse_admission(request, rc);
    }
    bool invited = !limited && rc == 0;
    dispatch->stats.requests += !invited;
    return invited;
}

/* --- the way through -------------------------------------------------------------------------- */

void dispatch_submit(struct dispatch *dispatch, struct request *request)
{
    dispatch->stats.requests++;
    request->method = method_find(request->message->call_case);
    if (request->account.asker == NULL) {
        gate_identify(request, request_token(request));
    }
    company_note(&dispatch->company, request->account.asker, request_submitted_us(request));
    if (gate_is_too_often(request)) {
        return;
    }
    if (request->method == NULL) {
        dispatch_refuse(request, STATUS_UNKNOWN_METHOD,
                        "the request holds no call that this daemon knows");
        return;
    }
    arena_set_budget(&request->arena, REQUEST_WORK_BYTES_MAX);
    int rc = check_admission(dispatch, request);
    if (rc < 0) {
        refuse_admission(request, rc);
        return;
    }
    field_refuse_unknown(request, -1, &request->message->base);
    rc = request->method->decode(request);
    if (rc == 0 && request->errors.first != NULL) {
        refuse_fields(request);
        return;
    }
    if (rc == 0 && request->method->lane != LANE_HERE) {
        rc = submit_op(dispatch, request);
        if (rc == 0) {
            return;
        }
    }
    answer(request, rc);
}

void dispatch_refuse(struct request *request, int status, const char *format, ...)
{
    char detail[512];
    va_list arguments;
    va_start(arguments, format);
    IGNORE(vsnprintf(detail, sizeof detail, format, arguments) < 0); /* prose: may be cut */
    va_end(arguments);
    begin_answer(request);
    problem_reply(request, problem_of_status(request, status, slice_of(detail)));
    request->reply(request);
}

void dispatch_fail(struct request *request, int status)
{
    answer(request, status);
}

void dispatch_answered(struct request *request)
{
    struct dispatch *dispatch = request->dispatch;
    int outcome = request_outcome(request);
    int64_t now_us = clock_monotonic_us();
    uint64_t us = (uint64_t)(now_us - request->received_us);
    if (request->told_status == 0) {
        request->told_status = outcome < 0 ? (unsigned)status_info(outcome)->http : 200;
    }
    request_stats_count(&dispatch->counts, request, outcome, us);
    if (!request_log_answer(&dispatch->log, request, outcome, us, now_us)) {
        dispatch->counts.log_left_out++;
    }
}

void dispatch_tick(struct dispatch *dispatch)
{
    request_log_tick(&dispatch->log, clock_monotonic_us());
}

bool dispatch_is_pressed(struct dispatch *dispatch, const struct asker *asker)
{
    return committer_is_pressed(dispatch->options.committer, asker->place);
}

static enum committer_company company_now(const struct dispatch *dispatch)
{
    int64_t now_us = clock_monotonic_us();
    if (company_has_few(&dispatch->company, now_us)) {
        return COMMITTER_FEW;
    }
    return company_writes_alone(&dispatch->company, now_us) ? COMMITTER_ALONE : COMMITTER_MANY;
}

void dispatch_flush(struct dispatch *dispatch)
{
    key_log_write(&dispatch->key_log);
    committer_flush(dispatch->options.committer, company_now(dispatch));
}

void dispatch_drain(struct dispatch *dispatch)
{
    dispatch->draining = true;
}

void dispatch_close(struct dispatch *dispatch)
{
    dispatch->draining = true;
    dispatch->closed = true;
    request_log_flush(&dispatch->log);
    if (dispatch->options.keyring != NULL) { /* else it was never begun */
        key_log_close(&dispatch->key_log);
    }
}
