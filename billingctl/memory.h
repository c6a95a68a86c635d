/* Memory for a program that has nothing better to do without it than to say so and end: whatever
 * billingctl was doing can be run again.  Main thread. */
#pragma once

#include <stddef.h>

/* COUNT items of SIZE bytes in place of OLD (NULL: new), with what OLD held; free() it.  Does not
 * return where there is no memory. */
__attribute__((returns_nonnull)) void *memory_resize(void *old, size_t count, size_t size);

/* A copy of TEXT; free() it. */
__attribute__((returns_nonnull)) char *memory_copy(const char *text);
