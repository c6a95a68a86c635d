#include "billingd/rpc/problem.h"

#include <stdio.h>

#include "billingd/rpc/dispatch.h"
#include "billingd/rpc/object_id.h"
#include "billingd/rpc/quote.h"
#include "billingd/rpc/reply.h"
#include "proto/limits.h"
#include "proto/status.h"

enum {
    RETRY_AFTER_MS = 1000, /* a queue empties and a room is made in about this */
};

Billing__V1__Problem *problem_of_status(struct request *request, int status, struct slice detail)
{
    const struct status_info *info = status_info(status);
    request->dispatch->counts.problems[-info->status]++;
    Billing__V1__Problem *problem = arena_need(&request->arena, sizeof *problem);
    billing__v1__problem__init(problem);
    reply_printf(request, &problem->has_type, &problem->type, "urn:billing:problem:%s", info->name);
    reply_text(request, &problem->has_title, &problem->title, slice_of(info->title));
    reply_text(request, &problem->has_detail, &problem->detail, detail);
    reply_text(request, &problem->has_code, &problem->code, slice_of(info->name));
    problem->has_status = true;
    problem->status = (uint32_t)info->http;
    problem->has_recorded = true;
    problem->recorded = BILLING__V1__PROBLEM__RECORDED__NO;
    if (info->retryable) {
        problem->has_retry_after_ms = true;
        problem->retry_after_ms =
            request->retry_after_ms != 0 ? request->retry_after_ms : RETRY_AFTER_MS;
    }
    return problem;
}

/* --- field errors ----------------------------------------------------------------------------- */

static void add_field(struct request *request, Billing__V1__Problem *problem, struct slice field,
                      int status, struct slice message)
{
    Billing__V1__FieldProblem *row = arena_need(&request->arena, sizeof *row);
    billing__v1__field_problem__init(row);
    reply_text(request, &row->has_field, &row->field, field);
    reply_text(request, &row->has_code, &row->code, slice_of(status_info(status)->name));
    reply_text(request, &row->has_message, &row->message, message);
    problem->errors[problem->n_errors++] = row;
}

static void make_fields(struct request *request, Billing__V1__Problem *problem, size_t n)
{
    problem->errors = arena_need(&request->arena, n * sizeof(Billing__V1__FieldProblem *));
}

/* The one status that all ERRORS have, or STATUS_INVALID_FIELDS; but who may not is told so,
 * whatever else is wrong. */
static int common_status(struct field_errors errors)
{
    int status = errors.first->status;
    for (const struct field_error *e = errors.first; e != NULL; e = e->next) {
        if (e->status == STATUS_FORBIDDEN) {
            return e->status;
        }
        status = status == e->status ? status : STATUS_INVALID_FIELDS;
    }
    return status;
}

static struct slice describe(struct request *request, const struct field_error *error)
{
    const char *more = error->next != NULL ? ", and more" : "";
    if (error->field.length == 0) {
        return arena_printf(&request->arena, "%.*s%s", (int)error->message.length,
                            error->message.data, more);
    }
    return arena_printf(&request->arena, "%.*s: %.*s%s", (int)error->field.length,
                        error->field.data, (int)error->message.length, error->message.data, more);
}

Billing__V1__Problem *problem_of_errors(struct request *request, int item, int as_status)
{
    struct field_errors errors = request_errors(request, item);
    int status = as_status != 0 ? as_status : common_status(errors);
    Billing__V1__Problem *problem =
        problem_of_status(request, status, describe(request, errors.first));
    make_fields(request, problem, errors.n);
    for (const struct field_error *e = errors.first; e != NULL; e = e->next) {
        add_field(request, problem, e->field, e->status, e->message);
    }
    return problem;
}

/* --- outcomes --------------------------------------------------------------------------------- */

static const struct {
    enum difference bit;
    const char *field;
} differing[] = {
    {DIFFERS_METHOD, "method"},
    {DIFFERS_CUSTOMER_NAME, "customer_name"},
    {DIFFERS_EXTERNAL_ID, "external_id"},
    {DIFFERS_SERVICE, "service"},
    {DIFFERS_UNITS_CONSUMED, "units_consumed"},
    {DIFFERS_PRICE_PER_UNIT, "price_per_unit"},
    {DIFFERS_OCCURRED_AT, "occurred_at"},
    {DIFFERS_LABELS, "labels"},
    {DIFFERS_USAGE_ID, "usage_id"},
    {DIFFERS_REASON, "reason"},
    {DIFFERS_AMOUNT, "amount"},
    {DIFFERS_START, "start"},
    {DIFFERS_END, "end"},
};

enum {
    N_DIFFERING = sizeof differing / sizeof differing[0],
};

static void add_differences(struct request *request, Billing__V1__Problem *problem,
                            unsigned differs)
{
    make_fields(request, problem, N_DIFFERING);
    for (size_t i = 0; i < N_DIFFERING; i++) {
        if ((differs & differing[i].bit) != 0) {
            add_field(request, problem, slice_of(differing[i].field), STATUS_REQUEST_ID_REUSED,
                      SLICE("differs from what was recorded under this request id"));
        }
    }
}

static struct slice outcome_detail(struct request *request, const struct outcome *outcome,
                                   struct slice request_id, struct slice existing)
{
    switch (outcome->status) {
    case STATUS_REQUEST_ID_REUSED:
        return arena_printf(&request->arena,
                            "request id '%.*s' recorded %s%.*s with another payload",
                            (int)request_id.length, request_id.data,
                            outcome->existing_kind == RECORD_INVOICE ? "invoice " : "",
                            (int)existing.length, existing.data);
    case STATUS_EXTERNAL_ID_TAKEN:
        return arena_printf(&request->arena, "the external id is held by %.*s",
                            (int)existing.length, existing.data);
    case STATUS_ALREADY_VOIDED:
        return arena_printf(&request->arena, "the usage record is voided by %.*s",
                            (int)existing.length, existing.data);
    case STATUS_AMOUNT_TOO_LARGE:
        return SLICE("an amount, of usage units_consumed x price_per_unit, must be below 10^15");
    case STATUS_SERVICE_NOT_ALLOWED:
        return SLICE("the catalogue does not list this service, and no other may be billed");
    case STATUS_TIME_OUT_OF_RANGE:
        return arena_printf(&request->arena,
                            "%s is later than %s, which is 24 hours ahead of the daemon's clock",
                            quote_time(outcome->asked_us).text, quote_time(outcome->bound_us).text);
    case STATUS_CUSTOMER_NOT_FOUND:
        return SLICE("there is no such customer");
    case STATUS_PERIOD_NOT_CLOSED:
        return arena_printf(
            &request->arena,
            "%s lies ahead of the daemon's clock, %s: records may still bill before it",
            quote_time(outcome->asked_us).text, quote_time(outcome->bound_us).text);
    case STATUS_ALREADY_FINALIZED:
        return arena_printf(&request->arena, "invoice %.*s bills up to end already",
                            (int)existing.length, existing.data);
    case STATUS_NOT_CONTIGUOUS:
        return existing.length == 0
                   ? SLICE("a record that bills before start would be on no invoice")
                   : arena_printf(&request->arena,
                                  "invoice %.*s bills a part of this period, or what is behind it",
                                  (int)existing.length, existing.data);
    case STATUS_KEY_EXISTS:
        return arena_printf(&request->arena, "%.*s has this name, and is not revoked",
                            (int)existing.length, existing.data);
    case STATUS_KEY_NOT_FOUND:
        return SLICE("there is no such key, nor one of this name that is not revoked");
    case STATUS_TOO_MANY_KEYS:
        return arena_printf(&request->arena, "%d keys are not revoked, and no more may be",
                            LIMIT_KEYS);
    case STATUS_USAGE_NOT_FOUND:
        return SLICE("the customer has no such usage record");
    case STATUS_SERVICE_NOT_FOUND:
        return SLICE("the catalogue has no such service");
    default:
        return slice_of(status_info(outcome->status)->title);
    }
}

static void add_cause(struct request *request, Billing__V1__Problem *problem, int status,
                      const char *field, struct slice message)
{
    make_fields(request, problem, 1);
    add_field(request, problem, slice_of(field), status, message);
}

Billing__V1__Problem *problem_of_outcome(struct request *request, const struct outcome *outcome,
                                         struct slice request_id)
{
    char id[OBJECT_ID_TEXT_MAX] = "";
    struct slice existing = {.data = id};
    if (outcome->existing_seq != 0) {
        existing.length = object_id_print(object_kind_of(outcome->existing_kind),
                                          outcome->existing_seq, request->dispatch->id_key, id);
    }
    struct slice detail = outcome_detail(request, outcome, request_id, existing);
    Billing__V1__Problem *problem = problem_of_status(request, outcome->status, detail);
    if (existing.length > 0) {
        reply_text(request, &problem->has_existing_id, &problem->existing_id, existing);
    }
    if (outcome->status == STATUS_REQUEST_ID_REUSED) {
        add_differences(request, problem, outcome->differs);
    } else if (outcome->status == STATUS_TIME_OUT_OF_RANGE) {
        add_cause(request, problem, outcome->status, "occurred_at", detail);
    } else if (outcome->status == STATUS_AMOUNT_TOO_LARGE) {
        add_cause(request, problem, outcome->status, "amount", detail);
    } else if (outcome->status == STATUS_SERVICE_NOT_ALLOWED) {
        add_cause(request, problem, outcome->status, "service", detail);
    } else if (outcome->status == STATUS_EXTERNAL_ID_TAKEN) {
        add_cause(request, problem, outcome->status, "external_id", detail);
    } else if (outcome->status == STATUS_KEY_EXISTS) {
        add_cause(request, problem, outcome->status, "name", detail);
    } else if (outcome->status == STATUS_PERIOD_NOT_CLOSED) {
        add_cause(request, problem, outcome->status, "end", detail);
    } else if (outcome->status == STATUS_NOT_CONTIGUOUS) {
        add_cause(request, problem, outcome->status, "start", detail);
    }
    return problem;
}

void problem_reply(struct request *request, Billing__V1__Problem *problem)
{
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_PROBLEM;
    request->response.problem = problem;
    request->dispatch->stats.refusals++;
    if (request->request_id.length > 0) {
        reply_text(request, &problem->has_request_id, &problem->request_id, request->request_id);
    }
}
