/* Frames: however a stream is cut, the same frames come out of it as whoever reads it with all of
 * it at hand sees.  The first two bytes are the bound of a frame, the third how it is cut. */
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "tests/fuzz/fuzz.h"

/* What is known of the stream without the reader. */
struct expected {
    struct slice rest;
    size_t payload_max;
};

static size_t announced(struct slice header)
{
    const uint8_t *h = (const uint8_t *)header.data;
    return (size_t)h[0] << 24 | (size_t)h[1] << 16 | (size_t)h[2] << 8 | h[3];
}

static int expect(struct expected *expected, struct slice *ret)
{
    struct slice *rest = &expected->rest;
    if (rest->length < FRAME_HEADER_BYTES) {
        return STATUS_NEED_MORE;
    }
    size_t bytes = announced(*rest);
    if (bytes > expected->payload_max) {
        return STATUS_TOO_LARGE;
    }
    if (rest->length - FRAME_HEADER_BYTES < bytes) {
        return STATUS_NEED_MORE;
    }
    *ret = (struct slice){rest->data + FRAME_HEADER_BYTES, bytes};
    *rest = (struct slice){ret->data + bytes, rest->length - FRAME_HEADER_BYTES - bytes};
    return 0;
}

/* Take all frames that READER has.  Returns how that ends. */
static int drain(struct frame_reader *reader, struct expected *expected)
{
    const uint8_t *payload;
    size_t bytes;
    int status;
    while ((status = frame_reader_next(reader, &payload, &bytes)) == 0) {
        struct slice frame;
        FUZZ_CHECK(expect(expected, &frame) == 0);
        FUZZ_CHECK(slice_equal((struct slice){(const char *)payload, bytes}, frame));
    }
    if (status == STATUS_TOO_LARGE) {
        FUZZ_CHECK(bytes == announced(expected->rest));
    }
    return status;
}

/* Feed PIECE bytes at a time; 0: as many as the reader has room for. */
static void feed(struct slice stream, size_t payload_max, size_t piece)
{
    struct frame_reader reader;
    struct expected expected = {.rest = stream, .payload_max = payload_max};
    struct slice frame;
    int status = STATUS_NEED_MORE;
    size_t fed = 0;
    frame_reader_init(&reader, payload_max);
    while (fed < stream.length && status == STATUS_NEED_MORE) {
        uint8_t *space;
        size_t room;
        FUZZ_CHECK(frame_reader_space(&reader, piece == 0 ? 4096 : piece, &space, &room) == 0);
        FUZZ_CHECK(room > 0);
        size_t bytes = piece == 0 || piece > room ? room : piece;
        bytes = bytes < stream.length - fed ? bytes : stream.length - fed;
        memcpy(space, stream.data + fed, bytes);
        frame_reader_fed(&reader, bytes);
        fed += bytes;
        status = drain(&reader, &expected);
        FUZZ_CHECK(reader.capacity <=
                   2 * (fed + 4096 + FRAME_HEADER_BYTES)); /* not what is announced */
    }
    FUZZ_CHECK(expect(&expected, &frame) == status);
    FUZZ_CHECK(status != STATUS_NEED_MORE || frame_reader_pending(&reader) == expected.rest.length);
    frame_reader_done(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    size_t payload_max = (size_t)fuzz_number(&input, 2);
    size_t piece = 2 + fuzz_byte(&input);
    struct slice stream = fuzz_rest(&input);
    feed(stream, payload_max, 0);
    feed(stream, payload_max, 1);
    feed(stream, payload_max, piece);
    return 0;
}
