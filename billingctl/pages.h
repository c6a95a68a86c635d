/* Lists, over all their pages.  Main thread. */
#pragma once

#include "billingctl/ctl.h"
#include "billingctl/output.h"

/* Ask for the page that QUERY wants; as the library's calls. */
typedef int (*page_fn)(const struct ctl *ctl, const billing_query *query,
                       billing_object **ret_reply, billing_error **ret_error);

/* Print what CALL lists, page after page, up to --limit rows, from --cursor on, as VIEW shows it.
 * QUERY has the other fields; it stays the caller's.  Returns the exit status. */
int pages_print(const struct ctl *ctl, billing_query *query, const struct view *view, page_fn call);

/* Set the window that --start and --end name in QUERY.  Returns CTL_DONE, or CTL_USAGE, having said
 * why. */
int pages_set_window(const struct ctl *ctl, billing_query *query);
