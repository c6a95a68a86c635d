/* The families of calls: each handler file has the rows of its own.  methods.c joins them. */
#pragma once

#include "billingd/rpc/dispatch.h"

struct method_family {
    const struct method *methods;
    size_t n;
};

extern const struct method_family customer_calls;
extern const struct method_family usage_calls;
extern const struct method_family batch_calls;
extern const struct method_family void_calls;
extern const struct method_family adjustment_calls;
extern const struct method_family catalogue_calls;
extern const struct method_family bill_calls;
extern const struct method_family invoice_calls;
extern const struct method_family verify_calls;
extern const struct method_family bill_record_calls;
extern const struct method_family summary_calls;
extern const struct method_family key_calls;
extern const struct method_family server_calls;
extern const struct method_family job_calls;
