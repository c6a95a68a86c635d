/* A real billingd as a child process: started, read, stopped, killed, started again.
 *
 * It listens on a Unix socket and on ports of the kernel's choosing, and says on stderr where: one
 * logfmt line a door with msg=listening, door= and address=, and a last one with msg=ready.  A
 * thread of ours keeps all of stderr, so nobody waits by sleeping.
 *
 * Main thread only: what goes wrong here fails the test, and a child dies with the thread that
 * started it, so that no daemon outlives its test. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct daemon_process;

struct daemon_options {
    const char *program;     /* NULL: testkit_billingd() */
    const char *data_dir;    /* NULL: a new temporary one */
    const char *const *args; /* more of them, NULL-terminated; or NULL */
    const char *const *env;  /* "NAME=value" on top of ours, NULL-terminated; or NULL */
    const int *listen_fds;   /* listening sockets, handed over as a service manager does */
    unsigned n_listen_fds;   /* of them, at most 8 */
    unsigned closed_streams; /* of its standard ones: 1 << fd; without stderr it says nothing */
    bool only_args;          /* no --data-dir, --listen and --http but those in args */
};

/* How a process ended. */
enum {
    DAEMON_KILLED_BY = 256, /* + the signal; below it, the exit status */
};

/* Start a daemon and wait until it is ready; where it ends or dawdles instead, fail the test with
 * its stderr.  OPTIONS may be NULL and is copied, but not what it points to. */
struct daemon_process *daemon_process_start(const struct daemon_options *options);

/* The same without waiting, for a daemon that will not get ready. */
struct daemon_process *daemon_process_spawn(const struct daemon_options *options);

/* Wait until DAEMON is ready, or ends instead.  Returns whether it is. */
bool daemon_process_gets_ready(struct daemon_process *daemon);

/* Start DAEMON again, once it has ended, with its options and on its data directory; its ports and
 * its stderr are new. */
void daemon_process_restart(struct daemon_process *daemon);

/* The same without waiting, for a daemon that will not get ready. */
void daemon_process_respawn(struct daemon_process *daemon);

/* SIGTERM; wait; fail the test unless the exit status is 0. */
void daemon_process_stop(struct daemon_process *daemon);

/* SIGKILL, and wait until it is gone. */
void daemon_process_kill(struct daemon_process *daemon);

/* Send SIGNAL. */
void daemon_process_signal(struct daemon_process *daemon, int signal);

/* Wait until DAEMON ends by itself: its exit status, or DAEMON_KILLED_BY + the signal. */
int daemon_process_wait(struct daemon_process *daemon);

/* Kill it where it still runs, and free DAEMON.  NULL is no harm. */
void daemon_process_destroy(struct daemon_process *daemon);

/* Wait until TEXT has appeared on stderr since the start; fail the test where it does not. */
void daemon_process_await_stderr(struct daemon_process *daemon, const char *text);

/* The lines that have appeared on stderr since the start, each whole.  The kit's, until the end. */
const char *daemon_process_stderr(struct daemon_process *daemon);

/* The address of a door, "unix", "tcp" or "http", as the daemon said it (a path, or HOST:PORT).
 * Fails the test where it said none. */
const char *daemon_process_address(struct daemon_process *daemon, const char *door);

/* The Unix and the TCP door as raw_client_open() wants them: unix:PATH, tcp:HOST:PORT. */
const char *daemon_process_unix(struct daemon_process *daemon);
const char *daemon_process_tcp(struct daemon_process *daemon);

/* The Unix door as libbilling and billingctl want it: unix://PATH. */
const char *daemon_process_url(struct daemon_process *daemon);

/* The HTTP door as http_open() wants it: HOST:PORT. */
const char *daemon_process_http(struct daemon_process *daemon);

const char *daemon_process_data_dir(const struct daemon_process *daemon);
int daemon_process_pid(const struct daemon_process *daemon);
