#include "billingd/rpc/methods.h"

static const struct method_family *const families[] = {
    &usage_calls,     &batch_calls,       &void_calls,    &adjustment_calls, &customer_calls,
    &bill_calls,      &bill_record_calls, &summary_calls, &invoice_calls,    &verify_calls,
    &catalogue_calls, &key_calls,         &server_calls,  &job_calls,
};

const struct method *method_find(Billing__V1__Request__CallCase call)
{
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        for (size_t i = 0; i < families[f]->n; i++) {
            if (families[f]->methods[i].call == call) {
                return &families[f]->methods[i];
            }
        }
    }
    return NULL;
}
