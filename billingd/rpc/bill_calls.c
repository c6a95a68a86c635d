/* GetBill, ListBills. */
#include "billingd/base/bytes.h"
#include "billingd/base/log.h"
#include "billingd/ledger/bill.h"
#include "billingd/ledger/bill_list.h"
#include "billingd/rpc/cursor.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/reply_bill.h"

/* --- GetBill: asked --------------------------------------------------------------------------- */

enum { /* of a cursor's position: the part, then where in it */
       AT_PART = 0,
       AT_PRICE = 1, /* of lines: mantissa, scale; the service is behind them */
       AT_SERVICE = AT_PRICE + 9,
       AT_TIME = 1, /* of adjustments: bills_at, sequence number */
       AT_SEQ = AT_TIME + 8,
       ADJUSTMENT_BYTES = AT_SEQ + 8,
};

static void decode_cursor(struct request *request, const Billing__V1__GetBill *m,
                          struct bill_position *after)
{
    struct slice position = cursor_parse(request, CURSOR_BILL, m->has_cursor, m->cursor);
    const uint8_t *bytes = (const uint8_t *)position.data;
    if (position.length > AT_SERVICE && bytes[AT_PART] == BILL_LINES) {
        int rc = decimal_make((int64_t)bytes_get_be64(bytes + AT_PRICE),
                              (int8_t)bytes[AT_PRICE + 8], &after->price);
        after->part = rc == 0 ? BILL_LINES : BILL_START;
        after->service = (struct slice){position.data + AT_SERVICE, position.length - AT_SERVICE};
    } else if (position.length == ADJUSTMENT_BYTES && bytes[AT_PART] == BILL_ADJUSTMENTS) {
        after->part = BILL_ADJUSTMENTS;
        after->adjustment.time_us = (int64_t)bytes_get_be64(bytes + AT_TIME);
        after->adjustment.seq = bytes_get_be64(bytes + AT_SEQ);
    }
}

static int bill_decode(struct request *request)
{
    const Billing__V1__GetBill *m = request->message->get_bill;
    struct bill_get *get = arena_need(&request->arena, sizeof *get);
    request->args = get;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &get->customer);
    field_limit(request, m->has_limit, m->limit, LIMIT_PAGE_MAX, &get->limit);
    get->current = !field_period(request, m->has_start, m->start, m->has_end, m->end, &get->period);
    decode_cursor(request, m, &get->after);
    return 0;
}

static int bill_query(struct request *request, struct store_view *view,
                      const struct ledger_env *env)
{
    return bill_get(view, &request->arena, env, request->args);
}

/* --- GetBill: answered ------------------------------------------------------------------------ */

static void encode_cursor(struct request *request, const struct bill_position *last,
                          Billing__V1__BillReply *reply)
{
    uint8_t position[CURSOR_POSITION_BYTES_MAX] = {[AT_PART] = (uint8_t)last->part};
    size_t length = ADJUSTMENT_BYTES;
    if (last->part == BILL_LINES) {
        bytes_put_be64(position + AT_PRICE, (uint64_t)decimal_mantissa(last->price));
        position[AT_PRICE + 8] = (uint8_t)decimal_scale(last->price);
        memcpy(position + AT_SERVICE, last->service.data, last->service.length);
        length = AT_SERVICE + last->service.length;
    } else {
        bytes_put_be64(position + AT_TIME, (uint64_t)last->adjustment.time_us);
        bytes_put_be64(position + AT_SEQ, last->adjustment.seq);
    }
    cursor_print(request, CURSOR_BILL, (struct slice){(const char *)position, length},
                 &reply->has_next_cursor, &reply->next_cursor);
}

static Billing__V1__Bill *encode_bill(struct request *request, const struct bill_get *get)
{
    Billing__V1__Bill *m = arena_need(&request->arena, sizeof *m);
    billing__v1__bill__init(m);
    reply_id(request, &m->has_customer_id, &m->customer_id, OBJECT_CUSTOMER, get->customer_seq);
    reply_time(&m->has_start, &m->start, get->period.start_us);
    reply_time(&m->has_end, &m->end, get->period.end_us);
    reply_text(request, &m->has_currency, &m->currency,
               slice_of(request->dispatch->options.currency));
    m->lines = arena_need(&request->arena, get->n_lines * sizeof *m->lines);
    for (; m->n_lines < get->n_lines; m->n_lines++) {
        m->lines[m->n_lines] = reply_bill_line(request, get->lines[m->n_lines], get->minor_digits);
    }
    m->adjustments = arena_need(&request->arena, get->n_adjustments * sizeof *m->adjustments);
    for (; m->n_adjustments < get->n_adjustments; m->n_adjustments++) {
        m->adjustments[m->n_adjustments] =
            reply_bill_adjustment(request, &get->adjustments[m->n_adjustments], get->minor_digits);
    }
    REPLY_TOTALS(request, m, get->totals.exact, get->totals.total);
    return m;
}

static void bill_encode(struct request *request)
{
    const struct bill_get *get = request->args;
    Billing__V1__BillReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__bill_reply__init(reply);
    reply->bill = encode_bill(request, get);
    if (get->more) {
        encode_cursor(request, &get->last, reply);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_GET_BILL;
    request->response.get_bill = reply;
}

/* --- ListBills -------------------------------------------------------------------------------- */

static void decode_list_period(struct request *request, const Billing__V1__ListBills *m,
                               struct bill_list *list)
{
    list->of = m->has_start ? BILL_LIST_PERIOD : m->has_end ? BILL_LIST_DUE : BILL_LIST_CURRENT;
    list->period = (struct period){0, INT64_MAX};
    field_range(request, m->has_start, m->start, m->has_end, m->end, &list->period);
    field_require(request, "end", m->has_end || !m->has_start);
}

static int list_decode(struct request *request)
{
    const Billing__V1__ListBills *m = request->message->list_bills;
    struct bill_list *list = arena_need(&request->arena, sizeof *list);
    request->args = list;
    field_refuse_unknown(request, -1, &m->base);
    field_limit(request, m->has_limit, m->limit, LIMIT_PAGE_DEFAULT, &list->limit);
    decode_list_period(request, m, list);
    list->after_seq = cursor_parse_number(request, CURSOR_BILLS, m->has_cursor, m->cursor);
    return 0;
}

static int list_query(struct request *request, struct store_view *view,
                      const struct ledger_env *env)
{
    return bill_list(view, &request->arena, env, request->args);
}

static void encode_totals(struct request *request, const struct bill_totals *totals,
                          Billing__V1__BillTotals *m)
{
    reply_count(&m->has_lines, &m->lines, totals->lines);
    reply_count(&m->has_records, &m->records, totals->records);
    reply_count(&m->has_voided, &m->voided, totals->voided);
    reply_count(&m->has_late, &m->late, totals->late);
    reply_count(&m->has_adjustments, &m->adjustments, totals->adjustments);
    REPLY_TOTALS(request, m, totals->exact, totals->total);
}

/* The page is answered with success, so nobody else would tell the operator. */
static void encode_problem(struct request *request, int status, Billing__V1__BillTotals *m)
{
    const struct status_info *info = status_info(status);
    reply_text(request, &m->has_problem, &m->problem, slice_of(info->name));
    if (info->http == 500) {
        struct slice customer = {(const char *)m->customer_id.data, m->customer_id.len};
        log_error(LOG_RPC, "bill cannot be added up", LOG_TEXT("method", request->method->name),
                  LOG_SLICE("customer", customer), LOG_TEXT("code", info->name));
    }
}

static Billing__V1__BillTotals *encode_row(struct request *request, const struct bill_list_row *row)
{
    const struct store_customer *customer = &row->customer;
    Billing__V1__BillTotals *m = arena_need(&request->arena, sizeof *m);
    billing__v1__bill_totals__init(m);
    reply_id(request, &m->has_customer_id, &m->customer_id, OBJECT_CUSTOMER, customer->seq);
    reply_text(request, &m->has_name, &m->name, customer->name);
    if (customer->external_id.length > 0) {
        reply_text(request, &m->has_external_id, &m->external_id, customer->external_id);
    }
    if (row->period.start_us >= 0) {
        reply_time(&m->has_start, &m->start, row->period.start_us);
    }
    reply_time(&m->has_end, &m->end, row->period.end_us);
    reply_text(request, &m->has_currency, &m->currency,
               slice_of(request->dispatch->options.currency));
    if (row->status == 0) {
        encode_totals(request, &row->totals, m);
    } else {
        encode_problem(request, row->status, m);
    }
    return m;
}

static void list_encode(struct request *request)
{
    const struct bill_list *list = request->args;
    Billing__V1__BillsReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__bills_reply__init(reply);
    reply->bills = arena_need(&request->arena, list->n * sizeof *reply->bills);
    for (; reply->n_bills < list->n; reply->n_bills++) {
        reply->bills[reply->n_bills] = encode_row(request, &list->rows[reply->n_bills]);
    }
    if (list->more) {
        cursor_print_number(request, CURSOR_BILLS, list->last_seq, &reply->has_next_cursor,
                            &reply->next_cursor);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_LIST_BILLS;
    request->response.list_bills = reply;
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
    {
        .call = BILLING__V1__REQUEST__CALL_LIST_BILLS,
        .name = "ListBills",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .heavy = true,
        .decode = list_decode,
        .query = list_query,
        .encode = list_encode,
    },
};

const struct method_family bill_calls = {methods, sizeof methods / sizeof methods[0]};
