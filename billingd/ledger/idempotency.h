/* Exactly once: what a request id that was used before means.
 *
 * A request id names one thing that was recorded, for ever, in the name space of its customer (or
 * of the daemon, for what creates customers).  The same payload under it is a retry, answered with
 * what was recorded; another payload is refused with the fields that differ.  Payloads are
 * compared as the caller sent them, after parsing: a field that was left to a default equals only
 * being left out again.
 *
 * Pure rules over a view; committer thread. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/outcome.h"
#include "billingd/store/store.h"

/* Look up the request id of ASKED (filled as it would be appended; seq, created_at_us and what
 * the rules derive are not compared).
 *
 * Returns 0 with *RET set: status 0 and not replayed: nothing is recorded under that id yet;
 * replayed: *RET_FIRST is what was recorded, to be answered again; STATUS_REQUEST_ID_REUSED.
 * Returns the store's error otherwise. */
MUSTCHECK int idempotency_check(struct store_view *view, const struct record *asked,
                                struct record *ret_first, struct outcome *ret);

/* As idempotency_check(), where *RECORD is what is asked: where that is replayed it becomes what
 * was recorded, its texts in ARENA.  Returns also STATUS_TOO_LARGE, where that is too small. */
MUSTCHECK int idempotency_answer(struct store_view *view, struct arena *arena,
                                 struct record *record, struct outcome *ret);

/* The fields, as bits of enum difference, in which ASKED's payload differs from FIRST's. */
unsigned idempotency_differences(const struct record *asked, const struct record *first);
