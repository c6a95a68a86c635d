/* Records that outlive the view they were read from.  Pure; any thread. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/store/record.h"
#include "proto/status.h"

/* Copy the texts of RECORD into ARENA.  Returns 0 or STATUS_TOO_LARGE. */
MUSTCHECK int record_keep(struct arena *arena, struct record *record);

/* How many bytes those are, its request id and recorded_by among them. */
size_t record_text_bytes(const struct record *record);
