/* Errors that callers get.  Made once, by the call that failed; never changed.  Any thread. */
#pragma once

#include <billing/billing.h>

#include "libbilling/src/failure.h"

/* What an error is made of. */
struct error_parts {
    int kind;                      /* BILLING_E_ */
    const struct failure *failure; /* where the daemon gave no answer, else NULL */
    billing_object *problem;       /* its answer, a Problem, else NULL */
    const char *request_id;        /* that every try carried, or NULL; copied */
    int attempts;
};

/* An error of PARTS; it owns the problem from now on, and it frees it where there is no memory for
 * an error.  NULL then. */
billing_error *error_new(const struct error_parts *parts);
