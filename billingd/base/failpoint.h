/* Places where a test can make the worst happen.
 *
 * Compiled in only with BILLING_FAILPOINTS, and then driven by the environment:
 *   BILLING_FAILPOINT=after_commit:3        the process kills itself the third time it passes there
 *   BILLING_FAILPOINT=before_commit:1:hang  the thread that passes there first never goes on. */
#pragma once

#ifdef BILLING_FAILPOINTS
#define FAILPOINT(name) failpoint_pass(name)

/* Kill the process with SIGKILL, or hang, if the environment asks for it here.  Any thread. */
void failpoint_pass(const char *name);
#else
#define FAILPOINT(name) ((void)0)
#endif
