#include "billingd/rpc/usage_input.h"

#include "billingd/rpc/fields.h"

void usage_input_decode(struct request *request, int item, const Billing__V1__UsageInput *message,
                        struct usage_create *create)
{
    struct usage *usage = &create->asked.usage;
    create->asked.recorded_by = request->who.name;
    field_refuse_unknown(request, item, &message->base);
    field_customer(request, item, message->has_customer_id, message->customer_id,
                   &create->customer);
    field_text(request, item,
               &(struct text_field){"service", message->has_service, message->service,
                                    LIMIT_SERVICE_BYTES, true},
               &usage->service);
    field_service_allowed(request, item, usage->service);
    field_decimal(request, item, "units_consumed", message->has_units_consumed,
                  message->units_consumed, &usage->units);
    field_decimal(request, item, "price_per_unit", message->has_price_per_unit,
                  message->price_per_unit, &usage->price);
    field_time(request, item, "occurred_at", message->has_occurred_at, message->occurred_at,
               &usage->occurred_at_us);
    usage->occurred_at_given = message->has_occurred_at;
    field_labels(request, item, message->labels, message->n_labels, &usage->labels);
}
