#include "billingd/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "billingd/base/slice.h"

enum {
    FIRST_FD = 3, /* SD_LISTEN_FDS_START */
};

__attribute__((format(printf, 2, 3))) static int fail(char *reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    IGNORE(vsnprintf(reason, ACTIVATION_REASON_BYTES, format, arguments) < 0); /* may be cut */
    va_end(arguments);
    return STATUS_OUT_OF_BOUNDS;
}

/* How many are ours: of another process, and where nothing is said, none.  -1: malformed. */
static long count(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");
    if (pid == NULL || fds == NULL || strtol(pid, NULL, 10) != getpid()) {
        return 0;
    }
    size_t digits = strspn(fds, "0123456789");
    return digits >= 1 && digits <= 9 && fds[digits] == '\0' ? strtol(fds, NULL, 10) : -1;
}

/* The next name of *NAMES, which have ':' between, and move on. */
static struct slice next_name(const char **names)
{
    size_t length = strcspn(*names, ":");
    struct slice name = {*names, length};
    *names += length + ((*names)[length] == ':');
    return name;
}

static int socket_option(int fd, int option)
{
    int value = -1;
    socklen_t bytes = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &bytes) == 0 ? value : -1;
}

/* What the socket FD called NAME is for. */
static int classify(int fd, struct slice name, enum activation_kind *ret, char *reason)
{
    int domain = socket_option(fd, SO_DOMAIN);
    bool is_unix = domain == AF_UNIX;
    bool is_ip = domain == AF_INET || domain == AF_INET6;
    const char *wants = NULL;
    if (socket_option(fd, SO_TYPE) != SOCK_STREAM || socket_option(fd, SO_ACCEPTCONN) != 1) {
        return fail(reason, "descriptor %d, '%.*s', is no listening stream socket", fd,
                    (int)name.length, name.data);
    }
    if (slice_equal(name, SLICE("unix"))) {
        wants = is_unix ? NULL : "a Unix socket";
        *ret = ACTIVATION_UNIX;
    } else if (slice_equal(name, SLICE("tcp"))) {
        wants = is_ip ? NULL : "a TCP socket";
        *ret = ACTIVATION_TCP;
    } else if (slice_equal(name, SLICE("http"))) {
        wants = is_ip ? NULL : "a TCP socket";
        *ret = ACTIVATION_HTTP;
    } else if (slice_equal(name, SLICE("rpc"))) {
        wants = is_unix || is_ip ? NULL : "a Unix or TCP socket";
        *ret = is_unix ? ACTIVATION_UNIX : ACTIVATION_TCP;
    } else {
        return fail(reason,
                    "descriptor %d has the name '%.*s', which is none of unix, tcp, rpc, http "
                    "(FileDescriptorName=)",
                    fd, (int)name.length, name.data);
    }
    return wants == NULL ? 0
                         : fail(reason, "descriptor %d, '%.*s', is not %s", fd, (int)name.length,
                                name.data, wants);
}

static int take(int fd, struct slice name, struct activation *ret, char *reason)
{
    enum activation_kind kind = ACTIVATION_UNIX;
    int rc = classify(fd, name, &kind, reason);
    if (rc < 0) {
        return rc;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        return fail(reason, "descriptor %d: %s", fd, strerror(errno));
    }
    ret->sockets[ret->n].fd = fd;
    ret->sockets[ret->n].kind = kind;
    ret->n++;
    return 0;
}

int activation_take(struct activation *ret, char *reason)
{
    const char *names = getenv("LISTEN_FDNAMES");
    long n = count();
    *ret = (struct activation){.n = 0};
    if (n < 0 || n > ACTIVATION_SOCKETS_MAX) {
        return fail(reason, "LISTEN_FDS is '%s', and is to be a number from 0 to %d",
                    getenv("LISTEN_FDS"), ACTIVATION_SOCKETS_MAX);
    }
    names = names == NULL ? "" : names;
    for (int i = 0; i < (int)n; i++) {
        int rc = take(FIRST_FD + i, next_name(&names), ret, reason);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

bool activation_has(const struct activation *activation, enum activation_kind kind)
{
    for (unsigned i = 0; i < activation->n; i++) {
        if (activation->sockets[i].kind == kind) {
            return true;
        }
    }
    return false;
}
