/* The ground of every test: the one header that includes cmocka, since cmocka wants four others
 * before it and a sorter of includes would not know.
 *
 * cmocka's asserts and everything here that says "fails the test" leave by longjmp: main thread
 * only.  A thread of a test collects its result, and the main thread judges it.
 *
 * What the kit hands out as `const char *` or from testkit_alloc() is its own and lives until the
 * program ends. */
#pragma once

/* clang-format off: cmocka's order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>

#include "proto/status.h"

/* Whether a sanitizer watches: it keeps what is freed, so that memory says nothing. */
#ifdef BILLING_SANITIZED
#define TESTKIT_SANITIZED true
#else
#define TESTKIT_SANITIZED false
#endif

/* The main() of a test program: `static const struct CMUnitTest tests[] = {...};` and this.
 * An argument is a pattern (* and ?) of the tests to run. */
#define TESTKIT_MAIN(tests)                                                                        \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        testkit_begin(argc, argv);                                                                 \
        return testkit_end(cmocka_run_group_tests_name(argv[0], tests, NULL, NULL));               \
    }

/* Read the arguments; forget the umask and what the environment says to our programs; line-buffer
 * stdout, so that it stays in step with stderr. */
void testkit_begin(int argc, char **argv);

/* Clean up.  Returns the exit status: 0 for no FAILED tests, else 1, whatever their number (cmocka
 * alone would return 0 for 256 of them).  Prints the seed again after a failure. */
int testkit_end(int failed);

/* --- random numbers --------------------------------------------------------------------------- */

/* A stream of its own for each NAME, so that a test that runs alone sees the numbers that it sees
 * among others.  One thread at a time. */
struct rng {
    uint64_t state;
};

/* The stream NAME of this run's seed: $BILLING_TEST_SEED, else the time.  The first call prints
 * the seed.  Main thread first; then any. */
struct rng rng_make(const char *name);

uint64_t rng_next(struct rng *rng);

/* From 0 to BOUND - 1; BOUND > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

/* From LOW to HIGH, both included. */
int64_t rng_between(struct rng *rng, int64_t low, int64_t high);

void rng_fill(struct rng *rng, void *data, size_t bytes);

/* --- files and memory ------------------------------------------------------------------------- */

/* BYTES of zeroed memory, freed at the end.  Any thread. */
void *testkit_alloc(size_t bytes);

/* printf() into memory of the kit.  Any thread. */
__attribute__((format(printf, 1, 2))) const char *testkit_format(const char *format, ...);

/* A new empty directory in $TMPDIR, else /tmp; removed with its contents at the end, unless
 * $BILLING_TEST_KEEP is set. */
const char *testkit_tmpdir(void);

/* The whole file at PATH, a NUL behind it; its length in *RET_BYTES, where given.  Fails the test
 * where it cannot be read.  Free it. */
char *testkit_read_file(const char *path, size_t *ret_bytes);

/* Make the file at PATH of BYTES at DATA.  Fails the test where it cannot be written. */
void testkit_write_file(const char *path, const void *data, size_t bytes);

/* Where `../shared/data/NAME`, seen from the top of the project, is: optional data that a checkout
 * may have beside it.  NULL where it is not, having said so: then skip(). */
const char *testkit_shared_data(const char *name);

/* The project's own top directory. */
const char *testkit_source_dir(void);

/* The programs under test: $BILLINGD_PATH and $BILLINGCTL_PATH, else what this build made. */
const char *testkit_billingd(void);
const char *testkit_billingctl(void);

/* Milliseconds of the monotonic clock.  Any thread. */
int64_t testkit_now_ms(void);

/* So long a test waits for what should come by itself before it says that it does not:
 * $BILLING_TEST_PATIENCE_MS, else two minutes, for a sanitizer on a busy machine.  Any thread. */
int64_t testkit_patience_ms(void);

/* Come back with minutes of this month (UTC) left: where it is about to end, in the next one.  For
 * what is of this month by the daemon's clock when it is recorded and when it is asked for. */
void testkit_await_month(void);

/* --- asserts ---------------------------------------------------------------------------------- */

/* cmocka 1.1.5 compares as the widest unsigned and prints hexadecimal; these say what they saw. */
#define assert_u64(got, expected)                                                                  \
    testkit_assert_u64((uint64_t)(got), (uint64_t)(expected), #got, __FILE__, __LINE__)
#define assert_i64(got, expected)                                                                  \
    testkit_assert_i64((int64_t)(got), (int64_t)(expected), #got, __FILE__, __LINE__)

/* LENGTH bytes at DATA are the text EXPECTED. */
#define assert_text(data, length, expected)                                                        \
    testkit_assert_text((data), (length), (expected), #data, __FILE__, __LINE__)

/* cmocka's own does not say that it does not return, so that analysers see a NULL behind it. */
#undef assert_non_null
#define assert_non_null(pointer)                                                                   \
    ((pointer) == NULL ? testkit_fail("%s is NULL", #pointer) : (void)0)

/* A STATUS_* or 0, shown by its name. */
#define assert_status(got, expected)                                                               \
    testkit_assert_status((got), (expected), #got, __FILE__, __LINE__)
#define assert_ok(got) assert_status((got), 0)

/* The NUL-terminated TEXT contains PART. */
#define assert_contains(text, part)                                                                \
    testkit_assert_contains((text), (part), #text, __FILE__, __LINE__)

/* Fail with a message in printf()'s manner. */
#define testkit_fail(...) testkit_fail_at(__FILE__, __LINE__, __VA_ARGS__)

void testkit_assert_u64(uint64_t got, uint64_t expected, const char *what, const char *file,
                        int line);
void testkit_assert_i64(int64_t got, int64_t expected, const char *what, const char *file,
                        int line);
void testkit_assert_text(const void *data, size_t length, const char *expected, const char *what,
                         const char *file, int line);
void testkit_assert_status(int got, int expected, const char *what, const char *file, int line);
void testkit_assert_contains(const char *text, const char *part, const char *what, const char *file,
                             int line);
__attribute__((noreturn, format(printf, 3, 4))) void testkit_fail_at(const char *file, int line,
                                                                     const char *format, ...);
