/* Places where a test can make the worst happen.
 *
 * Compiled in only with BILLING_FAILPOINTS, and then driven by the environment:
 *   BILLING_FAILPOINT=after_commit:3   the process kills itself the third time it passes there. */
#pragma once

#ifdef BILLING_FAILPOINTS
#define FAILPOINT(name) failpoint_pass(name)

/* Kill the process with SIGKILL if the environment asks for it here.  Any thread. */
void failpoint_pass(const char *name);
#else
#define FAILPOINT(name) ((void)0)
#endif
