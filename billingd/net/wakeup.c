#include "billingd/net/wakeup.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "billingd/base/assert.h"
#include "proto/status.h"

static void poll_cb(uv_poll_t *poll, int status, int events)
{
    struct wakeup *wakeup = poll->data;
    uint64_t sent;
    (void)events;
    INVARIANT(status == 0);
    IGNORE(read(wakeup->fd, &sent, sizeof sent) < 0); /* resets it; EAGAIN: nothing new */
    wakeup->woken(wakeup->arg);
}

void wakeup_init(struct wakeup *wakeup, uv_loop_t *loop, void (*woken)(void *arg), void *arg)
{
    *wakeup = (struct wakeup){
        .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
        .woken = woken,
        .arg = arg,
    };
    INVARIANT(wakeup->fd >= 0);
    INVARIANT(uv_poll_init(loop, &wakeup->poll, wakeup->fd) == 0);
    wakeup->poll.data = wakeup;
    INVARIANT(uv_poll_start(&wakeup->poll, UV_READABLE, poll_cb) == 0);
    uv_unref((uv_handle_t *)&wakeup->poll);
}

void wakeup_send(struct wakeup *wakeup)
{
    static const uint64_t one = 1;
    ssize_t n = write(wakeup->fd, &one, sizeof one);
    INVARIANT(n == sizeof one || errno == EAGAIN); /* full: the loop has not looked yet */
}

void wakeup_close(struct wakeup *wakeup)
{
    uv_close((uv_handle_t *)&wakeup->poll, NULL);
}

void wakeup_done(struct wakeup *wakeup)
{
    IGNORE(close(wakeup->fd)); /* nothing was written to lose */
}
