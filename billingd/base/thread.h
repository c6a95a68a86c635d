/* What every worker thread does first. */
#pragma once

/* Name the calling thread (for top and gdb; up to 15 bytes) and block all signals in it: they are
 * the loop thread's. */
void thread_begin(const char *name);
