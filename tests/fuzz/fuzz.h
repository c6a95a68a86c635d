/* What every fuzz target has: a function that takes any bytes, and judges what the code under test
 * makes of them.
 *
 * A target is tests/fuzz/fuzz_<name>.c with LLVMFuzzerTestOneInput().  Built with BILLING_FUZZ it
 * is a libFuzzer program; else tests/fuzz/replay.c runs it over the files of
 * tests/fuzz/corpus/<name>, so that the suite remembers whatever was found.  A broken property
 * aborts: to a fuzzer that is a crash, and to the suite a failed test.  One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "billingd/base/slice.h"

/* Try the SIZE bytes at DATA, which stay the caller's.  Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Abort unless CONDITION, a property of the code under test, holds. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

/* Say that WHAT does not hold, and abort. */
__attribute__((noreturn)) void fuzz_fail(const char *file, int line, const char *what);

/* --- the input -------------------------------------------------------------------------------- */

/* What is left of an input that is taken apart from its front. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

/* The next byte; 0 where there is none. */
uint8_t fuzz_byte(struct fuzz_input *input);

/* The next BYTES (1 to 8) bytes as a number, little-endian; missing ones are 0. */
uint64_t fuzz_number(struct fuzz_input *input, unsigned bytes);

/* The next LENGTH bytes, or as many as there are. */
struct slice fuzz_slice(struct fuzz_input *input, size_t length);

/* All that is left. */
struct slice fuzz_rest(struct fuzz_input *input);

/* A copy of TEXT on the heap, of exactly its length, so that a sanitizer sees a read beyond it.
 * Free it. */
char *fuzz_copy(struct slice text);

/* The same with a NUL behind it. */
char *fuzz_string(struct slice text);
