/* The proper answers of a fake daemon to the calls about bills, invoices, entries other than usage,
 * and the catalogue.  Any thread. */
#pragma once

#include "tests/unit/fake_answers.h"

/* Hand RESPONSE, of which all but the result is filled, to SEND with the answer to REQUEST. */
void fake_answer_ledger(const Billing__V1__Request *request, Billing__V1__Response *response,
                        fake_send_fn send, void *arg);
