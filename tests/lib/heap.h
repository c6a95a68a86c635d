/* A heap that fails once: the allocations of whatever is linked into the program with
 *
 *   -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
 *
 * Those of the thread alone that asked for it, so that a daemon beside it has what it needs. */
#pragma once

#include <stdbool.h>

/* From now on count this thread's allocations.  N more succeed, then one fails, then all succeed;
 * with a negative N all do. */
void heap_begin(long n);

/* Count no more.  Returns how many blocks were taken since and are not given back. */
long heap_end(void);

/* No allocation fails any more. */
void heap_heal(void);

/* Whether one has failed since heap_begin(). */
bool heap_failed(void);
