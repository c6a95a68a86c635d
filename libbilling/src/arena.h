/* Memory that is freed as a whole: a decoded reply, the items of a batch.
 *
 * Bounded, so that hostile bytes cannot make it grow without end.  One thread at a time.  Never
 * aborts: what does not fit is NULL. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

struct arena {
    struct arena_chunk *chunks; /* owned, the newest first */
    size_t chunk_bytes;         /* of the next chunk, at least */
    size_t bytes_left;          /* that may still be asked of the heap */
    bool out_of_memory;         /* the heap said no, rather than the bound */
};

/* An empty arena that asks the heap for pieces of CHUNK_BYTES or more, BYTES_MAX in all. */
void arena_init(struct arena *arena, size_t chunk_bytes, size_t bytes_max);

/* Overwrite all that ARENA gave, which is not to be used any more. */
void arena_wipe(struct arena *arena);

/* Free all that ARENA gave. */
void arena_done(struct arena *arena);

/* BYTES of memory for any type, with a zero byte behind them: so a byte field of a message that
 * was unpacked here is also a C string.  NULL if the heap or the bound says no. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* An allocator over ARENA for protobuf-c; valid as long as ARENA stays where it is. */
ProtobufCAllocator arena_allocator(struct arena *arena);
