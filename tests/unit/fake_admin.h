/* The proper answers of a fake daemon to the calls about API keys and long work.  Any thread.
 *
 * A backup into "/slow" runs until it is cancelled, one into "/stuck" until fake_end_stuck();
 * others are done when they are first asked for. */
#pragma once

#include "tests/unit/fake_answers.h"

/* The secret of every key that is made. */
#define FAKE_NEW_KEY "bk_new-secret"

/* Let the backups into "/stuck", of all fakes, have come to STATE.  RUNNING: not yet, as at first.
 * Any thread. */
void fake_end_stuck(Billing__V1__Job__State state);

/* Hand RESPONSE, of which all but the result is filled, to SEND with the answer to REQUEST. */
void fake_answer_admin(const Billing__V1__Request *request, Billing__V1__Response *response,
                       fake_send_fn send, void *arg);
