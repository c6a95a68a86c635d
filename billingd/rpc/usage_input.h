/* A UsageInput message checked and turned into what the ledger takes: for single calls and for
 * items of a batch alike.  Loop thread. */
#pragma once

#include "billingd/ledger/usage.h"
#include "billingd/rpc/request.h"

/* Fill CREATE from MESSAGE, all but its request id.  What is wrong is noted for ITEM. */
void usage_input_decode(struct request *request, int item, const Billing__V1__UsageInput *message,
                        struct usage_create *create);
