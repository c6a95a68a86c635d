#include "libbilling/src/usage_input.h"

#include <stdlib.h>

#include "libbilling/src/message.h"
#include "proto/timestamp.h"

billing_usage_input *billing_usage_input_new(void)
{
    billing_usage_input *input = calloc(1, sizeof *input);
    if (input == NULL) {
        return NULL;
    }
    billing__v1__usage_input__init(&input->message);
    for (size_t i = 0; i < LIMIT_LABELS; i++) {
        billing__v1__label__init(&input->labels[i]);
        input->label_list[i] = &input->labels[i];
    }
    input->message.labels = input->label_list;
    return input;
}

void billing_usage_input_free(billing_usage_input *input)
{
    if (input == NULL) {
        return;
    }
    free(input->message.customer_id.data);
    free(input->message.service.data);
    free(input->message.units_consumed.data);
    free(input->message.price_per_unit.data);
    free(input->message.request_id.data);
    for (size_t i = 0; i < LIMIT_LABELS; i++) {
        free(input->labels[i].name.data);
        free(input->labels[i].value.data);
    }
    free(input);
}

/* The memory of the texts stays for the next record. */
void billing_usage_input_clear(billing_usage_input *input)
{
    if (input != NULL) {
        input->message.has_customer_id = 0;
        input->message.has_service = 0;
        input->message.has_units_consumed = 0;
        input->message.has_price_per_unit = 0;
        input->message.has_occurred_at = 0;
        input->message.has_request_id = 0;
        input->message.n_labels = 0;
        input->failed = false;
    }
}

static int set_text(billing_usage_input *input, protobuf_c_boolean *has, ProtobufCBinaryData *field,
                    const char *text)
{
    int status = message_copy(has, field, text);
    input->failed |= status != 0;
    return status;
}

int billing_usage_input_set_customer(billing_usage_input *input, const char *customer_id)
{
    return input == NULL ? BILLING_E_ARGUMENT
                         : set_text(input, &input->message.has_customer_id,
                                    &input->message.customer_id, customer_id);
}

int billing_usage_input_set_service(billing_usage_input *input, const char *service)
{
    return input == NULL
               ? BILLING_E_ARGUMENT
               : set_text(input, &input->message.has_service, &input->message.service, service);
}

int billing_usage_input_set_units(billing_usage_input *input, const char *units_consumed)
{
    return input == NULL ? BILLING_E_ARGUMENT
                         : set_text(input, &input->message.has_units_consumed,
                                    &input->message.units_consumed, units_consumed);
}

int billing_usage_input_set_price(billing_usage_input *input, const char *price_per_unit)
{
    return input == NULL ? BILLING_E_ARGUMENT
                         : set_text(input, &input->message.has_price_per_unit,
                                    &input->message.price_per_unit, price_per_unit);
}

int billing_usage_input_set_request_id(billing_usage_input *input, const char *request_id)
{
    return input == NULL ? BILLING_E_ARGUMENT
                         : set_text(input, &input->message.has_request_id,
                                    &input->message.request_id, request_id);
}

int billing_usage_input_set_time_us(billing_usage_input *input, int64_t occurred_at_us)
{
    if (input == NULL) {
        return BILLING_E_ARGUMENT;
    }
    if (occurred_at_us < 0 || occurred_at_us > TIMESTAMP_MAX) {
        return BILLING_E_RANGE;
    }
    input->message.has_occurred_at = 1;
    input->message.occurred_at = occurred_at_us;
    return 0;
}

int billing_usage_input_add_label(billing_usage_input *input, const char *name, const char *value)
{
    if (input == NULL || name == NULL || value == NULL) {
        return BILLING_E_ARGUMENT;
    }
    if (input->message.n_labels == LIMIT_LABELS) {
        return BILLING_E_FULL;
    }
    Billing__V1__Label *label = &input->labels[input->message.n_labels];
    int status = set_text(input, &label->has_name, &label->name, name);
    if (status == 0) {
        status = set_text(input, &label->has_value, &label->value, value);
    }
    if (status == 0) {
        input->message.n_labels++;
    }
    return status;
}
