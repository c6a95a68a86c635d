#include "libbilling/src/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = _Alignof(max_align_t),
};

struct arena_chunk {
    struct arena_chunk *next;
    size_t capacity; /* of data */
    size_t used;
    max_align_t data[];
};

void arena_init(struct arena *arena, size_t chunk_bytes, size_t bytes_max)
{
    *arena = (struct arena){.chunk_bytes = chunk_bytes, .bytes_left = bytes_max};
}

void arena_wipe(struct arena *arena)
{
    for (struct arena_chunk *chunk = arena->chunks; chunk != NULL; chunk = chunk->next) {
        explicit_bzero(chunk->data, chunk->used);
    }
}

void arena_done(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena->chunks = NULL;
}

static bool grow(struct arena *arena, size_t bytes)
{
    size_t capacity = bytes > arena->chunk_bytes ? bytes : arena->chunk_bytes;
    if (capacity > arena->bytes_left) {
        capacity = bytes;
    }
    if (capacity > arena->bytes_left) {
        return false;
    }
    struct arena_chunk *chunk = malloc(sizeof *chunk + capacity);
    if (chunk == NULL) {
        arena->out_of_memory = true;
        return false;
    }
    *chunk = (struct arena_chunk){.next = arena->chunks, .capacity = capacity};
    arena->chunks = chunk;
    arena->bytes_left -= capacity;
    return true;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX - (size_t)2 * ALIGNMENT) {
        return NULL;
    }
    size_t rounded = (bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT; /* always one byte more */
    struct arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->capacity - chunk->used < rounded) {
        if (!grow(arena, rounded)) {
            return NULL;
        }
        chunk = arena->chunks;
    }
    char *memory = (char *)chunk->data + chunk->used;
    chunk->used += rounded;
    memory[bytes] = '\0';
    return memory;
}

static void *allocator_alloc(void *arena, size_t bytes)
{
    return arena_alloc(arena, bytes);
}

static void allocator_free(void *arena, void *memory)
{
    (void)arena;
    (void)memory; /* goes with the arena */
}

ProtobufCAllocator arena_allocator(struct arena *arena)
{
    return (ProtobufCAllocator){
        .alloc = allocator_alloc,
        .free = allocator_free,
        .allocator_data = arena,
    };
}
