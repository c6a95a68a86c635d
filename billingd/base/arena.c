#include "billingd/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "billingd/base/assert.h"
#include "proto/status.h"

enum {
    CHUNK_BYTES = 4096 - 64, /* a first chunk holds a whole single-record request */
    ALIGNMENT = 16,
};

struct arena_chunk {
    struct arena_chunk *next;
    size_t bytes; /* behind this header */
    _Alignas(ALIGNMENT) char data[];
};

void arena_init(struct arena *arena, size_t budget)
{
    *arena = (struct arena){.budget = budget};
}

void arena_done(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    *arena = (struct arena){0};
}

static void use(struct arena *arena, struct arena_chunk *chunk)
{
    arena->chunks = chunk;
    arena->at = chunk->data;
    arena->left = chunk->bytes;
    arena->budget -= chunk->bytes;
    arena->taken += chunk->bytes;
}

void arena_reset(struct arena *arena, size_t budget)
{
    struct arena_chunk *kept = NULL;
    while (arena->chunks != NULL) {
        struct arena_chunk *next = arena->chunks->next;
        if (next == NULL && arena->chunks->bytes == CHUNK_BYTES && budget >= CHUNK_BYTES) {
            kept = arena->chunks;
        } else {
            free(arena->chunks);
        }
        arena->chunks = next;
    }
    arena_init(arena, budget);
    if (kept != NULL) {
        use(arena, kept);
    }
}

/* Chunks double, so that a batch of ten thousand takes a dozen of them. */
static bool grow(struct arena *arena, size_t bytes)
{
    size_t wanted = arena->chunks == NULL ? CHUNK_BYTES : arena->chunks->bytes * 2;
    if (wanted < bytes) {
        wanted = bytes;
    }
    if (wanted > arena->budget) {
        wanted = arena->budget;
    }
    if (wanted < bytes) {
        return false;
    }
    struct arena_chunk *chunk = malloc(sizeof *chunk + wanted);
    if (chunk == NULL) {
        return false;
    }
    chunk->next = arena->chunks;
    chunk->bytes = wanted;
    use(arena, chunk);
    return true;
}

void *arena_take(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX - ALIGNMENT) {
        return NULL;
    }
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if ((rounded > arena->left || arena->chunks == NULL) && !grow(arena, rounded)) {
        return NULL;
    }
    void *memory = arena->at;
    arena->at += rounded;
    arena->left -= rounded;
    return memory;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    void *memory = arena_take(arena, bytes);
    return memory == NULL ? NULL : memset(memory, 0, bytes);
}

void *arena_need(struct arena *arena, size_t bytes)
{
    void *memory = arena_alloc(arena, bytes);
    INVARIANT(memory != NULL);
    return memory;
}

void arena_set_budget(struct arena *arena, size_t bytes)
{
    arena->budget = bytes;
}

size_t arena_bytes(const struct arena *arena)
{
    return arena->taken;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : arena_alloc(arena, bytes);
}

int arena_copy(struct arena *arena, struct slice text, struct slice *ret)
{
    if (text.length == 0) {
        *ret = (struct slice){0};
        return 0;
    }
    char *data = arena_take(arena, text.length);
    if (data == NULL) {
        return STATUS_TOO_LARGE;
    }
    *ret = (struct slice){.data = memcpy(data, text.data, text.length), .length = text.length};
    return 0;
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
    char text[512]; /* prose is cut here; callers bound what they quote */
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (wanted < 0) {
        return (struct slice){0};
    }
    size_t length = (size_t)wanted < sizeof text ? (size_t)wanted : sizeof text - 1;
    struct slice copy = {0};
    return arena_copy(arena, (struct slice){text, length}, &copy) == 0 ? copy : (struct slice){0};
}
