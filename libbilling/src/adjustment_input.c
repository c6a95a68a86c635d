#include "libbilling/src/adjustment_input.h"

#include <stdlib.h>

#include "libbilling/src/message.h"
#include "proto/timestamp.h"

billing_adjustment_input *billing_adjustment_input_new(void)
{
    billing_adjustment_input *input = calloc(1, sizeof *input);
    if (input != NULL) {
        billing__v1__create_adjustment__init(&input->message);
    }
    return input;
}

void billing_adjustment_input_free(billing_adjustment_input *input)
{
    if (input != NULL) {
        free(input->message.customer_id.data);
        free(input->message.amount.data);
        free(input->message.reason.data);
        free(input->message.service.data);
        free(input->message.request_id.data);
        free(input);
    }
}

/* The memory of the texts stays for the next adjustment. */
void billing_adjustment_input_clear(billing_adjustment_input *input)
{
    if (input != NULL) {
        input->message.has_customer_id = 0;
        input->message.has_amount = 0;
        input->message.has_reason = 0;
        input->message.has_service = 0;
        input->message.has_occurred_at = 0;
        input->message.has_request_id = 0;
        input->failed = false;
    }
}

static int set_text(billing_adjustment_input *input, protobuf_c_boolean *has,
                    ProtobufCBinaryData *field, const char *text)
{
    int status = message_copy(has, field, text);
    input->failed |= status != 0;
    return status;
}

int billing_adjustment_input_set_customer(billing_adjustment_input *input, const char *customer_id)
{
    return input == NULL ? BILLING_E_ARGUMENT
                         : set_text(input, &input->message.has_customer_id,
                                    &input->message.customer_id, customer_id);
}

int billing_adjustment_input_set_amount(billing_adjustment_input *input, const char *amount)
{
    return input == NULL
               ? BILLING_E_ARGUMENT
               : set_text(input, &input->message.has_amount, &input->message.amount, amount);
}

int billing_adjustment_input_set_reason(billing_adjustment_input *input, const char *reason)
{
    return input == NULL
               ? BILLING_E_ARGUMENT
               : set_text(input, &input->message.has_reason, &input->message.reason, reason);
}

int billing_adjustment_input_set_service(billing_adjustment_input *input, const char *service)
{
    return input == NULL
               ? BILLING_E_ARGUMENT
               : set_text(input, &input->message.has_service, &input->message.service, service);
}

int billing_adjustment_input_set_request_id(billing_adjustment_input *input, const char *request_id)
{
    return input == NULL ? BILLING_E_ARGUMENT
                         : set_text(input, &input->message.has_request_id,
                                    &input->message.request_id, request_id);
}

int billing_adjustment_input_set_time_us(billing_adjustment_input *input, int64_t occurred_at_us)
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
