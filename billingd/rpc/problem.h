/* Refusals as RFC 9457 problems: one shape for every error, through either door and for each item
 * of a batch.  Loop thread; everything lies in the request's arena. */
#pragma once

#include "billingd/ledger/outcome.h"
#include "billingd/rpc/request.h"

/* A problem of STATUS; DETAIL says in words what is wrong here, and is copied. */
Billing__V1__Problem *problem_of_status(struct request *request, int status, struct slice detail);

/* The problem of all field errors of ITEM (-1: of the request itself), of which there is at least
 * one: its code is theirs where they agree.  AS_STATUS, where not 0, is the status to give it
 * instead. */
Billing__V1__Problem *problem_of_errors(struct request *request, int item, int as_status);

/* The problem of a refusing OUTCOME of a write under REQUEST_ID. */
Billing__V1__Problem *problem_of_outcome(struct request *request, const struct outcome *outcome,
                                         struct slice request_id);

/* Make PROBLEM the answer to REQUEST. */
void problem_reply(struct request *request, Billing__V1__Problem *problem);
