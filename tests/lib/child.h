/* What ends its process, looked at from outside: a function run in a forked child. */
#pragma once

/* Run FN(ARG) in a child whose stderr is dropped, before this process has threads.  Returns the
 * child's exit status, or minus the signal that ended it; a child whose FN returns exits with 0.
 * Fails the test where it cannot fork. */
int child_run(void (*fn)(void *arg), void *arg);
