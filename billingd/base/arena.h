/* Memory that is freed all at once: what one request needs from its first byte to its answer.
 *
 * An arena has a budget, so that a hostile request costs a refusal and not the daemon's memory.
 * It belongs to one thread at a time and moves with its request. */
#pragma once

#include <stddef.h>

#include "billingd/base/slice.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first; owned */
    char *at;                   /* free bytes of the newest */
    size_t left;
    size_t budget; /* bytes that may still be taken from the heap */
    size_t taken;  /* bytes taken so far */
};

/* An empty arena that takes at most BUDGET bytes. */
void arena_init(struct arena *arena, size_t budget);

/* Free all that was allocated. */
void arena_done(struct arena *arena);

/* As arena_done() and arena_init(), but a first chunk of the usual size is kept for what comes. */
void arena_reset(struct arena *arena, size_t budget);

/* BYTES of zeroed memory, aligned for anything; NULL where the budget is used up.  0 bytes are
 * somewhere too. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* As arena_alloc(), but not zeroed: for what is written whole at once. */
void *arena_take(struct arena *arena, size_t bytes);

/* As arena_alloc(), but aborts instead of returning NULL: for answers, whose size is bounded and
 * which must go out whatever happened. */
void *arena_need(struct arena *arena, size_t bytes);

/* From now on at most BYTES more may be taken from the heap. */
void arena_set_budget(struct arena *arena, size_t bytes);

/* How much was taken from the heap so far. */
size_t arena_bytes(const struct arena *arena);

/* As arena_alloc() for COUNT things of SIZE bytes; NULL also where the product overflows. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);

/* A copy of TEXT; *RET is written only on success.  Returns 0 or STATUS_TOO_LARGE. */
__attribute__((warn_unused_result)) int arena_copy(struct arena *arena, struct slice text,
                                                   struct slice *ret);

/* Formatted text, in the arena; empty where the budget is used up, since it is only ever prose. */
__attribute__((format(printf, 2, 3))) struct slice arena_printf(struct arena *arena,
                                                                const char *format, ...);
