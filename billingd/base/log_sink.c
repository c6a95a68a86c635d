#include "billingd/base/log_sink.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/status.h"

/* The last line was written in part. */
static bool torn;

/* A pipe that is writable takes PIPE_BUF bytes at once, and a file or a terminal that is takes a
 * line without waiting for anybody.  O_NONBLOCK is not for us to set: whoever shares stderr with us
 * would have it too. */
static bool is_writable(void)
{
    struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT) != 0;
}

/* As write(), but never waiting; -1 where it would have to. */
static ssize_t try_write(const char *bytes, size_t length)
{
    ssize_t n;
    do {
        n = send(STDERR_FILENO, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == ENOTSOCK) {
            n = is_writable() ? write(STDERR_FILENO, bytes, length) : -1;
        }
    } while (n < 0 && errno == EINTR);
    return n;
}

bool log_sink_write(const char *line, size_t length)
{
    if (torn && try_write("\n", 1) != 1) {
        return false;
    }
    ssize_t n = try_write(line, length);
    torn = n > 0 && (size_t)n < length;
    return n == (ssize_t)length;
}

bool log_sink_is_journal(const char *stream)
{
    struct stat file;
    char name[64];
    if (stream == NULL || fstat(STDERR_FILENO, &file) < 0) {
        return false;
    }
    IGNORE(snprintf(name, sizeof name, "%" PRIu64 ":%" PRIu64, (uint64_t)file.st_dev,
                    (uint64_t)file.st_ino) < 0); /* fits */
    return strcmp(stream, name) == 0;
}
