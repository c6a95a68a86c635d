/* What every worker thread does first. */
#pragma once

/* Name the calling thread (for top and gdb; up to 15 bytes) and block all signals in it: they are
 * the loop thread's. */
void thread_begin(const char *name);

/* Say that the calling thread runs for less than a millisecond at a time, so that when it wakes up
 * it need not wait until the turn of another, some milliseconds long, is over.  Its share of the
 * processor stays the same.  A wish: Linux knows it since 6.12 (the slice of
 * Documentation/scheduler/sched-eevdf.rst), and where it is refused nothing changes. */
void thread_ask_short_turns(void);
