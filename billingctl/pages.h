/* Lists, over all their pages.  Main thread. */
#pragma once

#include "billingctl/ctl.h"
#include "billingctl/list.h"

/* Ask for the page that QUERY wants; as the library's calls. */
typedef int (*page_fn)(const struct ctl *ctl, const billing_query *query,
                       billing_object **ret_reply, billing_error **ret_error);

/* Set in QUERY what the command line asks for.  Returns CTL_DONE, or another exit status, having
 * said why. */
typedef int (*query_fn)(const struct ctl *ctl, billing_query *query);

/* Print what CALL lists, page after page, up to --limit rows, from --cursor on, as VIEW shows it.
 * SET, NULL for nothing, sets the other fields of the query.  Returns the exit status. */
int pages_list(const struct ctl *ctl, query_fn set, const struct view *view, page_fn call);

/* A query_fn: the window that --month, or --start and --end, name. */
int pages_set_window(const struct ctl *ctl, billing_query *query);

/* The same, and an end must be there. */
int pages_set_closed_window(const struct ctl *ctl, billing_query *query);

/* The same, and where there is a start there is an end, and the other way round. */
int pages_set_whole_window(const struct ctl *ctl, billing_query *query);

/* A query_fn: the window as of pages_set_window(), --by and --service. */
int pages_set_filter(const struct ctl *ctl, billing_query *query);
