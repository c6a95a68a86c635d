/* One run of billingctl: what was asked, and the client that asks the daemon.  Main thread. */
#pragma once

#include <billing/billing.h>

#include "billingctl/commands.h"
#include "billingctl/options.h"
#include "billingctl/output.h"

struct ctl {
    char *const *argv; /* the whole command line */
    int argc;
    struct options options;
    const struct command *command;
    enum output_format format;
    billing_client *client; /* owned; NULL for a local command */
    const char *request_id; /* of a command that records one thing; else NULL */
    char request_id_made[BILLING_REQUEST_ID_BYTES_MAX + 1]; /* where none was given */
};

/* Run the command line, ARGC words at ARGV, to its end.  Returns how billingctl ends. */
int ctl_run(int argc, char *const *argv);

/* Argument INDEX, from 0, behind noun and verb; NULL where it is left out. */
const char *ctl_arg(const struct ctl *ctl, size_t index);

/* The value of flag ID, or NULL. */
const char *ctl_value(const struct ctl *ctl, enum flag_id id);

/* The time that flag ID names: *RET_US, which stays as it is where the flag is not given.  Returns
 * CTL_DONE, or CTL_USAGE, having said why. */
int ctl_time(const struct ctl *ctl, enum flag_id id, int64_t *ret_us);

/* Say in printf()'s manner what is wrong with the command line, and how it should look.  Returns
 * CTL_USAGE. */
__attribute__((format(printf, 2, 3))) int ctl_usage(const struct ctl *ctl, const char *format, ...);

/* The same of the value of flag ID. */
int ctl_usage_value(const struct ctl *ctl, enum flag_id id, const struct reason *reason);

/* Say that a call returned STATUS with ERROR (NULL: out of memory), and what can be done; free
 * ERROR.  Returns the exit status that this means. */
int ctl_failed(const struct ctl *ctl, int status, billing_error *error);

/* Say of ERROR what the daemon or the library says, and nothing of what can be done.  ERROR stays
 * the caller's. */
void ctl_say_error(const struct ctl *ctl, int status, const billing_error *error);

/* The exit status that STATUS, a failed call's result, means. */
int ctl_exit_status(int status);

/* The end of a call with one reply: print MEMBER of REPLY (NULL: the whole) or say ERROR, and free
 * both.  Returns the exit status. */
int ctl_finish(const struct ctl *ctl, int status, billing_object *reply, billing_error *error,
               const char *member);
