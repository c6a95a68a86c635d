/* What any process has to tell of itself, under the names of the official client libraries. */
#pragma once

#include "billingd/base/metrics_text.h"

/* Where /proc does not say it, it is left out.  Any thread. */
void process_metrics_write(struct metrics_text *text);
