#include "billingctl/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "billingctl/memory.h"

enum {
    BLOCK_BYTES = 64 * 1024,
};

void source_init(struct source *source, source_read_fn read, void *arg)
{
    static const char mark[] = "\xEF\xBB\xBF";
    *source = (struct source){.read = read, .arg = arg, .line = 1};
    for (size_t i = 0; i < sizeof mark - 1; i++) {
        if (source_peek(source) != (unsigned char)mark[i]) {
            source->at = 0; /* it was something else: from the start again */
            return;
        }
        source->at++;
    }
}

void source_done(struct source *source)
{
    free(source->data);
    *source = (struct source){0};
}

/* Read more behind what is there, keeping the record from its start. */
static void fill(struct source *source)
{
    if (source->start > 0) {
        memmove(source->data, source->data + source->start, source->end - source->start);
        source->at -= source->start;
        source->end -= source->start;
        source->start = 0;
    }
    if (source->end >= SOURCE_RECORD_BYTES_MAX) {
        source->too_long = true;
        source->at = 0;
        source->end = 0;
    }
    if (source->capacity - source->end < BLOCK_BYTES) {
        source->capacity = source->end + BLOCK_BYTES;
        source->data = memory_resize(source->data, source->capacity, 1);
    }
    ssize_t got = source->read(source->arg, source->data + source->end, BLOCK_BYTES);
    if (got > 0) {
        source->end += (size_t)got;
        source->bytes_read += (uint64_t)got;
    } else if (got == 0) {
        source->ended = SOURCE_END;
    } else if (got == SOURCE_INTERRUPTED) {
        source->ended = SOURCE_INTERRUPTED;
    } else {
        source->error = errno;
        source->ended = SOURCE_FAILED;
    }
}

int source_peek(struct source *source)
{
    if (source->at == source->end && source->ended == 0) {
        fill(source);
    }
    return source->at < source->end ? (unsigned char)source->data[source->at] : source->ended;
}

int source_next(struct source *source)
{
    int byte = source_peek(source);
    if (byte >= 0) {
        source->at++;
        source->line += byte == '\n';
    }
    return byte;
}

void source_begin_record(struct source *source)
{
    source->start = source->at;
    source->too_long = false;
}

const char *source_record(const struct source *source, size_t *ret_length)
{
    *ret_length = source->at - source->start;
    return source->data + source->start;
}
