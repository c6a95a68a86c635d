/* One config_load() in a test: with an environment of its own, and all that it said. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "billingd/config.h"
#include "tests/lib/testkit.h"

struct run {
    struct config config;
    int status;
    const char *errors;
    unsigned lines; /* of errors */
};

static inline void forget_environment(void)
{
    static const char *const names[] = {"STATE_DIRECTORY", "XDG_STATE_HOME", "HOME",
                                        "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_i64(unsetenv(names[i]), 0);
    }
}

static inline int set_up(void **state)
{
    (void)state;
    forget_environment();
    assert_i64(setenv("STATE_DIRECTORY", "/state", 1), 0);
    assert_i64(setenv("RUNTIME_DIRECTORY", "/runtime", 1), 0);
    return 0;
}

/* The words of a command line, the program's name in front. */
#define RUN(...) run_words((const char *const[]){"billingd", __VA_ARGS__ __VA_OPT__(, ) NULL})

static inline struct run run_words(const char *const *words)
{
    struct run run = {0};
    char *argv[32];
    int argc = 0;
    while (words[argc] != NULL) {
        argv[argc] = strdup(words[argc]);
        assert_non_null(argv[argc]);
        argc++;
    }
    char *text = NULL;
    size_t bytes = 0;
    FILE *errors = open_memstream(&text, &bytes);
    assert_non_null(errors);
    run.status = config_load(argc, argv, &run.config, errors);
    assert_i64(fclose(errors), 0);
    while (argc > 0) { /* config_load() keeps nothing of its words */
        free(argv[--argc]);
    }
    for (size_t i = 0; i < bytes; i++) {
        run.lines += text[i] == '\n';
    }
    run.errors = testkit_format("%s", text);
    free(text);
    if ((run.status == 0) != (run.lines == 0)) {
        testkit_fail("status %d, but it says: %s", run.status, run.errors);
    }
    return run;
}

/* The BYTES at TEXT as a config file. */
static inline const char *config_file_of(const void *text, size_t bytes)
{
    const char *path = testkit_format("%s/t.conf", testkit_tmpdir());
    testkit_write_file(path, text, bytes);
    return path;
}

static inline const char *config_file(const char *text)
{
    return config_file_of(text, strlen(text));
}

/* That it went well; what it says if not. */
static inline void assert_loaded(const struct run *run)
{
    if (run->status != 0) {
        testkit_fail("it was to be accepted, but: %s", run->errors);
    }
}

/* That LINES things were wrong, and EXPECTED was said among them. */
static inline void assert_refused(const struct run *run, unsigned lines, const char *expected)
{
    assert_status(run->status, STATUS_OUT_OF_BOUNDS);
    assert_contains(run->errors, expected);
    if (run->lines != lines) {
        testkit_fail("%u problems, not %u: %s", run->lines, lines, run->errors);
    }
}
