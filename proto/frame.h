/* Frames: a 4-byte big-endian length, then that many bytes of one message.
 *
 * Bytes go in as they arrive, frames come out; no I/O here.  The reader grows with what has
 * arrived, not with what a peer announces, and beyond its bound only by what its user wants to
 * put in.  A reader belongs to one thread at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "proto/status.h"

enum {
    FRAME_HEADER_BYTES = 4,
};

struct frame_reader {
    uint8_t *data;      /* owned; NULL while empty */
    size_t capacity;    /* of data */
    size_t start;       /* of what is not taken yet */
    size_t end;         /* behind what has arrived */
    size_t payload_max; /* a longer frame is refused */
};

/* An empty reader for frames of at most PAYLOAD_MAX bytes behind their length. */
void frame_reader_init(struct frame_reader *reader, size_t payload_max);

/* Free what READER owns.  It may be initialised again. */
void frame_reader_done(struct frame_reader *reader);

/* Room for at least 1 and, where it can be had, WANTED bytes behind what has arrived.  What
 * frame_reader_next() gave is no longer valid.  Returns 0, or STATUS_NO_MEMORY. */
MUSTCHECK int frame_reader_space(struct frame_reader *reader, size_t wanted, uint8_t **ret_space,
                                 size_t *ret_bytes);

/* BYTES of the space were filled. */
void frame_reader_fed(struct frame_reader *reader, size_t bytes);

/* Take the next whole frame.  *RET_PAYLOAD stays valid until frame_reader_space().
 *
 * Returns 0; STATUS_NEED_MORE; or STATUS_TOO_LARGE where the announced length, then in
 * *RET_BYTES, is beyond the bound: the stream cannot be resumed. */
MUSTCHECK int frame_reader_next(struct frame_reader *reader, const uint8_t **ret_payload,
                                size_t *ret_bytes);

/* How many bytes have arrived of a frame that is not whole: above 0, its sender owes the rest. */
size_t frame_reader_pending(const struct frame_reader *reader);

/* Write the length of a frame of PAYLOAD_BYTES into the 4 bytes at HEADER. */
void frame_header_write(uint8_t *header, uint32_t payload_bytes);
