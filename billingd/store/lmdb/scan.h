/* Reading row after row: customers, usage by either clock, and sums.
 *
 * By bills_at, the rows of `usage` that came in time are merged with those of `usage_late`.  Sums
 * are one row a record.  As their namesakes in store.h; one thread at a time for one view. */
#pragma once

#include "billingd/store/store.h"

MUSTCHECK int scan_customers(struct store_view *view, uint64_t after_seq, store_customer_fn row_cb,
                             void *arg);
MUSTCHECK int scan_usage(struct store_view *view, const struct store_usage_range *range,
                         store_record_fn row_cb, void *arg);
MUSTCHECK int scan_sums(struct store_view *view, const struct store_usage_range *range,
                        store_sum_fn row_cb, void *arg);
