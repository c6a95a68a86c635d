#include "proto/frame.h"

#include <stdlib.h>
#include <string.h>

void frame_reader_init(struct frame_reader *reader, size_t payload_max)
{
    *reader = (struct frame_reader){.payload_max = payload_max};
}

void frame_reader_done(struct frame_reader *reader)
{
    free(reader->data);
    *reader = (struct frame_reader){.payload_max = reader->payload_max};
}

/* Move what is not taken to the front, so that a long-lived reader does not creep. */
static void compact(struct frame_reader *reader)
{
    if (reader->start > 0) {
        memmove(reader->data, reader->data + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
}

int frame_reader_space(struct frame_reader *reader, size_t wanted, uint8_t **ret_space,
                       size_t *ret_bytes)
{
    compact(reader);
    if (reader->end + wanted > reader->capacity) {
        size_t bound = FRAME_HEADER_BYTES + reader->payload_max;
        size_t capacity = reader->capacity < bound / 2 ? reader->capacity * 2 : bound;
        if (capacity < reader->end + wanted) {
            capacity = reader->end + wanted;
        }
        uint8_t *data = realloc(reader->data, capacity);
        if (data == NULL && reader->end == reader->capacity) {
            return STATUS_NO_MEMORY;
        }
        if (data != NULL) {
            reader->data = data;
            reader->capacity = capacity;
        }
    }
    *ret_space = reader->data + reader->end;
    *ret_bytes = reader->capacity - reader->end;
    return 0;
}

void frame_reader_fed(struct frame_reader *reader, size_t bytes)
{
    reader->end += bytes;
}

static uint32_t header_read(const uint8_t *header)
{
    return (uint32_t)header[0] << 24 | (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 |
           (uint32_t)header[3];
}

int frame_reader_next(struct frame_reader *reader, const uint8_t **ret_payload, size_t *ret_bytes)
{
    size_t arrived = reader->end - reader->start;
    if (arrived < FRAME_HEADER_BYTES) {
        return STATUS_NEED_MORE;
    }
    const uint8_t *header = reader->data + reader->start;
    size_t payload_bytes = header_read(header);
    if (payload_bytes > reader->payload_max) {
        *ret_bytes = payload_bytes;
        return STATUS_TOO_LARGE;
    }
    if (arrived - FRAME_HEADER_BYTES < payload_bytes) {
        return STATUS_NEED_MORE;
    }
    *ret_payload = header + FRAME_HEADER_BYTES;
    *ret_bytes = payload_bytes;
    reader->start += FRAME_HEADER_BYTES + payload_bytes;
    return 0;
}

size_t frame_reader_pending(const struct frame_reader *reader)
{
    return reader->end - reader->start;
}

void frame_header_write(uint8_t *header, uint32_t payload_bytes)
{
    header[0] = (uint8_t)(payload_bytes >> 24);
    header[1] = (uint8_t)(payload_bytes >> 16);
    header[2] = (uint8_t)(payload_bytes >> 8);
    header[3] = (uint8_t)payload_bytes;
}
