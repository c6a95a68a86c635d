/* Memory that is freed all at once: what one step of a history needs, or the model as long as it
 * lives.  One thread. */
#pragma once

#include <stddef.h>

struct memory_block;

struct memory {
    struct memory_block *blocks; /* newest first; {0} is empty */
};

/* BYTES of zeroed memory; never NULL. */
void *memory_alloc(struct memory *memory, size_t bytes);

/* printf() into MEMORY. */
__attribute__((format(printf, 2, 3))) const char *memory_format(struct memory *memory,
                                                                const char *format, ...);

/* Free all of it; MEMORY is empty then and may be used again. */
void memory_done(struct memory *memory);

/* Put ITEM behind the *N at *LIST, which lies in MEMORY and moves as it grows. */
#define MEMORY_PUSH(memory, list, n, item)                                                         \
    do {                                                                                           \
        __typeof__(*(list)) push_item = (item); /* before the list changes */                      \
        (list) = memory_grow((memory), (list), (n), sizeof *(list));                               \
        (list)[(n)++] = push_item;                                                                 \
    } while (0)

/* Room for one more behind the N of SIZE bytes at LIST (NULL with 0): LIST or a copy of it. */
void *memory_grow(struct memory *memory, void *list, size_t n, size_t size);
