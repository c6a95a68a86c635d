/* Reading row after row: customers, invoices and services by their keys (scan.c), what stands on
 * bills by either clock and its sums (scan_billable.c), and the journal.
 *
 * As their namesakes in store.h; one thread at a time for one view. */
#pragma once

#include "billingd/store/store.h"

MUSTCHECK int scan_customers(struct store_view *view, uint64_t after_seq, store_customer_fn row_cb,
                             void *arg);
MUSTCHECK int scan_invoices(struct store_view *view, uint64_t customer, uint64_t after_number,
                            store_record_fn row_cb, void *arg);
MUSTCHECK int scan_services(struct store_view *view, struct slice after_name,
                            store_service_fn row_cb, void *arg);
MUSTCHECK int scan_journal(struct store_view *view, uint64_t after_seq, store_record_fn row_cb,
                           void *arg);
MUSTCHECK int scan_billable(struct store_view *view, const struct store_range *range,
                            store_record_fn row_cb, void *arg);
MUSTCHECK int scan_positions(struct store_view *view, const struct store_range *range,
                             store_position_fn row_cb, void *arg);
MUSTCHECK int scan_sums(struct store_view *view, const struct store_range *range,
                        store_sum_fn row_cb, void *arg);
