#include "tests/lib/socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/testkit.h"

enum {
    BACKLOG = 64,
};

const char *sock_result_name(enum sock_result result)
{
    switch (result) {
    case SOCK_OK:
        return "ok";
    case SOCK_CLOSED:
        return "closed";
    case SOCK_RESET:
        return "reset";
    case SOCK_TIMEOUT:
        return "timeout";
    case SOCK_GARBAGE:
        return "garbage";
    }
    return "?";
}

/* --- addresses -------------------------------------------------------------------------------- */

struct place {
    struct sockaddr_storage address;
    socklen_t length;
};

static bool parse_unix(const char *path, struct place *ret)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    memcpy(&ret->address, &address, sizeof address);
    ret->length = sizeof address;
    return true;
}

/* HOST:PORT, where HOST may be an IPv6 address in brackets. */
static bool parse_tcp(const char *host_port, struct place *ret)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
        .ai_socktype = SOCK_STREAM,
    };
    const char *colon = strrchr(host_port, ':');
    bool bracketed = host_port[0] == '[';
    if (colon == NULL || (bracketed && (colon == host_port + 1 || colon[-1] != ']'))) {
        errno = EINVAL;
        return false;
    }
    int host_bytes = (int)(colon - host_port) - (bracketed ? 2 : 0);
    const char *host = testkit_format("%.*s", host_bytes, host_port + (bracketed ? 1 : 0));
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        errno = EINVAL;
        return false;
    }
    memcpy(&ret->address, found->ai_addr, found->ai_addrlen);
    ret->length = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

/* A new socket for ADDRESS, which is then in *RET; or -1 with errno. */
static int open_for(const char *address, struct place *ret)
{
    if (strncmp(address, "unix:", 5) == 0) {
        return parse_unix(address + 5, ret) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    }
    if (strncmp(address, "tcp:", 4) == 0) {
        return parse_tcp(address + 4, ret)
                   ? socket(ret->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)
                   : -1;
    }
    errno = EINVAL;
    return -1;
}

static int close_failed(int fd)
{
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int sock_connect(const char *address)
{
    const struct timeval patience = {.tv_sec = SOCK_PATIENCE_MS / 1000}; /* a full backlog waits */
    struct place place;
    int fd = open_for(address, &place);
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
        connect(fd, (const struct sockaddr *)&place.address, place.length) != 0) {
        return close_failed(fd);
    }
    return fd;
}

int sock_listen(const char *address)
{
    struct place place;
    int fd = open_for(address, &place);
    if (fd < 0) {
        return -1;
    }
    if (bind(fd, (const struct sockaddr *)&place.address, place.length) != 0 ||
        listen(fd, BACKLOG) != 0) {
        return close_failed(fd);
    }
    return fd;
}

unsigned sock_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    if (address.ss_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
    }
    return address.ss_family == AF_INET ? ntohs(((const struct sockaddr_in *)&address)->sin_port)
                                        : 0;
}

/* --- sending and receiving -------------------------------------------------------------------- */

/* Wait until FD is ready for EVENTS. */
static bool wait_for(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t left_ms = deadline_ms - testkit_now_ms();
        struct pollfd ready = {.fd = fd, .events = events};
        int n = poll(&ready, 1, left_ms < 0 ? 0 : (int)left_ms);
        if (n > 0) {
            return true;
        }
        if (left_ms <= 0) {
            return false;
        }
    }
}

enum sock_result sock_send(int fd, const void *data, size_t bytes, int64_t deadline_ms,
                           size_t *ret_sent)
{
    size_t sent = 0;
    enum sock_result result = SOCK_OK;
    while (sent < bytes && result == SOCK_OK) {
        ssize_t n = send(fd, (const char *)data + sent, bytes - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            sent += (size_t)n;
        } else if (errno == EAGAIN) {
            result = wait_for(fd, POLLOUT, deadline_ms) ? SOCK_OK : SOCK_TIMEOUT;
        } else if (errno != EINTR) {
            result = SOCK_RESET;
        }
    }
    if (ret_sent != NULL) {
        *ret_sent = sent;
    }
    return result;
}

enum sock_result sock_receive(int fd, void *space, size_t bytes, int64_t deadline_ms,
                              size_t *ret_got)
{
    for (;;) {
        ssize_t n = recv(fd, space, bytes, MSG_DONTWAIT);
        if (n > 0) {
            *ret_got = (size_t)n;
            return SOCK_OK;
        }
        if (n == 0) {
            return SOCK_CLOSED;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return SOCK_RESET;
        }
        if (errno == EAGAIN && !wait_for(fd, POLLIN, deadline_ms)) {
            return SOCK_TIMEOUT;
        }
    }
}

void sock_finish(int fd)
{
    IGNORE(shutdown(fd, SHUT_WR) != 0); /* a peer that is gone already needs no telling */
}

enum sock_result sock_wait_close(int fd, int64_t deadline_ms, size_t *ret_dropped)
{
    char dropped[4096];
    size_t total = 0;
    size_t got;
    enum sock_result result;
    while ((result = sock_receive(fd, dropped, sizeof dropped, deadline_ms, &got)) == SOCK_OK) {
        total += got;
    }
    if (ret_dropped != NULL) {
        *ret_dropped = total;
    }
    return result;
}
