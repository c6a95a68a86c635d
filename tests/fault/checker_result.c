#include <inttypes.h>
#include <stdio.h>

#include "tests/fault/checker.h"

uint64_t checker_violations(const struct checker_result *result)
{
    return result->lost + result->doubled + result->foreign + result->wrong_payload +
           result->wrong_answer + result->wrong_bill + result->unsound;
}

void checker_result_done(struct checker_result *result)
{
    memory_done(&result->memory);
    *result = (struct checker_result){0};
}

void checker_print(const struct checker_result *result, const char *prefix)
{
    for (size_t i = 0; i < result->n_texts; i++) {
        fprintf(stderr, "%s%s\n", prefix, result->texts[i]);
    }
    uint64_t n = checker_violations(result);
    if (n > result->n_texts) {
        fprintf(stderr, "%sand %" PRIu64 " more\n", prefix, n - result->n_texts);
    }
}
