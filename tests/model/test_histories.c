/* Random histories against the model.
 *
 * BILLING_MODEL_HISTORIES is how many (200 unless given), BILLING_MODEL_SEED the seed of the first;
 * each has the seed behind the last one's, so that one alone can be run again. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/model/history.h"

enum {
    MERGED_AMONG = 16, /* of so many histories at least one has merged segments */
};

static uint64_t number_given(const char *variable, uint64_t fallback)
{
    const char *given = getenv(variable);
    return given == NULL || *given == '\0' ? fallback : strtoull(given, NULL, 10);
}

static void every_answer_is_the_models(void **state)
{
    (void)state;
    struct rng rng = rng_make("model");
    uint64_t seed = number_given("BILLING_MODEL_SEED", rng_below(&rng, 1000000) * 1000000 + 1);
    uint64_t n = number_given("BILLING_MODEL_HISTORIES", 200);
    print_message("seed: BILLING_MODEL_SEED=%" PRIu64 " BILLING_MODEL_HISTORIES=%" PRIu64 "\n",
                  seed, n);
    uint64_t merged = 0;
    for (uint64_t i = 0; i < n; i++) {
        merged += history_run(seed + i);
    }
    assert_true(n < MERGED_AMONG || merged > 0); /* else the small segments stayed small */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_answer_is_the_models),
};

int main(int argc, char **argv)
{
    /* A disk that forgets is good enough here, and quicker. */
    if (access("/dev/shm", W_OK) == 0 && setenv("TMPDIR", "/dev/shm", 0) != 0) {
        abort();
    }
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests_name(argv[0], tests, NULL, NULL));
}
