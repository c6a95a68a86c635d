/* billingctl as a child process: run with arguments, its two outputs and exit status looked at.
 *
 * Its environment is its own: no configuration of whoever runs the tests, and $BILLING_URL is the
 * daemon under test.  Main thread only. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct ctl_setup {
    const char *url;         /* $BILLING_URL; NULL: not set */
    const char *program;     /* NULL: testkit_billingctl() */
    const char *stdin_path;  /* NULL: /dev/null */
    const char *stdout_path; /* NULL: a file of the kit's */
    const char *const *env;  /* "NAME=value", NULL-terminated; or NULL */
};

struct ctl_result {
    int status;      /* exit status, or 256 + the signal */
    const char *out; /* standard output; "" where it went elsewhere */
    const char *err;
};

/* A process that runs. */
struct ctl_process {
    pid_t pid;
    const char *out_path;
    const char *err_path;
};

/* Run with ARGS, NULL-terminated, to the end. */
struct ctl_result ctl_run(const struct ctl_setup *setup, const char *const *args);

/* Start, and return while it runs. */
struct ctl_process ctl_start(const struct ctl_setup *setup, const char *const *args);

/* Wait for the end of PROCESS. */
struct ctl_result ctl_wait(const struct ctl_process *process);

/* ctl_run() with the arguments written out. */
#define CTL(setup, ...) ctl_run((setup), (const char *const[]){__VA_ARGS__, NULL})

/* The same, and fail the test unless the exit status is STATUS.  Returns the result. */
#define CTL_ENDS(setup, status, ...)                                                               \
    ctl_expect((setup), (status), (const char *const[]){__VA_ARGS__, NULL}, __FILE__, __LINE__)

struct ctl_result ctl_expect(const struct ctl_setup *setup, int status, const char *const *args,
                             const char *file, int line);

/* TEXT without the newline at its end: an id that was printed. */
const char *ctl_line(const char *text);

/* How often PART is in TEXT. */
size_t ctl_count(const char *text, const char *part);
