/* Filling struct errinfo.  Pure; any thread. */
#pragma once

#include "billingd/store/store.h"

/* Put the message into REASON, cut to its room, and return STATUS: so a failure is one
 * statement. */
__attribute__((format(printf, 3, 4))) int errinfo_set(struct errinfo *reason, int status,
                                                      const char *format, ...);
