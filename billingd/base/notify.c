#include "billingd/base/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    MESSAGE_BYTES = 512,
    PATIENCE_S = 1,
};

/* The number that the variable NAME holds, or FALLBACK where it holds none. */
static int64_t number_of(const char *name, int64_t fallback)
{
    const char *value = getenv(name);
    if (value == NULL || *value < '0' || *value > '9') {
        return fallback;
    }
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    return errno == 0 && *end == '\0' ? number : fallback;
}

static int64_t asked_watchdog_us(void)
{
    int64_t pid = number_of("WATCHDOG_PID", getpid());
    return pid == getpid() ? number_of("WATCHDOG_USEC", 0) : 0; /* else it is asked of another */
}

/* "/path" or "@abstract". */
static int parse_address(const char *name, struct notify *notify)
{
    size_t length = strlen(name);
    if ((*name != '/' && *name != '@') || length < 2 || length >= sizeof notify->address.sun_path) {
        return STATUS_OUT_OF_BOUNDS;
    }
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, name, length);
    if (*name == '@') {
        notify->address.sun_path[0] = '\0';
    }
    notify->address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return 0;
}

int notify_open(struct notify *notify)
{
    const char *name = getenv("NOTIFY_SOCKET");
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    *notify = (struct notify){.fd = -1};
    if (name == NULL) {
        return 0;
    }
    int rc = parse_address(name, notify);
    if (rc < 0) {
        return rc;
    }
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify->fd < 0) {
        return STATUS_INTERNAL;
    }
    IGNORE(setsockopt(notify->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0);
    notify->watchdog_us = asked_watchdog_us();
    return 0;
}

void notify_send(const struct notify *notify, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    if (notify->fd < 0) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    size_t bytes = (size_t)length < sizeof message ? (size_t)length : sizeof message - 1;
    IGNORE(sendto(notify->fd, message, bytes, MSG_NOSIGNAL,
                  (const struct sockaddr *)&notify->address, notify->address_bytes) < 0); /* told */
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0) {
        IGNORE(close(notify->fd)); /* nothing was written to lose */
        notify->fd = -1;
    }
}
