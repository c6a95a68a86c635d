/* Verifying: all that a view sees, compared with the journal, which is read from its last block to
 * its first.
 *
 * - The journal itself (verify_journal.c): each block, the chain, no gaps.
 * - Tables of one row a record (verify_tables.c): each record's rows are looked up; where a table
 *   then has more rows than that, its rows are looked up in the journal.
 * - Customers and services as they are now (verify_customers.c, verify_services.c): backwards, the
 *   first word on something is the one that counts.
 * - Rows of segments and of the head (verify_segments.c, verify_rows.c): what the records call for
 *   and what is there are added up, each in a sketch of some kilobytes, which differ in the buckets
 *   where rows do; only those rows are then taken up and compared (verify_differences.c).
 * - Filters (verify_filter.c), and that no request id was recorded twice (verify_requests.c).
 *
 * So memory does not grow with the store but for some bits a record (verify_customers.c), and 16
 * bytes for each stretch of the journal that cannot be read.
 *
 * The thread that has the view. */
#pragma once

#include "billingd/store/store.h"

/* As store_verify(); the progress_cb of HOW is set. */
MUSTCHECK int verify_run(struct store_view *view, const struct store_verify *how,
                         struct store_verified *ret);
