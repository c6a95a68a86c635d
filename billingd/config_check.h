/* What an option's own bounds cannot say: addresses, names, and options that go together.
 * Before threads; pure. */
#pragma once

#include "billingd/config_options.h"

/* Look at all of LOAD->config, which is complete.  What is wrong is said in LOAD. */
void config_check(struct config_load *load);
