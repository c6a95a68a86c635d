#include "billingd/net/http_chunks.h"

#include <stdbool.h>

#include "billingd/net/http_text.h"

enum {
    SIZE_DIGITS_MAX = 16, /* cannot overflow */
};

static int step_size(struct http_chunks *chunks, unsigned char byte)
{
    int value = http_hex_value(byte);
    if (value >= 0 && chunks->digits < SIZE_DIGITS_MAX) {
        chunks->digits++;
        chunks->left = chunks->left * 16 + (unsigned)value;
        return STATUS_NEED_MORE;
    }
    if (byte != '\r' || chunks->digits == 0) {
        return STATUS_MALFORMED_HTTP;
    }
    chunks->state = HTTP_CHUNKS_SIZE_LF;
    return STATUS_NEED_MORE;
}

static int end_size(struct http_chunks *chunks, size_t body_bytes_max)
{
    /* The bound may have been lowered since the last chunk. */
    if (chunks->bytes > body_bytes_max || chunks->left > body_bytes_max - chunks->bytes) {
        return STATUS_TOO_LARGE;
    }
    chunks->bytes += chunks->left;
    chunks->digits = 0;
    chunks->state = chunks->left == 0 ? HTTP_CHUNKS_END_CR : HTTP_CHUNKS_DATA;
    return STATUS_NEED_MORE;
}

static int expect(struct http_chunks *chunks, unsigned char byte, unsigned char expected,
                  enum http_chunks_state next)
{
    if (byte != expected) {
        return STATUS_MALFORMED_HTTP;
    }
    chunks->state = next;
    return STATUS_NEED_MORE;
}

/* Every byte but those of the data. */
static int step(struct http_chunks *chunks, size_t body_bytes_max, unsigned char byte)
{
    switch (chunks->state) {
    case HTTP_CHUNKS_SIZE:
        return step_size(chunks, byte);
    case HTTP_CHUNKS_SIZE_LF:
        return byte == '\n' ? end_size(chunks, body_bytes_max) : STATUS_MALFORMED_HTTP;
    case HTTP_CHUNKS_DATA:
        break; /* passed over by the caller */
    case HTTP_CHUNKS_DATA_CR:
        return expect(chunks, byte, '\r', HTTP_CHUNKS_DATA_LF);
    case HTTP_CHUNKS_DATA_LF:
        return expect(chunks, byte, '\n', HTTP_CHUNKS_SIZE);
    case HTTP_CHUNKS_END_CR:
        return expect(chunks, byte, '\r', HTTP_CHUNKS_END_LF);
    case HTTP_CHUNKS_END_LF:
        return byte == '\n' ? 0 : STATUS_MALFORMED_HTTP;
    }
    return STATUS_MALFORMED_HTTP;
}

static size_t pass_data(struct http_chunks *chunks, size_t length)
{
    size_t passed = chunks->left < length ? (size_t)chunks->left : length;
    chunks->left -= passed;
    if (chunks->left == 0) {
        chunks->state = HTTP_CHUNKS_DATA_CR;
    }
    return passed;
}

int http_chunks_check(struct http_chunks *chunks, size_t body_bytes_max, const char *data,
                      size_t length, size_t *ret_used, const char **reterr)
{
    int rc = STATUS_NEED_MORE;
    size_t at = 0;
    while (at < length && rc == STATUS_NEED_MORE) {
        if (chunks->state == HTTP_CHUNKS_DATA) {
            at += pass_data(chunks, length - at);
            continue;
        }
        rc = step(chunks, body_bytes_max, (unsigned char)data[at]);
        at += rc == STATUS_NEED_MORE || rc == 0;
    }
    *ret_used = at;
    if (rc == STATUS_TOO_LARGE) {
        *reterr = "the body is too large";
    } else if (rc == STATUS_MALFORMED_HTTP) {
        *reterr = "the chunked body is not framed as chunks without extensions and trailers";
    }
    return rc;
}
