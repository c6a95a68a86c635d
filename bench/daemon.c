#include "bench/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/fail.h"
#include "bench/files.h"

enum {
    LOG_BYTES_MAX = 1 << 16,
    LOOK_AGAIN_NS = 1000000,
    PATIENCE_S = 600, /* a start may read a long journal */
};

static const char socket_parent[] = "/tmp"; /* a socket's name is at most 107 bytes long */

/* What the daemon has logged, or its beginning: good until the next call. */
static const char *read_log(const struct daemon *daemon)
{
    static char text[LOG_BYTES_MAX];
    int fd = open(daemon->log, O_RDONLY | O_CLOEXEC);
    check(fd >= 0, daemon->log);
    ssize_t bytes = read(fd, text, sizeof text - 1);
    check(bytes >= 0 && close(fd) == 0, daemon->log);
    text[bytes] = '\0';
    return text;
}

__attribute__((noreturn)) static void become_daemon(const struct daemon *daemon, pid_t parent)
{
    const struct bench_options *options = daemon->options;
    const char *args[] = {options->billingd,
                          "--data-dir",
                          daemon->data_dir,
                          "--store",
                          options->store,
                          "--listen",
                          files_format("unix:%s", daemon->socket),
                          "--http",
                          "127.0.0.1:0",
                          NULL};
    int log = open(daemon->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(log >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
              dup2(log, STDERR_FILENO) >= 0,
          daemon->log);
    execv(args[0], (char *const *)(uintptr_t)args); /* its prototype is older than const */
    perror(args[0]);
    _exit(1);
}

/* The address that the log names for the HTTP door. */
static const char *http_address(const char *log)
{
    const char *door = strstr(log, "door=http address=");
    if (door == NULL) {
        fail("the daemon names no HTTP door:\n%s", log);
    }
    const char *address = door + strlen("door=http address=");
    return files_format("%.*s", (int)strcspn(address, " \n"), address);
}

/* Start it on its data directory.  Returns how long that took. */
static int64_t launch(struct daemon *daemon)
{
    struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
    int64_t start_ns = clock_ns();
    int log = open(daemon->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(log >= 0 && close(log) == 0, daemon->log);
    pid_t parent = getpid();
    daemon->pid = fork();
    check(daemon->pid >= 0, "fork");
    if (daemon->pid == 0) {
        become_daemon(daemon, parent);
    }
    const char *text;
    while (strstr(text = read_log(daemon), "msg=ready") == NULL) {
        int ended = waitpid(daemon->pid, NULL, WNOHANG);
        if (ended != 0 || clock_ns() - start_ns > PATIENCE_S * NS_PER_SECOND) {
            fail("the daemon does not get ready:\n%s", read_log(daemon));
        }
        check(nanosleep(&pause, NULL) == 0 || errno == EINTR, "nanosleep");
    }
    int64_t took_ns = clock_ns() - start_ns;
    daemon->http = http_address(text);
    return took_ns;
}

void daemon_start(struct daemon *daemon, const struct bench_options *options)
{
    *daemon = (struct daemon){.options = options, .http = options->http};
    if (options->url != NULL) {
        daemon->socket = options->url + strlen("unix://");
        return;
    }
    const char *scratch = files_scratch(options->dir, options->keep);
    const char *doors = files_scratch(socket_parent, false);
    daemon->data_dir =
        options->data_dir != NULL ? options->data_dir : files_format("%s/data", scratch);
    daemon->log = files_format("%s/billingd.log", scratch);
    daemon->socket = files_format("%s/socket", doors);
    IGNORE(launch(daemon) > 0); /* of no interest with an empty store */
}

static int end(struct daemon *daemon, int signal)
{
    int status = 0;
    check(kill(daemon->pid, signal) == 0, "kill");
    check(waitpid(daemon->pid, &status, 0) == daemon->pid, "waitpid");
    daemon->pid = 0;
    return status;
}

int64_t daemon_crash(struct daemon *daemon)
{
    IGNORE(end(daemon, SIGKILL) != 0); /* it is killed */
    return launch(daemon);
}

void daemon_stop(struct daemon *daemon)
{
    if (daemon->pid != 0 && end(daemon, SIGTERM) != 0) {
        fail("the daemon did not end well:\n%s", read_log(daemon));
    }
}
