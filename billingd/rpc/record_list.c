#include "billingd/rpc/record_list.h"

#include "billingd/rpc/fields.h"
#include "proto/timestamp.h"

void record_list_decode(struct request *request, const struct record_list_fields *fields,
                        const enum cursor_list lists[2], struct record_page *page)
{
    struct store_range *range = &page->range;
    struct period period = {.end_us = TIMESTAMP_MAX + 1};
    field_refuse_unknown(request, -1, fields->base);
    field_customer(request, -1, fields->has_customer_id, fields->customer_id, &page->customer);
    field_text(request, -1,
               &(struct text_field){"service", fields->has_service, fields->service,
                                    LIMIT_SERVICE_BYTES, false},
               &page->service);
    field_limit(request, fields->has_limit, fields->limit, LIMIT_PAGE_DEFAULT, &page->limit);
    field_clock(request, fields->has_by, fields->by, &range->by);
    field_range(request, fields->has_start, fields->start, fields->has_end, fields->end, &period);
    range->start_us = period.start_us;
    range->end_us = period.end_us;
    range->after =
        cursor_parse_position(request, lists[range->by], fields->has_cursor, fields->cursor);
}

void record_list_cursor(struct request *request, const struct record_page *page,
                        const enum cursor_list lists[2], protobuf_c_boolean *has,
                        ProtobufCBinaryData *field)
{
    if (page->more) {
        cursor_print_position(request, lists[page->range.by], page->last, has, field);
    }
}
