/* Records as bytes: made, taken, and made by hand.  Main thread. */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/testkit.h"
#include "tests/store/records.h"

struct bytes {
    uint8_t data[RECORD_BYTES_MAX + 64];
    size_t length;
};

static inline struct bytes *encode(const struct record *record)
{
    struct bytes *bytes = testkit_alloc(sizeof *bytes);
    bytes->length = record_encode(record, bytes->data);
    return bytes;
}

/* Decode from memory of exactly LENGTH bytes, so that a sanitizer sees a read beyond them. */
static inline int decode(const uint8_t *data, size_t length, struct record *ret)
{
    uint8_t *exact = malloc(length == 0 ? 1 : length);
    assert_non_null(exact);
    memcpy(exact, data, length);
    int rc = record_decode(exact, length, ret);
    free(exact);
    return rc;
}

static inline void assert_encodes(const struct record *record, const char *expected, size_t length)
{
    struct bytes *bytes = encode(record);
    struct record back;
    assert_u64(bytes->length, length);
    assert_memory_equal(bytes->data, expected, length);
    assert_ok(record_decode(bytes->data, bytes->length, &back));
    assert_same_content(&back, record);
}

/* --- by hand ---------------------------------------------------------------------------------- */

static inline void put_length(struct bytes *bytes, size_t length)
{
    for (; length >= 128; length >>= 7) {
        bytes->data[bytes->length++] = (uint8_t)(length | 128);
    }
    bytes->data[bytes->length++] = (uint8_t)length;
}

static inline void put_filled(struct bytes *bytes, char fill, size_t length)
{
    put_length(bytes, length);
    memset(bytes->data + bytes->length, fill, length);
    bytes->length += length;
}

static inline struct slice taken(const struct bytes *bytes)
{
    return (struct slice){(const char *)bytes->data, bytes->length};
}

/* A text of LENGTH bytes behind its length. */
static inline struct slice counted(size_t length)
{
    struct bytes *bytes = testkit_alloc(sizeof *bytes);
    put_filled(bytes, 'x', length);
    return taken(bytes);
}

/* --- what the caller has to check ------------------------------------------------------------- */

/* Whether encoding RECORD ends the process. */
static inline bool encode_aborts(const struct record *record)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint8_t *buffer = malloc(RECORD_BYTES_MAX);
        IGNORE(freopen("/dev/null", "w", stderr) == NULL); /* what the check says */
        if (signal(SIGABRT, SIG_DFL) != SIG_ERR && buffer != NULL) {
            record_encode(record, buffer);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
