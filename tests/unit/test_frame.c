/* Frames: whatever way a stream is cut, the same frames come out, and no more memory is held than
 * what has arrived needs. */
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "tests/lib/testkit.h"

enum {
    PAYLOAD_MAX = 1000,
    STREAM_FRAMES = 60,
    STREAM_MAX = STREAM_FRAMES * (FRAME_HEADER_BYTES + PAYLOAD_MAX),
};

/* Random frames one behind the other, and what is in them. */
struct stream {
    uint8_t bytes[STREAM_MAX];
    size_t length;
    size_t sizes[STREAM_FRAMES];
    size_t starts[STREAM_FRAMES];
};

static void make_stream(struct stream *stream, const char *name, size_t size_max)
{
    struct rng rng = rng_make(name);
    stream->length = 0;
    for (int i = 0; i < STREAM_FRAMES; i++) {
        size_t size = rng_below(&rng, 4) == 0 ? 0 : (size_t)rng_below(&rng, size_max + 1);
        frame_header_write(stream->bytes + stream->length, (uint32_t)size);
        stream->length += FRAME_HEADER_BYTES;
        rng_fill(&rng, stream->bytes + stream->length, size);
        stream->starts[i] = stream->length;
        stream->sizes[i] = size;
        stream->length += size;
    }
}

/* Give READER all of LENGTH bytes at DATA, WANTED at a time. */
static void feed(struct frame_reader *reader, const uint8_t *data, size_t length, size_t wanted)
{
    while (length > 0) {
        uint8_t *space;
        size_t room;
        assert_ok(frame_reader_space(reader, wanted, &space, &room));
        assert_true(room >= wanted);
        size_t bytes = length < wanted ? length : wanted;
        memcpy(space, data, bytes);
        frame_reader_fed(reader, bytes);
        data += bytes;
        length -= bytes;
    }
}

/* Take all frames that are whole; they are those of STREAM from number N on.  Returns the number
 * of the next. */
static int take_all(struct frame_reader *reader, const struct stream *stream, int n)
{
    for (;;) {
        const uint8_t *payload;
        size_t bytes;
        int status = frame_reader_next(reader, &payload, &bytes);
        if (status != 0) {
            assert_status(status, STATUS_NEED_MORE);
            return n;
        }
        assert_true(n < STREAM_FRAMES);
        assert_u64(bytes, stream->sizes[n]);
        assert_memory_equal(payload, stream->bytes + stream->starts[n], bytes);
        n++;
    }
}

/* How many whole frames the first LENGTH bytes of STREAM hold, and how many bytes are left over. */
static int whole_frames(const struct stream *stream, size_t length, size_t *ret_rest)
{
    int n = 0;
    while (n < STREAM_FRAMES && stream->starts[n] + stream->sizes[n] <= length) {
        n++;
    }
    *ret_rest = length - (n > 0 ? stream->starts[n - 1] + stream->sizes[n - 1] : 0);
    return n;
}

static void next__cut_at_every_byte__same_frames(void **state)
{
    (void)state;
    static struct stream stream;
    make_stream(&stream, "cut", 40);
    for (size_t cut = 0; cut <= stream.length; cut++) {
        struct frame_reader reader;
        size_t rest;
        frame_reader_init(&reader, PAYLOAD_MAX);
        feed(&reader, stream.bytes, cut, cut > 0 ? cut : 1);
        int n = take_all(&reader, &stream, 0);
        assert_int_equal(n, whole_frames(&stream, cut, &rest));
        assert_u64(frame_reader_pending(&reader), rest);
        feed(&reader, stream.bytes + cut, stream.length - cut, 100);
        assert_int_equal(take_all(&reader, &stream, n), STREAM_FRAMES);
        assert_u64(frame_reader_pending(&reader), 0);
        frame_reader_done(&reader);
    }
}

static void next__byte_by_byte__each_frame_at_its_last(void **state)
{
    (void)state;
    static struct stream stream;
    struct frame_reader reader;
    int n = 0;
    make_stream(&stream, "bytes", PAYLOAD_MAX);
    frame_reader_init(&reader, PAYLOAD_MAX);
    for (size_t i = 0; i < stream.length; i++) {
        size_t rest;
        feed(&reader, stream.bytes + i, 1, 1);
        n = take_all(&reader, &stream, n);
        assert_int_equal(n, whole_frames(&stream, i + 1, &rest));
        assert_u64(frame_reader_pending(&reader), rest);
    }
    assert_int_equal(n, STREAM_FRAMES);
    frame_reader_done(&reader);
}

static void next__random_pieces__same_frames(void **state)
{
    (void)state;
    static struct stream stream;
    struct rng rng = rng_make("pieces");
    make_stream(&stream, "piece stream", PAYLOAD_MAX);
    for (int round = 0; round < 500; round++) {
        struct frame_reader reader;
        int n = 0;
        frame_reader_init(&reader, PAYLOAD_MAX);
        for (size_t at = 0; at < stream.length;) {
            size_t piece = 1 + (size_t)rng_below(&rng, rng_below(&rng, 2) == 0 ? 10 : 5000);
            piece = piece < stream.length - at ? piece : stream.length - at;
            feed(&reader, stream.bytes + at, piece, 1 + (size_t)rng_below(&rng, 5000));
            at += piece;
            if (rng_below(&rng, 2) == 0) { /* else let them wait for the next piece */
                n = take_all(&reader, &stream, n);
            }
        }
        assert_int_equal(take_all(&reader, &stream, n), STREAM_FRAMES);
        frame_reader_done(&reader);
    }
}

static void next__nothing_yet__needs_more(void **state)
{
    (void)state;
    struct frame_reader reader;
    const uint8_t *payload;
    size_t bytes;
    frame_reader_init(&reader, PAYLOAD_MAX);
    assert_status(frame_reader_next(&reader, &payload, &bytes), STATUS_NEED_MORE);
    assert_u64(frame_reader_pending(&reader), 0);
    assert_null(reader.data);
    frame_reader_done(&reader);
    frame_reader_done(&reader);
}

static void next__empty_frame__is_a_frame(void **state)
{
    (void)state;
    static const uint8_t two[8] = {0};
    struct frame_reader reader;
    const uint8_t *payload = NULL;
    size_t bytes = 1;
    frame_reader_init(&reader, 0); /* the smallest bound lets them through */
    feed(&reader, two, sizeof two, sizeof two);
    assert_ok(frame_reader_next(&reader, &payload, &bytes));
    assert_non_null(payload);
    assert_u64(bytes, 0);
    assert_ok(frame_reader_next(&reader, &payload, &bytes));
    assert_status(frame_reader_next(&reader, &payload, &bytes), STATUS_NEED_MORE);
    frame_reader_done(&reader);
}

static void next__bound__to_the_byte(void **state)
{
    (void)state;
    static uint8_t frame[FRAME_HEADER_BYTES + PAYLOAD_MAX + 1];
    static const struct {
        uint32_t announced;
        int status;
    } cases[] = {
        {PAYLOAD_MAX - 1, 0},
        {PAYLOAD_MAX, 0},
        {PAYLOAD_MAX + 1, STATUS_TOO_LARGE},
        {0x80000000, STATUS_TOO_LARGE},
        {UINT32_MAX, STATUS_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct frame_reader reader;
        const uint8_t *payload;
        size_t bytes = 0;
        frame_reader_init(&reader, PAYLOAD_MAX);
        frame_header_write(frame, cases[i].announced);
        feed(&reader, frame, sizeof frame, sizeof frame);
        for (int again = 0; again < 2 && (again == 0 || cases[i].status != 0); again++) {
            assert_status(frame_reader_next(&reader, &payload, &bytes), cases[i].status);
            assert_u64(bytes, cases[i].announced);
        }
        frame_reader_done(&reader);
    }
}

/* --- memory ----------------------------------------------------------------------------------- */

/* 4 GiB announced: refused at the fourth byte, and nothing is set aside for it. */
static void memory__four_gib_announced__nothing_taken(void **state)
{
    (void)state;
    static const uint8_t header[] = {0xff, 0xff, 0xff, 0xff};
    struct frame_reader reader;
    const uint8_t *payload;
    size_t bytes;
    frame_reader_init(&reader, 16 * 1024 * 1024);
    feed(&reader, header, 3, 8);
    assert_status(frame_reader_next(&reader, &payload, &bytes), STATUS_NEED_MORE);
    feed(&reader, header + 3, 1, 8);
    assert_status(frame_reader_next(&reader, &payload, &bytes), STATUS_TOO_LARGE);
    assert_u64(bytes, UINT32_MAX);
    assert_true(reader.capacity <= 32);
    frame_reader_done(&reader);
}

/* A frame as long as the bound allows that trickles in: the memory follows what has arrived, and
 * ends at the bound. */
static void memory__trickle__follows_what_arrived(void **state)
{
    (void)state;
    enum { BOUND = 1024 * 1024, WANTED = 4096 };
    static uint8_t piece[WANTED];
    struct frame_reader reader;
    const uint8_t *payload;
    size_t bytes;
    frame_reader_init(&reader, BOUND);
    frame_header_write(piece, BOUND);
    size_t arrived = 0;
    for (size_t left = FRAME_HEADER_BYTES + BOUND; left > 0;) {
        assert_status(frame_reader_next(&reader, &payload, &bytes), STATUS_NEED_MORE);
        size_t n = left < WANTED ? left : WANTED;
        feed(&reader, piece, n, WANTED);
        memset(piece, 'x', FRAME_HEADER_BYTES);
        arrived += n;
        left -= n;
        assert_u64(frame_reader_pending(&reader), arrived);
        assert_true(reader.capacity <= 2 * (arrived + WANTED));
        assert_true(reader.capacity <= FRAME_HEADER_BYTES + BOUND + WANTED);
    }
    assert_ok(frame_reader_next(&reader, &payload, &bytes));
    assert_u64(bytes, BOUND);
    frame_reader_done(&reader);
}

/* A connection that lives for a million frames holds no more than one that lives for ten. */
static void memory__long_lived__does_not_creep(void **state)
{
    (void)state;
    enum { FRAMES = 1000000, SIZE = 100, WANTED = 1024 };
    uint8_t frame[FRAME_HEADER_BYTES + SIZE] = {0};
    struct frame_reader reader;
    const uint8_t *payload;
    size_t bytes;
    frame_reader_init(&reader, PAYLOAD_MAX);
    frame_header_write(frame, SIZE);
    feed(&reader, frame, 50, WANTED); /* so that some of a frame is always left */
    for (int i = 0; i < FRAMES; i++) {
        feed(&reader, frame + 50, sizeof frame - 50, WANTED);
        feed(&reader, frame, 50, WANTED);
        assert_ok(frame_reader_next(&reader, &payload, &bytes));
    }
    assert_true(reader.capacity <= 4 * WANTED);
    frame_reader_done(&reader);
}

static void header__written__big_endian(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0x12, 0x34, 0x56, 0x78};
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_write(header, 0x12345678);
    assert_memory_equal(header, expected, sizeof expected);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(next__cut_at_every_byte__same_frames),
    cmocka_unit_test(next__byte_by_byte__each_frame_at_its_last),
    cmocka_unit_test(next__random_pieces__same_frames),
    cmocka_unit_test(next__nothing_yet__needs_more),
    cmocka_unit_test(next__empty_frame__is_a_frame),
    cmocka_unit_test(next__bound__to_the_byte),
    cmocka_unit_test(memory__four_gib_announced__nothing_taken),
    cmocka_unit_test(memory__trickle__follows_what_arrived),
    cmocka_unit_test(memory__long_lived__does_not_creep),
    cmocka_unit_test(header__written__big_endian),
};

TESTKIT_MAIN(tests)
