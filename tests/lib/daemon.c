#include "tests/lib/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/testkit.h"

enum {
    ARGS_MAX = 64,
    LISTEN_FDS_MAX = 8,
    PATIENCE_MS = 120000, /* to start or to drain, under a sanitizer on a busy machine */
};

struct daemon_process {
    struct daemon_options options;
    const char *socket_path;
    pid_t pid;  /* 0 while it does not run */
    int pid_fd; /* readable once it has ended */
    int stderr_fd;
    pthread_t reader;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    char *output; /* the whole lines of stderr so far, a NUL behind them; owned */
    size_t output_bytes;
    bool output_ended;
};

/* --- the reader thread ------------------------------------------------------------------------ */

/* A line that a test sees is whole, wherever reading has cut it. */
static void append(struct daemon_process *daemon, const char *data, size_t bytes)
{
    pthread_mutex_lock(&daemon->lock);
    char *output = realloc(daemon->output, daemon->output_bytes + bytes + 1);
    if (output == NULL) {
        abort();
    }
    memcpy(output + daemon->output_bytes, data, bytes);
    daemon->output_bytes += bytes;
    output[daemon->output_bytes] = '\0';
    daemon->output = output;
    pthread_cond_broadcast(&daemon->changed);
    pthread_mutex_unlock(&daemon->lock);
}

static void *read_stderr(void *arg)
{
    struct daemon_process *daemon = arg;
    char data[65536];
    size_t held = 0; /* of a line whose end is still to come */
    ssize_t got;
    while ((got = read(daemon->stderr_fd, data + held, sizeof data - held)) != 0) {
        if (got < 0 && errno != EINTR) {
            break;
        }
        held += got < 0 ? 0 : (size_t)got;
        const char *end = memrchr(data, '\n', held);
        size_t whole = end != NULL ? (size_t)(end + 1 - data) : held == sizeof data ? held : 0;
        append(daemon, data, whole);
        held -= whole;
        memmove(data, data + whole, held);
    }
    append(daemon, data, held);
    pthread_mutex_lock(&daemon->lock);
    daemon->output_ended = true;
    pthread_cond_broadcast(&daemon->changed);
    pthread_mutex_unlock(&daemon->lock);
    return NULL;
}

/* --- logfmt ----------------------------------------------------------------------------------- */

/* The value of KEY in the logfmt line of LENGTH bytes at LINE, with or without quotes (escapes are
 * left as they are), or NULL.  The kit's memory. */
static const char *logfmt_value(const char *line, size_t length, const char *key)
{
    const char *end = line + length;
    size_t key_bytes = strlen(key);
    for (const char *at = line; at < end;) {
        const char *equals = memchr(at, '=', (size_t)(end - at));
        if (equals == NULL) {
            return NULL;
        }
        const char *name = equals;
        while (name > at && name[-1] != ' ') {
            name--;
        }
        const char *value = equals + 1;
        bool quoted = value < end && *value == '"';
        value += quoted;
        const char *behind = value;
        while (behind < end && *behind != (quoted ? '"' : ' ')) {
            behind += quoted && *behind == '\\' && behind + 1 < end ? 2 : 1;
        }
        if ((size_t)(equals - name) == key_bytes && memcmp(name, key, key_bytes) == 0) {
            return testkit_format("%.*s", (int)(behind - value), value);
        }
        at = behind;
    }
    return NULL;
}

/* The whole line of OUTPUT that says msg=MSG and, where DOOR is given, door=DOOR; or NULL. */
static const char *find_event(const char *output, const char *msg, const char *door,
                              size_t *ret_bytes)
{
    const char *end;
    for (const char *line = output; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        size_t bytes = (size_t)(end - line);
        const char *line_msg = logfmt_value(line, bytes, "msg");
        if (line_msg == NULL || strcmp(line_msg, msg) != 0) {
            continue;
        }
        const char *line_door = logfmt_value(line, bytes, "door");
        if (door == NULL || (line_door != NULL && strcmp(line_door, door) == 0)) {
            *ret_bytes = bytes;
            return line;
        }
    }
    return NULL;
}

static bool says_ready(const char *output, const void *arg)
{
    size_t bytes;
    (void)arg;
    return find_event(output, "ready", NULL, &bytes) != NULL;
}

static bool says_text(const char *output, const void *arg)
{
    return strstr(output, arg) != NULL;
}

/* --- starting --------------------------------------------------------------------------------- */

static void build_args(const struct daemon_process *daemon, const char **args)
{
    const struct daemon_options *options = &daemon->options;
    size_t n = 0;
    args[n++] = options->program;
    if (!options->only_args) {
        args[n++] = "--data-dir";
        args[n++] = options->data_dir;
        args[n++] = "--listen";
        args[n++] = testkit_format("unix:%s", daemon->socket_path);
        args[n++] = "--listen";
        args[n++] = "tcp:127.0.0.1:0";
        args[n++] = "--http";
        args[n++] = "127.0.0.1:0";
    }
    for (const char *const *arg = options->args; arg != NULL && *arg != NULL; arg++) {
        if (n == ARGS_MAX) {
            testkit_fail("more than %d arguments", ARGS_MAX);
        }
        args[n++] = *arg;
    }
    args[n] = NULL;
}

/* In the child: each of the sockets to the place where the program looks for it, by way of one
 * where none of them is, and who and how many it is that they are for. */
static bool hand_over(const struct daemon_options *options)
{
    static char pid[32];
    static char count[32];
    int aside[LISTEN_FDS_MAX];
    unsigned n = options->n_listen_fds;
    for (unsigned i = 0; i < n; i++) {
        aside[i] = fcntl(options->listen_fds[i], F_DUPFD_CLOEXEC, 3 + LISTEN_FDS_MAX);
    }
    for (unsigned i = 0; i < n; i++) {
        if (aside[i] < 0 || dup2(aside[i], (int)(3 + i)) < 0) {
            return false;
        }
    }
    IGNORE(snprintf(pid, sizeof pid, "LISTEN_PID=%d", (int)getpid()) < 0); /* fits */
    IGNORE(snprintf(count, sizeof count, "LISTEN_FDS=%u", n) < 0);         /* likewise */
    return n == 0 || (putenv(pid) == 0 && putenv(count) == 0);
}

/* In the child: become the program.  Our death is its death, also if it came before prctl(). */
static void exec_child(const struct daemon_process *daemon, const char *const *args, int error_fd,
                       pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
        dup2(error_fd, STDERR_FILENO) < 0 || !hand_over(&daemon->options)) {
        _exit(126);
    }
    for (const char *const *env = daemon->options.env; env != NULL && *env != NULL; env++) {
        if (putenv((char *)(uintptr_t)*env) != 0) { /* kept, not written to */
            _exit(126);
        }
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if ((daemon->options.closed_streams & 1U << fd) != 0 && close(fd) != 0) {
            _exit(126);
        }
    }
    execv(args[0], (char *const *)(uintptr_t)args); /* its prototype is older than const */
    _exit(127);
}

static void launch(struct daemon_process *daemon)
{
    const char *args[ARGS_MAX + 1];
    int pipe_fds[2];
    build_args(daemon, args);
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        testkit_fail("pipe: %s", strerror(errno));
    }
    if (daemon->options.n_listen_fds > LISTEN_FDS_MAX) {
        testkit_fail("more than %d sockets to hand over", LISTEN_FDS_MAX);
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        testkit_fail("fork: %s", strerror(errno));
    }
    if (pid == 0) {
        exec_child(daemon, args, pipe_fds[1], parent);
    }
    close(pipe_fds[1]);
    free(daemon->output);
    daemon->output = calloc(1, 1);
    daemon->output_bytes = 0;
    daemon->output_ended = false;
    daemon->pid = pid;
    daemon->pid_fd = pidfd_open(pid, 0);
    daemon->stderr_fd = pipe_fds[0];
    if (daemon->output == NULL || daemon->pid_fd < 0 ||
        pthread_create(&daemon->reader, NULL, read_stderr, daemon) != 0) {
        abort();
    }
}

/* Wait until CHECK finds in stderr what it looks for, or stderr ends.  Whether it was found. */
static bool await_output(struct daemon_process *daemon, bool (*check)(const char *, const void *),
                         const void *arg)
{
    struct timespec deadline;
    if (clock_gettime(CLOCK_MONOTONIC, &deadline) != 0) {
        abort();
    }
    deadline.tv_sec += PATIENCE_MS / 1000;
    int late = 0;
    pthread_mutex_lock(&daemon->lock);
    bool found = check(daemon->output, arg);
    while (!found && !daemon->output_ended && late == 0) {
        late = pthread_cond_clockwait(&daemon->changed, &daemon->lock, CLOCK_MONOTONIC, &deadline);
        found = check(daemon->output, arg);
    }
    pthread_mutex_unlock(&daemon->lock);
    return found;
}

bool daemon_process_gets_ready(struct daemon_process *daemon)
{
    return await_output(daemon, says_ready, NULL);
}

static void await_ready(struct daemon_process *daemon)
{
    if (!daemon_process_gets_ready(daemon)) {
        testkit_fail("%s does not get ready; its stderr:\n%s", daemon->options.program,
                     daemon_process_stderr(daemon));
    }
}

struct daemon_process *daemon_process_spawn(const struct daemon_options *options)
{
    struct daemon_process *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL || pthread_mutex_init(&daemon->lock, NULL) != 0 ||
        pthread_cond_init(&daemon->changed, NULL) != 0) {
        abort();
    }
    daemon->options = options == NULL ? (struct daemon_options){0} : *options;
    if (daemon->options.program == NULL) {
        daemon->options.program = testkit_billingd();
    }
    if (daemon->options.data_dir == NULL) {
        daemon->options.data_dir = testkit_tmpdir();
    }
    daemon->socket_path = testkit_format("%s/s", testkit_tmpdir());
    launch(daemon);
    return daemon;
}

struct daemon_process *daemon_process_start(const struct daemon_options *options)
{
    struct daemon_process *daemon = daemon_process_spawn(options);
    await_ready(daemon);
    return daemon;
}

/* --- ending ----------------------------------------------------------------------------------- */

void daemon_process_signal(struct daemon_process *daemon, int signal)
{
    if (daemon->pid == 0 || kill(daemon->pid, signal) != 0) {
        testkit_fail("no daemon to send signal %d to", signal);
    }
}

int daemon_process_wait(struct daemon_process *daemon)
{
    struct pollfd ended = {.fd = daemon->pid_fd, .events = POLLIN};
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    int n;
    int status;
    if (daemon->pid == 0) {
        testkit_fail("no daemon to wait for");
    }
    do {
        int64_t left_ms = deadline_ms - testkit_now_ms();
        n = poll(&ended, 1, left_ms < 0 ? 0 : (int)left_ms);
    } while (n < 0 && errno == EINTR);
    if (n != 1) {
        testkit_fail("daemon %d does not end; its stderr:\n%s", (int)daemon->pid,
                     daemon_process_stderr(daemon));
    }
    if (waitpid(daemon->pid, &status, 0) != daemon->pid) {
        testkit_fail("waitpid: %s", strerror(errno));
    }
    pthread_join(daemon->reader, NULL);
    close(daemon->stderr_fd);
    close(daemon->pid_fd);
    daemon->pid = 0;
    return WIFSIGNALED(status) ? DAEMON_KILLED_BY + WTERMSIG(status) : WEXITSTATUS(status);
}

void daemon_process_stop(struct daemon_process *daemon)
{
    daemon_process_signal(daemon, SIGTERM);
    int status = daemon_process_wait(daemon);
    if (status != 0) {
        testkit_fail("the daemon ended with %s %d; its stderr:\n%s",
                     status >= DAEMON_KILLED_BY ? "signal" : "status", status % DAEMON_KILLED_BY,
                     daemon_process_stderr(daemon));
    }
}

void daemon_process_kill(struct daemon_process *daemon)
{
    daemon_process_signal(daemon, SIGKILL);
    int status = daemon_process_wait(daemon);
    assert_i64(status, DAEMON_KILLED_BY + SIGKILL);
}

void daemon_process_respawn(struct daemon_process *daemon)
{
    if (daemon->pid != 0) {
        testkit_fail("the daemon still runs");
    }
    launch(daemon);
}

void daemon_process_restart(struct daemon_process *daemon)
{
    daemon_process_respawn(daemon);
    await_ready(daemon);
}

void daemon_process_destroy(struct daemon_process *daemon)
{
    if (daemon == NULL) {
        return;
    }
    if (daemon->pid != 0) {
        IGNORE(kill(daemon->pid, SIGKILL) != 0); /* it may have ended by itself */
        IGNORE(daemon_process_wait(daemon));     /* in whatever way */
    }
    pthread_cond_destroy(&daemon->changed);
    pthread_mutex_destroy(&daemon->lock);
    free(daemon->output);
    free(daemon);
}

/* --- asking ----------------------------------------------------------------------------------- */

const char *daemon_process_stderr(struct daemon_process *daemon)
{
    pthread_mutex_lock(&daemon->lock);
    const char *output = testkit_format("%s", daemon->output);
    pthread_mutex_unlock(&daemon->lock);
    return output;
}

void daemon_process_await_stderr(struct daemon_process *daemon, const char *text)
{
    if (!await_output(daemon, says_text, text)) {
        testkit_fail("no '%s' on the daemon's stderr:\n%s", text, daemon_process_stderr(daemon));
    }
}

const char *daemon_process_address(struct daemon_process *daemon, const char *door)
{
    size_t bytes = 0;
    const char *output = daemon_process_stderr(daemon);
    const char *line = find_event(output, "listening", door, &bytes);
    const char *address = line == NULL ? NULL : logfmt_value(line, bytes, "address");
    if (address == NULL) {
        testkit_fail("the daemon names no address of door %s; its stderr:\n%s", door, output);
    }
    size_t scheme_bytes = strlen(door) + 1; /* taken with or without: unix:/run/s, /run/s */
    bool with_scheme =
        strncmp(address, door, scheme_bytes - 1) == 0 && address[strlen(door)] == ':';
    return address + (with_scheme ? scheme_bytes : 0);
}

const char *daemon_process_unix(struct daemon_process *daemon)
{
    return testkit_format("unix:%s", daemon_process_address(daemon, "unix"));
}

const char *daemon_process_tcp(struct daemon_process *daemon)
{
    return testkit_format("tcp:%s", daemon_process_address(daemon, "tcp"));
}

const char *daemon_process_url(struct daemon_process *daemon)
{
    return testkit_format("unix://%s", daemon_process_address(daemon, "unix"));
}

const char *daemon_process_http(struct daemon_process *daemon)
{
    return daemon_process_address(daemon, "http");
}

const char *daemon_process_data_dir(const struct daemon_process *daemon)
{
    return daemon->options.data_dir;
}

int daemon_process_pid(const struct daemon_process *daemon)
{
    return daemon->pid;
}
