#include "tests/fault/proxy.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/socket.h"
#include "tests/lib/testkit.h"

enum {
    CHUNK_BYTES = 16 * 1024,
    HISTORY_BYTES = 64, /* that can be repeated */
    SPLIT_MS = 1,       /* for the peer to see the first part alone */
};

struct proxy {
    const char *address;
    const char *target;
    int listen_fd;
    int release_fd; /* readable from the release on, until it is armed again */
    pthread_t acceptor;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct proxy_fault fault;
    bool armed; /* for the connection that comes next */
    bool struck;
    uint64_t bytes[PROXY_DIRECTIONS];
    unsigned links; /* connections that have not ended */
    int fds[64];    /* of them, to end them; -1: free */
};

/* One way of a connection. */
struct way {
    int from;
    int to;
    uint64_t seen;
    bool ended;             /* FROM sends no more */
    char held[CHUNK_BYTES]; /* what is stalled; nothing is read meanwhile */
    size_t n_held;
    bool stalled;
    char history[HISTORY_BYTES]; /* what went last */
    size_t n_history;
};

struct link {
    struct proxy *proxy;
    struct proxy_fault fault;
    bool faulty; /* the fault is still to come */
    bool first;  /* since it was armed: its bytes are counted */
    bool cut;
    struct way ways[PROXY_DIRECTIONS];
};

/* --- bytes ------------------------------------------------------------------------------------ */

/* A peer that is gone takes nothing, which is no fault of ours. */
static void put(struct way *way, const char *data, size_t n)
{
    IGNORE(sock_send(way->to, data, n, testkit_now_ms() + SOCK_PATIENCE_MS, NULL) != SOCK_OK);
    size_t kept = n < HISTORY_BYTES ? n : HISTORY_BYTES;
    size_t old = way->n_history < HISTORY_BYTES - kept ? way->n_history : HISTORY_BYTES - kept;
    memmove(way->history, way->history + way->n_history - old, old);
    memcpy(way->history + old, data + n - kept, kept);
    way->n_history = old + kept;
}

static void strike(struct link *link, struct way *way, const char *rest, size_t n)
{
    link->faulty = false;
    pthread_mutex_lock(&link->proxy->lock);
    link->proxy->struck = true;
    pthread_mutex_unlock(&link->proxy->lock);
    switch (link->fault.kind) {
    case PROXY_CUT:
        link->cut = true;
        return;
    case PROXY_SPLIT:
        IGNORE(poll(NULL, 0, SPLIT_MS));
        break;
    case PROXY_STALL:
        memcpy(way->held, rest, n);
        way->n_held = n;
        way->stalled = true;
        return;
    case PROXY_REPEAT: {
        size_t length = link->fault.length < way->n_history ? link->fault.length : way->n_history;
        char again[HISTORY_BYTES];
        memcpy(again, way->history + way->n_history - length, length);
        put(way, again, length);
        break;
    }
    case PROXY_AGAIN:
    case PROXY_FAULTS:
        break;
    }
    put(way, rest, n);
}

static void pass(struct link *link, enum proxy_direction direction, const char *data, size_t n)
{
    struct way *way = &link->ways[direction];
    const struct proxy_fault *fault = &link->fault;
    uint64_t before = way->seen;
    way->seen += n;
    if (link->first) {
        pthread_mutex_lock(&link->proxy->lock);
        link->proxy->bytes[direction] += n;
        pthread_mutex_unlock(&link->proxy->lock);
    }
    if (!link->faulty || fault->direction != direction || fault->position > way->seen) {
        put(way, data, n);
        return;
    }
    /* where it comes again, all of it is put now and once more as the rest */
    size_t now = fault->kind == PROXY_AGAIN ? n : (size_t)(fault->position - before);
    size_t done = fault->kind == PROXY_AGAIN ? 0 : now;
    put(way, data, now);
    strike(link, way, data + done, n - done);
}

static void pump(struct link *link, enum proxy_direction direction)
{
    struct way *way = &link->ways[direction];
    char data[CHUNK_BYTES];
    ssize_t got = recv(way->from, data, sizeof data, 0);
    if (got > 0) {
        pass(link, direction, data, (size_t)got);
    } else if (got == 0 || errno != EINTR) {
        way->ended = true;
        sock_finish(way->to);
    }
}

/* --- connections ------------------------------------------------------------------------------ */

static void release(struct link *link)
{
    for (int i = 0; i < PROXY_DIRECTIONS; i++) {
        struct way *way = &link->ways[i];
        if (way->stalled) {
            way->stalled = false;
            put(way, way->held, way->n_held);
        }
    }
}

static void wait_and_pump(struct link *link)
{
    struct way *ways = link->ways;
    struct pollfd fds[PROXY_DIRECTIONS + 1];
    bool stalled = false;
    for (int i = 0; i < PROXY_DIRECTIONS; i++) {
        bool reads = !ways[i].ended && !ways[i].stalled;
        fds[i] = (struct pollfd){.fd = reads ? ways[i].from : -1, .events = POLLIN};
        stalled |= ways[i].stalled;
    }
    fds[PROXY_DIRECTIONS] =
        (struct pollfd){.fd = stalled ? link->proxy->release_fd : -1, .events = POLLIN};
    if (poll(fds, PROXY_DIRECTIONS + 1, -1) <= 0) {
        return;
    }
    if (fds[PROXY_DIRECTIONS].revents != 0) {
        release(link);
    }
    for (int i = 0; i < PROXY_DIRECTIONS && !link->cut; i++) {
        if (fds[i].revents != 0) {
            pump(link, (enum proxy_direction)i);
        }
    }
}

static void forget(struct proxy *proxy, int fd)
{
    for (size_t i = 0; i < sizeof proxy->fds / sizeof *proxy->fds; i++) {
        if (proxy->fds[i] == fd) {
            proxy->fds[i] = -1;
        }
    }
    close(fd);
}

static void *link_main(void *arg)
{
    struct link *link = arg;
    struct proxy *proxy = link->proxy;
    struct way *ways = link->ways;
    while (!link->cut && (!ways[PROXY_TO_DAEMON].ended || !ways[PROXY_TO_CLIENT].ended)) {
        wait_and_pump(link);
    }
    pthread_mutex_lock(&proxy->lock);
    forget(proxy, ways[PROXY_TO_DAEMON].from);
    forget(proxy, ways[PROXY_TO_DAEMON].to);
    proxy->links--;
    pthread_cond_broadcast(&proxy->changed);
    pthread_mutex_unlock(&proxy->lock);
    free(link);
    return NULL;
}

static void remember(struct proxy *proxy, int fd)
{
    for (size_t i = 0; i < sizeof proxy->fds / sizeof *proxy->fds; i++) {
        if (proxy->fds[i] < 0) {
            proxy->fds[i] = fd;
            return;
        }
    }
    abort();
}

static void start_link(struct proxy *proxy, int client, int daemon)
{
    struct link *link = calloc(1, sizeof *link);
    pthread_t thread;
    if (link == NULL) {
        abort();
    }
    link->proxy = proxy;
    link->ways[PROXY_TO_DAEMON].from = link->ways[PROXY_TO_CLIENT].to = client;
    link->ways[PROXY_TO_DAEMON].to = link->ways[PROXY_TO_CLIENT].from = daemon;
    pthread_mutex_lock(&proxy->lock);
    link->first = proxy->armed;
    link->fault = proxy->fault;
    link->faulty = proxy->armed && proxy->fault.kind != PROXY_FAULTS;
    proxy->armed = false;
    proxy->links++;
    remember(proxy, client);
    remember(proxy, daemon);
    pthread_mutex_unlock(&proxy->lock);
    if (pthread_create(&thread, NULL, link_main, link) != 0 || pthread_detach(thread) != 0) {
        abort();
    }
}

static void *acceptor_main(void *arg)
{
    struct proxy *proxy = arg;
    int client;
    while ((client = accept4(proxy->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        int daemon = sock_connect(proxy->target);
        if (daemon < 0) {
            close(client);
        } else {
            start_link(proxy, client, daemon);
        }
    }
    return NULL;
}

/* --- the proxy -------------------------------------------------------------------------------- */

struct proxy *proxy_create(const char *address, const char *target)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    if (proxy == NULL || pthread_mutex_init(&proxy->lock, NULL) != 0 ||
        pthread_cond_init(&proxy->changed, NULL) != 0) {
        abort();
    }
    proxy->target = target;
    proxy->fault.kind = PROXY_FAULTS;
    proxy->release_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    memset(proxy->fds, 0xff, sizeof proxy->fds);
    proxy->listen_fd = sock_listen(address);
    proxy->address = strncmp(address, "tcp:", 4) == 0
                         ? testkit_format("tcp:127.0.0.1:%u", sock_port(proxy->listen_fd))
                         : address;
    if (proxy->release_fd < 0 || proxy->listen_fd < 0 ||
        pthread_create(&proxy->acceptor, NULL, acceptor_main, proxy) != 0) {
        abort();
    }
    return proxy;
}

const char *proxy_address(const struct proxy *proxy)
{
    return proxy->address;
}

void proxy_arm(struct proxy *proxy, const struct proxy_fault *fault)
{
    uint64_t released;
    pthread_mutex_lock(&proxy->lock);
    IGNORE(read(proxy->release_fd, &released, sizeof released) < 0); /* none is stalled now */
    proxy->fault = fault == NULL ? (struct proxy_fault){.kind = PROXY_FAULTS} : *fault;
    proxy->armed = true;
    proxy->struck = false;
    memset(proxy->bytes, 0, sizeof proxy->bytes);
    pthread_mutex_unlock(&proxy->lock);
}

static void let_go(struct proxy *proxy)
{
    uint64_t one = 1;
    if (write(proxy->release_fd, &one, sizeof one) != sizeof one) {
        abort();
    }
}

bool proxy_settle(struct proxy *proxy, int timeout_ms)
{
    struct timespec until;
    int late = 0;
    if (clock_gettime(CLOCK_REALTIME, &until) != 0) {
        abort();
    }
    until.tv_sec += timeout_ms / 1000;
    pthread_mutex_lock(&proxy->lock);
    let_go(proxy);
    while (proxy->links > 0 && late == 0) {
        late = pthread_cond_timedwait(&proxy->changed, &proxy->lock, &until);
    }
    bool settled = proxy->links == 0;
    pthread_mutex_unlock(&proxy->lock);
    return settled;
}

bool proxy_struck(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    bool struck = proxy->struck;
    pthread_mutex_unlock(&proxy->lock);
    return struck;
}

uint64_t proxy_bytes(struct proxy *proxy, enum proxy_direction direction)
{
    pthread_mutex_lock(&proxy->lock);
    uint64_t bytes = proxy->bytes[direction];
    pthread_mutex_unlock(&proxy->lock);
    return bytes;
}

void proxy_destroy(struct proxy *proxy)
{
    shutdown(proxy->listen_fd, SHUT_RDWR);
    pthread_join(proxy->acceptor, NULL);
    close(proxy->listen_fd);
    pthread_mutex_lock(&proxy->lock);
    let_go(proxy);
    for (size_t i = 0; i < sizeof proxy->fds / sizeof *proxy->fds; i++) {
        if (proxy->fds[i] >= 0) {
            shutdown(proxy->fds[i], SHUT_RDWR);
        }
    }
    while (proxy->links > 0) {
        pthread_cond_wait(&proxy->changed, &proxy->lock);
    }
    pthread_mutex_unlock(&proxy->lock);
    close(proxy->release_fd);
    pthread_cond_destroy(&proxy->changed);
    pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}
