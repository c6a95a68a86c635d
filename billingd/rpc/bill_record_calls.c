/* ListBillRecords. */
#include "billingd/ledger/bill_records.h"
#include "billingd/rpc/cursor.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/reply.h"

/* --- decode ----------------------------------------------------------------------------------- */

static int list_decode(struct request *request)
{
    const Billing__V1__ListBillRecords *m = request->message->list_bill_records;
    struct bill_records *list = arena_need(&request->arena, sizeof *list);
    request->args = list;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &list->customer);
    field_text(
        request, -1,
        &(struct text_field){"service", m->has_service, m->service, LIMIT_SERVICE_BYTES, false},
        &list->service);
    list->by_price = m->has_price_per_unit;
    if (list->by_price) {
        field_decimal(request, -1, "price_per_unit", true, m->price_per_unit, &list->price);
    }
    field_limit(request, m->has_limit, m->limit, LIMIT_PAGE_DEFAULT, &list->limit);
    list->current =
        !field_period(request, m->has_start, m->start, m->has_end, m->end, &list->period);
    list->after = cursor_parse_position(request, CURSOR_BILL_RECORDS, m->has_cursor, m->cursor);
    return 0;
}

static int list_query(struct request *request, struct store_view *view,
                      const struct ledger_env *env)
{
    return bill_records_list(view, &request->arena, env, request->args);
}

/* --- encode ----------------------------------------------------------------------------------- */

static void encode_late(Billing__V1__BillRecord *m)
{
    m->has_late = true;
    m->late = m->bills_at > m->occurred_at;
}

/* Service, price and units of usage, or of what is voided. */
static void encode_usage(struct request *request, const struct bill_record *row,
                         Billing__V1__BillRecord *m)
{
    reply_text(request, &m->has_service, &m->service, row->usage.service);
    reply_decimal(request, &m->has_price_per_unit, &m->price_per_unit, row->usage.price);
    reply_amount(request, &m->has_units_consumed, &m->units_consumed, row->units);
}

static void encode_kind(struct request *request, const struct bill_record *row,
                        Billing__V1__BillRecord *m)
{
    const struct record *record = &row->record;
    m->has_kind = true;
    if (record->kind == RECORD_USAGE) {
        m->kind = BILLING__V1__BILL_RECORD__KIND__USAGE;
        encode_usage(request, row, m);
        encode_late(m);
    } else if (record->kind == RECORD_USAGE_VOIDED) {
        m->kind = BILLING__V1__BILL_RECORD__KIND__VOID;
        encode_usage(request, row, m);
        reply_id(request, &m->has_usage_id, &m->usage_id, OBJECT_USAGE, record->usage_voided.usage);
        reply_text(request, &m->has_reason, &m->reason, record->usage_voided.reason);
    } else {
        m->kind = BILLING__V1__BILL_RECORD__KIND__ADJUSTMENT;
        if (record->adjustment.service.length > 0) {
            reply_text(request, &m->has_service, &m->service, record->adjustment.service);
        }
        reply_text(request, &m->has_reason, &m->reason, record->adjustment.reason);
        encode_late(m);
    }
}

static Billing__V1__BillRecord *encode_record(struct request *request,
                                              const struct bill_record *row)
{
    const struct record *record = &row->record;
    Billing__V1__BillRecord *m = arena_need(&request->arena, sizeof *m);
    billing__v1__bill_record__init(m);
    reply_id(request, &m->has_id, &m->id, object_kind_of(record->kind), record->seq);
    m->has_occurred_at = m->has_bills_at = record_times(record, &m->occurred_at, &m->bills_at);
    encode_kind(request, row, m);
    reply_amount(request, &m->has_exact_amount, &m->exact_amount, row->exact);
    reply_time(&m->has_created_at, &m->created_at, record->created_at_us);
    reply_text(request, &m->has_request_id, &m->request_id, record->request_id);
    reply_text(request, &m->has_recorded_by, &m->recorded_by, record->recorded_by);
    return m;
}

static void list_encode(struct request *request)
{
    const struct bill_records *list = request->args;
    Billing__V1__BillRecordsReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__bill_records_reply__init(reply);
    reply->records = arena_need(&request->arena, list->n * sizeof *reply->records);
    for (; reply->n_records < list->n; reply->n_records++) {
        reply->records[reply->n_records] = encode_record(request, &list->records[reply->n_records]);
    }
    if (list->more) {
        cursor_print_position(request, CURSOR_BILL_RECORDS, list->last, &reply->has_next_cursor,
                              &reply->next_cursor);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_LIST_BILL_RECORDS;
    request->response.list_bill_records = reply;
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_LIST_BILL_RECORDS,
        .name = "ListBillRecords",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = list_decode,
        .query = list_query,
        .encode = list_encode,
    },
};

const struct method_family bill_record_calls = {methods, sizeof methods / sizeof methods[0]};
