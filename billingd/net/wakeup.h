/* Waking the loop thread from another: an eventfd that the loop polls.
 *
 * libuv has uv_async_t for this, but in 1.44 the woken loop spins until the waker has returned from
 * its write(), which costs a lone client 5 % of its round trip (billing-bench rpc --bare). */
#pragma once

#include <uv.h>

struct wakeup {
    uv_poll_t poll;
    int fd;                   /* owned */
    void (*woken)(void *arg); /* loop thread */
    void *arg;
};

/* Ready WAKEUP on LOOP: WOKEN runs with ARG on the loop thread some time after each
 * wakeup_send(); several may share one run.  It does not keep the loop alive.  Aborts where the
 * kernel gives no descriptor: before anything is served. */
void wakeup_init(struct wakeup *wakeup, uv_loop_t *loop, void (*woken)(void *arg), void *arg);

/* Wake the loop.  Any thread, as long as wakeup_close() was not called. */
void wakeup_send(struct wakeup *wakeup);

/* Close the handle; it is through when the loop has run once more, and then wakeup_done(). */
void wakeup_close(struct wakeup *wakeup);

/* Close the descriptor. */
void wakeup_done(struct wakeup *wakeup);
