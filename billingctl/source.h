/* What is imported, byte by byte, with the raw text of the record that is being read kept together.
 * Memory is bounded by the longest record allowed: of a longer one the beginning is forgotten, and
 * reading goes on, so that its end can be found.  Main thread; reads through a function that it
 * is handed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    SOURCE_RECORD_BYTES_MAX = 1024 * 1024,
};

/* What is wrong with a record that is too long. */
#define SOURCE_TOO_LONG "longer than 1 MiB"

/* Instead of a byte.  Once returned they are returned for ever. */
enum source_end {
    SOURCE_END = -1,         /* there is no more */
    SOURCE_INTERRUPTED = -2, /* the reading function was told to stop */
    SOURCE_FAILED = -3,      /* `error` says why */
};

/* Read up to BYTES into BUFFER.  Returns how many, 0 at the end, -1 with errno, or
 * SOURCE_INTERRUPTED. */
typedef ssize_t (*source_read_fn)(void *arg, char *buffer, size_t bytes);

struct source {
    source_read_fn read;
    void *arg;
    char *data; /* owned */
    size_t capacity;
    size_t start;  /* of the record, in data */
    size_t at;     /* the next byte */
    size_t end;    /* of what was read */
    uint64_t line; /* of the next byte, from 1 */
    uint64_t bytes_read;
    enum source_end ended; /* 0: not yet */
    int error;             /* errno of SOURCE_FAILED */
    bool too_long;         /* the record is: what is left of it is a part */
};

/* *SOURCE reads through READ, called with ARG.  A byte order mark at the start is skipped.  To be
 * given to source_done(). */
void source_init(struct source *source, source_read_fn read, void *arg);

/* Free what SOURCE owns. */
void source_done(struct source *source);

/* The next byte, 0 to 255, or an enum source_end. */
int source_next(struct source *source);

/* The same, but the byte stays the next one. */
int source_peek(struct source *source);

/* A record begins at the next byte. */
void source_begin_record(struct source *source);

/* The bytes of the record so far, or of its end where it is too long.  Valid until the next byte is
 * asked for. */
const char *source_record(const struct source *source, size_t *ret_length);
