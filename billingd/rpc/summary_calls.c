/* SummarizeUsage. */
#include "billingd/base/bytes.h"
#include "billingd/ledger/summary.h"
#include "billingd/rpc/cursor.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/reply.h"
#include "proto/timestamp.h"

struct summary_args {
    struct summary summary;
    bool has_start;
    bool has_end;
};

enum {
    TIME_BYTES = 8, /* of a cursor's position; the service is behind them */
};

static const char *const window_names[] = {
    [WINDOW_HOUR] = "hours", [WINDOW_DAY] = "days", [WINDOW_MONTH] = "months"};

/* --- decode ----------------------------------------------------------------------------------- */

static void decode_window(struct request *request, const Billing__V1__SummarizeUsage *m,
                          enum window *ret)
{
    *ret = WINDOW_DAY;
    if (!m->has_window) {
        return;
    }
    switch ((int)m->window) {
    case BILLING__V1__SUMMARIZE_USAGE__WINDOW__HOUR:
        *ret = WINDOW_HOUR;
        return;
    case BILLING__V1__SUMMARIZE_USAGE__WINDOW__DAY:
        return;
    case BILLING__V1__SUMMARIZE_USAGE__WINDOW__MONTH:
        *ret = WINDOW_MONTH;
        return;
    default:
        request_field_error(request, -1, SLICE("window"), STATUS_OUT_OF_BOUNDS,
                            "%d is none of hour, day and month", (int)m->window);
    }
}

static void decode_group(struct request *request, const Billing__V1__SummarizeUsage *m, bool *ret)
{
    *ret = m->has_group_by && m->group_by == BILLING__V1__SUMMARIZE_USAGE__GROUP__SERVICE;
    if (m->has_group_by && !*ret) {
        request_field_error(request, -1, SLICE("group_by"), STATUS_OUT_OF_BOUNDS,
                            "%d is not service", (int)m->group_by);
    }
}

static void need_bound(struct request *request, const char *name, bool has)
{
    if (!has && !request_has_field_error(request, -1, name)) {
        request_field_error(request, -1, slice_of(name), STATUS_MISSING_FIELD,
                            "is missing: include_empty needs a start and an end");
    }
}

/* Rows of zero are made one by one, so their number needs a bound. */
static void check_empty(struct request *request, const struct summary_args *args)
{
    const struct summary *summary = &args->summary;
    need_bound(request, "start", args->has_start);
    need_bound(request, "end", args->has_end);
    if (request->errors.n > 0) {
        return;
    }
    uint64_t windows = window_count(summary->window, summary->period);
    if (windows > SUMMARY_WINDOWS_MAX) {
        request_field_error(request, -1, SLICE("include_empty"), STATUS_OUT_OF_BOUNDS,
                            "from start to end there are %llu %s; with the empty ones at most %d "
                            "are allowed",
                            (unsigned long long)windows, window_names[summary->window],
                            SUMMARY_WINDOWS_MAX);
    }
}

static void decode_cursor(struct request *request, const Billing__V1__SummarizeUsage *m,
                          struct summary *summary)
{
    struct slice position = cursor_parse(request, CURSOR_SUMMARY, m->has_cursor, m->cursor);
    if (position.length < TIME_BYTES) {
        return;
    }
    summary->from.time_us = (int64_t)bytes_get_be64((const uint8_t *)position.data);
    summary->from.after_service.data = position.data + TIME_BYTES;
    summary->from.after_service.length = position.length - TIME_BYTES;
}

static int summarize_decode(struct request *request)
{
    const Billing__V1__SummarizeUsage *m = request->message->summarize_usage;
    struct summary_args *args = arena_need(&request->arena, sizeof *args);
    struct summary *summary = &args->summary;
    request->args = args;
    args->has_start = m->has_start;
    args->has_end = m->has_end;
    summary->period.end_us = TIMESTAMP_MAX + 1;
    summary->include_empty = m->has_include_empty && m->include_empty;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &summary->customer);
    field_text(
        request, -1,
        &(struct text_field){"service", m->has_service, m->service, LIMIT_SERVICE_BYTES, false},
        &summary->service);
    field_limit(request, m->has_limit, m->limit, LIMIT_PAGE_DEFAULT, &summary->limit);
    field_clock(request, m->has_by, m->by, &summary->by);
    field_range(request, m->has_start, m->start, m->has_end, m->end, &summary->period);
    decode_window(request, m, &summary->window);
    decode_group(request, m, &summary->by_service);
    decode_cursor(request, m, summary);
    if (summary->include_empty) {
        check_empty(request, args);
    }
    return 0;
}

static int summarize_query(struct request *request, struct store_view *view,
                           const struct ledger_env *env)
{
    struct summary_args *args = request->args;
    (void)env;
    return summary_get(view, &request->arena, &args->summary);
}

/* --- encode ----------------------------------------------------------------------------------- */

static Billing__V1__SummaryRow *encode_row(struct request *request, const struct summary_row *row)
{
    Billing__V1__SummaryRow *m = arena_need(&request->arena, sizeof *m);
    billing__v1__summary_row__init(m);
    reply_time(&m->has_start, &m->start, row->period.start_us);
    reply_time(&m->has_end, &m->end, row->period.end_us);
    if (row->sum->service.length > 0) {
        reply_text(request, &m->has_service, &m->service, row->sum->service);
    }
    reply_amount(request, &m->has_units_consumed, &m->units_consumed, row->sum->units);
    reply_amount(request, &m->has_exact_amount, &m->exact_amount, row->sum->exact);
    m->has_records = true;
    m->records = row->sum->records;
    m->has_voided = true;
    m->voided = row->sum->voided;
    m->has_late = true;
    m->late = row->sum->late;
    return m;
}

static void encode_cursor(struct request *request, const struct summary *summary,
                          Billing__V1__SummaryReply *reply)
{
    uint8_t position[TIME_BYTES + LIMIT_SERVICE_BYTES];
    struct slice service = summary->next.after_service;
    bytes_put_be64(position, (uint64_t)summary->next.time_us);
    if (service.length > 0) {
        memcpy(position + TIME_BYTES, service.data, service.length);
    }
    cursor_print(request, CURSOR_SUMMARY,
                 (struct slice){(const char *)position, TIME_BYTES + service.length},
                 &reply->has_next_cursor, &reply->next_cursor);
}

static Billing__V1__Summary *encode_summary(struct request *request,
                                            const struct summary_args *args)
{
    static const Billing__V1__SummarizeUsage__Window windows[] = {
        [WINDOW_HOUR] = BILLING__V1__SUMMARIZE_USAGE__WINDOW__HOUR,
        [WINDOW_DAY] = BILLING__V1__SUMMARIZE_USAGE__WINDOW__DAY,
        [WINDOW_MONTH] = BILLING__V1__SUMMARIZE_USAGE__WINDOW__MONTH,
    };
    const struct summary *summary = &args->summary;
    Billing__V1__Summary *m = arena_need(&request->arena, sizeof *m);
    billing__v1__summary__init(m);
    reply_id(request, &m->has_customer_id, &m->customer_id, OBJECT_CUSTOMER, summary->customer_seq);
    m->has_start = args->has_start;
    m->start = summary->period.start_us;
    m->has_end = args->has_end;
    m->end = summary->period.end_us;
    m->has_by = true;
    m->by =
        summary->by == STORE_BY_BILLED ? BILLING__V1__CLOCK__BILLED : BILLING__V1__CLOCK__OCCURRED;
    m->has_window = true;
    m->window = windows[summary->window];
    m->rows = arena_need(&request->arena, summary->n * sizeof *m->rows);
    for (; m->n_rows < summary->n; m->n_rows++) {
        m->rows[m->n_rows] = encode_row(request, &summary->rows[m->n_rows]);
    }
    return m;
}

static void summarize_encode(struct request *request)
{
    const struct summary_args *args = request->args;
    Billing__V1__SummaryReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__summary_reply__init(reply);
    reply->summary = encode_summary(request, args);
    if (args->summary.more) {
        encode_cursor(request, &args->summary, reply);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_SUMMARIZE_USAGE;
    request->response.summarize_usage = reply;
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_SUMMARIZE_USAGE,
        .name = "SummarizeUsage",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = summarize_decode,
        .query = summarize_query,
        .encode = summarize_encode,
    },
};

const struct method_family summary_calls = {methods, sizeof methods / sizeof methods[0]};
