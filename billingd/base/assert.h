/* Checks that stay on in release builds: corrupt money is worse than downtime.
 *
 * REQUIRE is a caller's contract, INVARIANT our own reasoning.  Never on bytes from a socket, a
 * file or the store: those are STATUS_*. */
#pragma once

#define REQUIRE(condition)   ASSERT_CHECK("require", condition)
#define INVARIANT(condition) ASSERT_CHECK("invariant", condition)

#define ASSERT_CHECK(kind, condition)                                                              \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0)) {                                                   \
            assert_failed(kind, #condition, __FILE__, __LINE__);                                   \
        }                                                                                          \
    } while (0)

/* Say on stderr what did not hold, and abort.  Any thread. */
__attribute__((noreturn)) void assert_failed(const char *kind, const char *condition,
                                             const char *file, int line);
