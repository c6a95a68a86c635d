#include "libbilling/src/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "libbilling/src/clock.h"

static void close_keeping_errno(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
}

/* --- Unix sockets ----------------------------------------------------------------------------- */

/* A connect to a full backlog waits for SO_SNDTIMEO; a non-blocking one would fail at once. */
static int connect_waiting(int fd, const struct sockaddr_un *address, int64_t deadline_us)
{
    for (;;) {
        int64_t left_ms = clock_left_ms(deadline_us);
        struct timeval left = {
            .tv_sec = (time_t)(left_ms / 1000),
            .tv_usec = (suseconds_t)(left_ms % 1000) * 1000,
        };
        if (left_ms == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof left) != 0) {
            return -1;
        }
        if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0) {
            return 0;
        }
        if (errno == EAGAIN) {
            errno = ETIMEDOUT;
        }
        if (errno != EINTR) {
            return -1;
        }
    }
}

static int dial_unix(const struct place *place, int64_t deadline_us)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _Static_assert(sizeof address.sun_path == sizeof place->path, "a path fits");
    memcpy(address.sun_path, place->path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect_waiting(fd, &address, deadline_us) != 0) {
        close_keeping_errno(fd);
        return -1;
    }
    return fd;
}

/* --- TCP -------------------------------------------------------------------------------------- */

static int wait_connected(int fd, int64_t deadline_us)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;
    int n;
    do {
        n = poll(&ready, 1, (int)clock_left_ms(deadline_us));
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        error = ETIMEDOUT;
    } else if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    errno = error;
    return error == 0 ? 0 : -1;
}

static int dial_address(const struct addrinfo *address, int64_t deadline_us)
{
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    int connected = connect(fd, address->ai_addr, address->ai_addrlen);
    if (connected != 0 && (errno == EINPROGRESS || errno == EINTR)) {
        connected = wait_connected(fd, deadline_us);
    }
    if (connected != 0) {
        close_keeping_errno(fd);
        return -1;
    }
    /* Without these it works too, only slower, or later to notice a dead peer. */
    IGNORE(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0);
    IGNORE(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0);
    return fd;
}

/* Try the addresses one after the other; each gets an equal share of the time that is left, so
 * that one which swallows packets leaves some for the next. */
static int dial_addresses(const struct addrinfo *addresses, int64_t deadline_us)
{
    int left = 0;
    for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next) {
        left++;
    }
    for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next, left--) {
        int64_t now_us = clock_now_us();
        int fd = dial_address(a, now_us + (deadline_us - now_us) / left);
        if (fd >= 0) {
            return fd;
        }
    }
    return -1;
}

static int dial_tcp(const struct place *place, int64_t deadline_us, struct failure *reterr)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    int error = getaddrinfo(place->host, place->port, &hints, &addresses);
    if (error != 0) {
        failure_set(reterr, FAULT_CONNECT_FAILED, "%s: %s", place->url, gai_strerror(error));
        return -1;
    }
    int fd = dial_addresses(addresses, deadline_us);
    if (fd < 0) {
        failure_set_system(reterr, FAULT_CONNECT_FAILED, place->url, errno);
    }
    freeaddrinfo(addresses);
    return fd;
}

int dial(const struct place *place, int64_t deadline_us, struct failure *reterr)
{
    if (place->is_tcp) {
        return dial_tcp(place, deadline_us, reterr);
    }
    int fd = dial_unix(place, deadline_us);
    if (fd < 0) {
        failure_set_system(reterr, FAULT_CONNECT_FAILED, place->url, errno);
    }
    return fd;
}
