#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/status.h"

void fuzz_fail(const char *file, int line, const char *what)
{
    IGNORE(fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what) < 0); /* as it is */
    abort();
}

uint8_t fuzz_byte(struct fuzz_input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

uint64_t fuzz_number(struct fuzz_input *input, unsigned bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++) {
        number |= (uint64_t)fuzz_byte(input) << (8 * i);
    }
    return number;
}

struct slice fuzz_slice(struct fuzz_input *input, size_t length)
{
    size_t taken = length < input->left ? length : input->left;
    struct slice slice = {taken == 0 ? NULL : (const char *)input->at, taken};
    input->at += taken;
    input->left -= taken;
    return slice;
}

struct slice fuzz_rest(struct fuzz_input *input)
{
    return fuzz_slice(input, input->left);
}

static char *copy_with(struct slice text, size_t more)
{
    char *copy = malloc(text.length + more + (text.length + more == 0));
    FUZZ_CHECK(copy != NULL);
    if (text.length > 0) {
        memcpy(copy, text.data, text.length);
    }
    if (more > 0) {
        copy[text.length] = '\0';
    }
    return copy;
}

char *fuzz_copy(struct slice text)
{
    return copy_with(text, 0);
}

char *fuzz_string(struct slice text)
{
    return copy_with(text, 1);
}
