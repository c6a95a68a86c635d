/* What stands behind the flags: environment and configuration files.  Main thread.
 *
 * A file has lines "name = value": url, timeout, token_file, token.  Empty lines, and lines that
 * begin with "#", are nothing.  There is no flag for a secret, as others can read command lines: it
 * stands in a file that its owner alone may use, or in the environment. */
#pragma once

#include <stdbool.h>

#include <billing/billing.h>

#include "billingctl/ctl_exit.h"
#include "billingctl/text.h"

/* Take the configuration in TEXT, the contents of the file called NAME, into OPTIONS; a token only
 * where IS_PRIVATE.  Returns true, or false with *RETERR naming the file and the line. */
MUSTCHECK bool config_apply(const char *name, char *text, bool is_private, billing_options *options,
                            struct reason *reterr);

/* Take into OPTIONS, each over the one before: /etc/billing/billingctl.conf, billingctl.conf in
 * $XDG_CONFIG_HOME/billing (else $HOME/.config/billing), the environment, with $TRACEPARENT.  Files
 * that are not there are nothing.  Returns true, or false with *RETERR. */
MUSTCHECK bool config_load(billing_options *options, struct reason *reterr);
