/* What holds of a ledger whatever was asked of it. */
#pragma once

#include "tests/fuzz/counter.h"

/* RESPONSE is well formed: its texts are UTF-8, and its message is lawful JSON. */
void check_response(const Billing__V1__Response *response);

/* The bill of every customer, over all time, is the sum of the records in the journal; and every
 * invoice is verified. */
void check_money(struct counter *counter);
