/* What stands behind the flags: environment and configuration files.  Main thread.
 *
 * A file has lines "name = value": url, timeout, token_file.  Empty lines, and lines that begin
 * with "#", are nothing.  There is no name and no flag for a secret: it stands in a file of its
 * own, or in the environment. */
#pragma once

#include <stdbool.h>

#include <billing/billing.h>

#include "billingctl/ctl_exit.h"
#include "billingctl/text.h"

/* Take the configuration in TEXT, the contents of the file called NAME, into OPTIONS.
 * Returns true, or false with *RETERR naming the file and the line. */
MUSTCHECK bool config_apply(const char *name, char *text, billing_options *options,
                            struct reason *reterr);

/* Take into OPTIONS, each over the one before: /etc/billing/billingctl.conf, billingctl.conf in
 * $XDG_CONFIG_HOME/billing (else $HOME/.config/billing), the environment.  Files that are not there
 * are nothing.  Returns true, or false with *RETERR. */
MUSTCHECK bool config_load(billing_options *options, struct reason *reterr);
