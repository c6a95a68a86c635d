#include "billingd/rpc/reply_bill.h"

Billing__V1__BillLine *reply_bill_line(struct request *request, const struct bill_line *line,
                                       int minor_digits)
{
    Billing__V1__BillLine *m = arena_need(&request->arena, sizeof *m);
    billing__v1__bill_line__init(m);
    reply_text(request, &m->has_service, &m->service, line->service);
    reply_decimal(request, &m->has_price_per_unit, &m->price_per_unit, line->price);
    reply_amount(request, &m->has_units_consumed, &m->units_consumed, line->units);
    reply_amount(request, &m->has_exact_amount, &m->exact_amount, line->exact);
    reply_amount(request, &m->has_amount, &m->amount, bill_round(line->exact, minor_digits));
    reply_count(&m->has_records, &m->records, line->records);
    reply_count(&m->has_voided, &m->voided, line->voided);
    reply_count(&m->has_late, &m->late, line->late);
    return m;
}

Billing__V1__BillAdjustment *reply_bill_adjustment(struct request *request,
                                                   const struct record *record, int minor_digits)
{
    const struct adjustment *adjustment = &record->adjustment;
    struct amount exact = amount_from_decimal(adjustment->amount);
    Billing__V1__BillAdjustment *m = arena_need(&request->arena, sizeof *m);
    billing__v1__bill_adjustment__init(m);
    reply_id(request, &m->has_id, &m->id, OBJECT_ADJUSTMENT, record->seq);
    if (adjustment->service.length > 0) {
        reply_text(request, &m->has_service, &m->service, adjustment->service);
    }
    reply_amount(request, &m->has_exact_amount, &m->exact_amount, exact);
    reply_amount(request, &m->has_amount, &m->amount, bill_round(exact, minor_digits));
    reply_text(request, &m->has_reason, &m->reason, adjustment->reason);
    reply_time(&m->has_occurred_at, &m->occurred_at, adjustment->occurred_at_us);
    return m;
}
