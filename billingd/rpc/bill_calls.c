/* GetBill. */
#include "billingd/base/bytes.h"
#include "billingd/ledger/bill.h"
#include "billingd/rpc/cursor.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/reply.h"

struct bill_args {
    struct bill_get get;
    struct ledger_env env; /* of the query: how the lines are rounded */
};

enum {
    PRICE_BYTES = 9, /* of a cursor's position: mantissa, scale; the service is behind them */
};

/* --- decode ----------------------------------------------------------------------------------- */

static void decode_period(struct request *request, const Billing__V1__GetBill *m,
                          struct bill_get *get)
{
    get->current = !m->has_start && !m->has_end;
    if (m->has_start != m->has_end) {
        const char *missing = m->has_start ? "end" : "start";
        if (!request_has_field_error(request, -1, missing)) {
            request_field_error(request, -1, slice_of(missing), STATUS_MISSING_FIELD,
                                "is missing: a window has a start and an end");
        }
        return;
    }
    field_time(request, -1, "start", m->has_start, m->start, &get->period.start_us);
    field_time(request, -1, "end", m->has_end, m->end, &get->period.end_us);
    if (!get->current && get->period.start_us >= get->period.end_us) {
        request_field_error(request, -1, SLICE("end"), STATUS_OUT_OF_BOUNDS,
                            "must be later than start");
    }
}

static void decode_cursor(struct request *request, const Billing__V1__GetBill *m,
                          struct bill_get *get)
{
    struct slice position = cursor_parse(request, CURSOR_BILL_LINES, m->has_cursor, m->cursor);
    if (position.length > PRICE_BYTES) {
        const uint8_t *bytes = (const uint8_t *)position.data;
        get->after =
            decimal_make((int64_t)bytes_get_be64(bytes), (int8_t)bytes[8], &get->after_price) == 0;
        get->after_service.data = position.data + PRICE_BYTES;
        get->after_service.length = position.length - PRICE_BYTES;
    }
}

static int bill_decode(struct request *request)
{
    const Billing__V1__GetBill *m = request->message->get_bill;
    struct bill_args *args = arena_need(&request->arena, sizeof *args);
    request->args = args;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &args->get.customer);
    field_limit(request, m->has_limit, m->limit, LIMIT_PAGE_MAX, &args->get.limit);
    decode_period(request, m, &args->get);
    decode_cursor(request, m, &args->get);
    return 0;
}

static int bill_query(struct request *request, struct store_view *view,
                      const struct ledger_env *env)
{
    struct bill_args *args = request->args;
    args->env = *env;
    return bill_get(view, &request->arena, env, &args->get);
}

/* --- encode ----------------------------------------------------------------------------------- */

static Billing__V1__BillLine *encode_line(struct request *request, const struct bill_line *line,
                                          const struct ledger_env *env)
{
    Billing__V1__BillLine *m = arena_need(&request->arena, sizeof *m);
    billing__v1__bill_line__init(m);
    reply_text(request, &m->has_service, &m->service, line->service);
    reply_decimal(request, &m->has_price_per_unit, &m->price_per_unit, line->price);
    reply_amount(request, &m->has_units_consumed, &m->units_consumed, line->units);
    reply_amount(request, &m->has_exact_amount, &m->exact_amount, line->exact);
    reply_amount(request, &m->has_amount, &m->amount, bill_line_rounded(line, env));
    m->has_records = true;
    m->records = line->records;
    m->has_voided = true;
    m->voided = line->voided;
    m->has_late = true;
    m->late = line->late;
    return m;
}

static void encode_cursor(struct request *request, const struct bill_line *last,
                          Billing__V1__BillReply *reply)
{
    uint8_t position[CURSOR_POSITION_BYTES_MAX];
    bytes_put_be64(position, (uint64_t)decimal_mantissa(last->price));
    position[8] = (uint8_t)decimal_scale(last->price);
    memcpy(position + PRICE_BYTES, last->service.data, last->service.length);
    cursor_print(request, CURSOR_BILL_LINES,
                 (struct slice){(const char *)position, PRICE_BYTES + last->service.length},
                 &reply->has_next_cursor, &reply->next_cursor);
}

static void bill_encode(struct request *request)
{
    const struct bill_args *args = request->args;
    const struct bill_get *get = &args->get;
    Billing__V1__BillReply *reply = arena_need(&request->arena, sizeof *reply);
    Billing__V1__Bill *m = arena_need(&request->arena, sizeof *m);
    billing__v1__bill_reply__init(reply);
    billing__v1__bill__init(m);
    reply->bill = m;
    reply_id(request, &m->has_customer_id, &m->customer_id, OBJECT_CUSTOMER, get->customer_seq);
    reply_time(&m->has_start, &m->start, get->period.start_us);
    reply_time(&m->has_end, &m->end, get->period.end_us);
    reply_text(request, &m->has_currency, &m->currency, slice_of(args->env.currency));
    m->lines = arena_need(&request->arena, get->n_lines * sizeof *m->lines);
    for (; m->n_lines < get->n_lines; m->n_lines++) {
        m->lines[m->n_lines] = encode_line(request, get->lines[m->n_lines], &args->env);
    }
    reply_amount(request, &m->has_exact_total, &m->exact_total, get->exact);
    reply_amount(request, &m->has_total, &m->total, get->total);
    reply_amount(request, &m->has_rounding, &m->rounding, get->rounding);
    if (get->more) {
        encode_cursor(request, get->lines[get->n_lines - 1], reply);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_GET_BILL;
    request->response.get_bill = reply;
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_GET_BILL,
        .name = "GetBill",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = bill_decode,
        .query = bill_query,
        .encode = bill_encode,
    },
};

const struct method_family bill_calls = {methods, sizeof methods / sizeof methods[0]};
