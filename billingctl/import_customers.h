/* The customers of an import: their ids, each asked for once, and those that are created where they
 * are not there yet.  Grows with the customers that differ.  Main thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "billingctl/ctl_exit.h"
#include "billingctl/import_batch.h"
#include "billingctl/import_row.h"

/* A customer as rows name it; free where it has neither id nor reason. */
struct import_customer {
    uint64_t key[2]; /* half of a SHA-256 of the name */
    char *id;        /* owned; NULL: the daemon does not have it */
    char *reason;    /* owned; and why */
};

/* Starts as {0}; ends with import_customers_done(). */
struct import_customers {
    struct import_customer *slots; /* owned */
    size_t capacity;               /* a power of two, or 0 */
    size_t used;
};

/* Let ROW name its customer by its id, where that counts: where the customer is to be created at
 * need, as ROW has a name for it, and where a request id will be derived, which must not depend on
 * how a row names its customer.  ROW is rejected where the daemon has or takes no such customer.
 * The id is CUSTOMERS'.
 * Returns CTL_DONE, or another exit status, having said why: the import cannot go on. */
MUSTCHECK int import_customers_resolve(struct import_customers *customers,
                                       const struct import_batch *batch, struct import_row *row);

/* Free what CUSTOMERS owns. */
void import_customers_done(struct import_customers *customers);
