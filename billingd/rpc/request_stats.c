#include "billingd/rpc/request_stats.h"

#include "billingd/base/assert.h"
#include "billingd/rpc/dispatch.h"

enum {
    KIND_HEAVY = REQUEST_STATS_KINDS - 1,
    OUTCOME_RECORDED_AT = REQUEST_STATS_STATUSES, /* places behind those of statuses */
    OUTCOME_REPLAYED_AT,
};

static const char *const kind_names[REQUEST_STATS_KINDS] = {
    [LANE_HERE] = "here",        [LANE_READ] = "read",
    [LANE_WRITE] = "write",      [LANE_PREPARED_WRITE] = "prepared_write",
    [KIND_HEAVY] = "heavy_read",
};

static const char *const page_names[REQUEST__PAGES] = {
    [REQUEST_NO_PAGE] = "none",
    [REQUEST_OPENAPI] = "openapi",
    [REQUEST_METRICS] = "metrics",
    [REQUEST_OPTIONS] = "options",
};

void request_stats_init(struct request_stats *stats)
{
    *stats = (struct request_stats){0};
    for (unsigned i = 0; i < REQUEST_STATS_KINDS; i++) {
        stats->times[i].scale = &histogram_times_us;
    }
}

int request_outcome(const struct request *request)
{
    const Billing__V1__Response *response = &request->response;
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        const ProtobufCBinaryData *code = &response->problem->code;
        int status = status_from_code((const char *)code->data, code->len);
        return status == 0 ? STATUS_INTERNAL : status;
    }
    if (response->has_replayed) {
        return response->replayed ? OUTCOME_REPLAYED : OUTCOME_RECORDED;
    }
    return OUTCOME_OK;
}

const char *request_outcome_name(int outcome)
{
    switch (outcome) {
    case OUTCOME_OK:
        return "ok";
    case OUTCOME_RECORDED:
        return "recorded";
    case OUTCOME_REPLAYED:
        return "replayed";
    default:
        return status_info(outcome)->name;
    }
}

const char *request_name(const struct request *request)
{
    return request->method != NULL ? request->method->name : page_names[request->page];
}

/* --- counting --------------------------------------------------------------------------------- */

static unsigned method_place(const struct request *request)
{
    unsigned place =
        request->method != NULL ? (unsigned)request->method->call : (unsigned)request->page;
    INVARIANT(place < REQUEST_STATS_METHODS);
    return place;
}

static unsigned outcome_place(int outcome)
{
    if (outcome > 0) {
        return outcome == OUTCOME_RECORDED ? OUTCOME_RECORDED_AT : OUTCOME_REPLAYED_AT;
    }
    INVARIANT(-outcome < REQUEST_STATS_STATUSES);
    return (unsigned)-outcome;
}

void request_stats_count(struct request_stats *stats, const struct request *request, int outcome,
                         uint64_t us)
{
    const struct method *method = request->method;
    unsigned kind = method == NULL ? LANE_HERE : method->lane;
    kind = kind == LANE_READ && method->heavy ? KIND_HEAVY : kind;
    stats->answered[method_place(request)][outcome_place(outcome)]++;
    histogram_add(&stats->times[kind], us);
}

/* --- telling ---------------------------------------------------------------------------------- */

static const char *place_name(unsigned place)
{
    const struct method *method = method_find((Billing__V1__Request__CallCase)place);
    return method != NULL ? method->name : page_names[place];
}

static void write_answered(const struct request_stats *stats, struct metrics_text *text)
{
    metrics_family(text, "billingd_requests_total", METRICS_COUNTER,
                   "Requests answered, by method and by outcome: ok, recorded, replayed, or the "
                   "code of the refusal.");
    for (unsigned m = 0; m < REQUEST_STATS_METHODS; m++) {
        for (unsigned o = 0; o < REQUEST_STATS_OUTCOMES; o++) {
            int outcome = o == OUTCOME_RECORDED_AT   ? OUTCOME_RECORDED
                          : o == OUTCOME_REPLAYED_AT ? OUTCOME_REPLAYED
                                                     : -(int)o;
            if (stats->answered[m][o] > 0) {
                metrics_sample(text,
                               METRICS_LABELS({"method", place_name(m)},
                                              {"outcome", request_outcome_name(outcome)}),
                               stats->answered[m][o]);
            }
        }
    }
}

static void write_times(const struct request_stats *stats, struct metrics_text *text)
{
    metrics_family(text, "billingd_request_duration_seconds", METRICS_HISTOGRAM,
                   "From a request's last byte to its answer, by the kind of work that it is.");
    for (unsigned i = 0; i < REQUEST_STATS_KINDS; i++) {
        metrics_histogram(text, METRICS_LABELS({"kind", kind_names[i]}), &stats->times[i]);
    }
}

static void write_problems(const struct request_stats *stats, struct metrics_text *text)
{
    metrics_family(text, "billingd_refusals_total", METRICS_COUNTER,
                   "Requests and items of batches that were refused, by code.");
    for (int i = 0; i < REQUEST_STATS_STATUSES; i++) {
        if (stats->problems[i] > 0) {
            metrics_sample(text, METRICS_LABELS({"code", status_info(-i)->name}),
                           stats->problems[i]);
        }
    }
}

static void write_items(const struct request_stats *stats, struct metrics_text *text)
{
    static const char *const names[REQUEST__ITEMS] = {"recorded", "replayed", "refused"};
    metrics_family(text, "billingd_batch_items_total", METRICS_COUNTER,
                   "Items of batches, by what became of them.");
    for (unsigned i = 0; i < REQUEST__ITEMS; i++) {
        metrics_sample(text, METRICS_LABELS({"outcome", names[i]}), stats->items[i]);
    }
}

void request_stats_write(const struct request_stats *stats, struct metrics_text *text)
{
    write_answered(stats, text);
    write_times(stats, text);
    write_problems(stats, text);
    write_items(stats, text);
    metrics_counter(text, "billingd_request_id_reuses_total",
                    "Requests and items refused since their request id recorded something else.",
                    stats->problems[-STATUS_REQUEST_ID_REUSED]);
    metrics_counter(text, "billingd_log_requests_left_out_total",
                    "Requests beyond log_requests_per_second_max, of which the log has no line.",
                    stats->log_left_out);
}
