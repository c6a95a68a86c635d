#include "tests/integration/ctl_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/testkit.h"

enum {
    ARGS_MAX = 32,
    ENV_MAX = 32,
};

extern char **environ;

/* What the child needs of our environment: where libraries and sanitizers look. */
static bool is_kept(const char *variable)
{
    static const char *const names[] = {
        "PATH=", "LD_LIBRARY_PATH=", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "TSAN_OPTIONS=", "TMPDIR="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncmp(variable, names[i], strlen(names[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void make_env(const struct ctl_setup *setup, const char **env)
{
    size_t count = 0;
    for (char **variable = environ; *variable != NULL && count < ENV_MAX - 8; variable++) {
        if (is_kept(*variable)) {
            env[count++] = *variable;
        }
    }
    env[count++] = testkit_format("HOME=%s", testkit_tmpdir());
    if (setup->url != NULL) {
        env[count++] = testkit_format("BILLING_URL=%s", setup->url);
    }
    for (size_t i = 0; setup->env != NULL && setup->env[i] != NULL && count < ENV_MAX - 1; i++) {
        env[count++] = setup->env[i];
    }
    env[count] = NULL;
}

/* In the child: PATH becomes descriptor FD. */
static void redirect(const char *path, int flags, int fd)
{
    int opened = open(path, flags, 0600);
    if (opened < 0 || dup2(opened, fd) < 0) {
        _exit(127);
    }
    close(opened);
}

struct ctl_process ctl_start(const struct ctl_setup *setup, const char *const *args)
{
    const char *program = setup->program != NULL ? setup->program : testkit_billingctl();
    const char *input = setup->stdin_path != NULL ? setup->stdin_path : "/dev/null";
    const char *directory = testkit_tmpdir();
    const char *output = testkit_format("%s/out", directory);
    const char *argv[ARGS_MAX] = {program};
    const char *env[ENV_MAX];
    struct ctl_process process = {
        .out_path = setup->stdout_path == NULL ? output : NULL,
        .err_path = testkit_format("%s/err", directory),
    };
    output = setup->stdout_path == NULL ? output : setup->stdout_path;
    for (size_t i = 0; args[i] != NULL; i++) {
        assert_true(i + 2 < ARGS_MAX);
        argv[i + 1] = args[i];
    }
    make_env(setup, env);
    process.pid = fork();
    if (process.pid < 0) {
        testkit_fail("cannot fork: %s", strerror(errno));
    }
    if (process.pid == 0) {
        /* A shell that put us into the background may have had it ignored. */
        if (signal(SIGINT, SIG_DFL) == SIG_ERR) {
            _exit(127);
        }
        redirect(input, O_RDONLY, STDIN_FILENO);
        redirect(output, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
        redirect(process.err_path, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
        /* It writes to neither list; its prototype is older than const. */
        execve(program, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
        _exit(127);
    }
    return process;
}

static const char *contents(const char *path)
{
    if (path == NULL) {
        return "";
    }
    char *data = testkit_read_file(path, NULL);
    const char *copy = testkit_format("%s", data);
    free(data);
    return copy;
}

struct ctl_result ctl_wait(const struct ctl_process *process)
{
    int status;
    while (waitpid(process->pid, &status, 0) < 0) {
        if (errno != EINTR) {
            testkit_fail("cannot wait: %s", strerror(errno));
        }
    }
    return (struct ctl_result){
        .status = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status),
        .out = contents(process->out_path),
        .err = contents(process->err_path),
    };
}

struct ctl_result ctl_run(const struct ctl_setup *setup, const char *const *args)
{
    struct ctl_process process = ctl_start(setup, args);
    return ctl_wait(&process);
}

struct ctl_result ctl_expect(const struct ctl_setup *setup, int status, const char *const *args,
                             const char *file, int line)
{
    struct ctl_result result = ctl_run(setup, args);
    if (result.status != status) {
        testkit_fail_at(file, line, "%s %s ...: exit status %d, not %d\n%s%s", args[0],
                        args[1] != NULL ? args[1] : "", result.status, status, result.out,
                        result.err);
    }
    return result;
}

const char *ctl_line(const char *text)
{
    return testkit_format("%.*s", (int)strcspn(text, "\n"), text);
}

size_t ctl_count(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}
