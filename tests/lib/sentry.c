#include "tests/lib/sentry.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/socket.h"
#include "tests/lib/testkit.h"

enum {
    REQUESTS_MAX = 256,
    REQUEST_BYTES = 8192,
    PATIENCE_S = 120,
};

struct sentry {
    const char *answer;
    int listen_fd;
    int stop_fd;
    pthread_t thread;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t came;
    char *requests[REQUESTS_MAX]; /* owned */
    unsigned n;
};

/* --- the thread ------------------------------------------------------------------------------- */

/* Whether FD has something to read, rather than that it is time to stop. */
static bool wait_for(const struct sentry *sentry, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = sentry->stop_fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0) {
    }
    return fds[1].revents == 0;
}

static size_t body_length(const char *head)
{
    const char *at = strcasestr(head, "\r\nContent-Length:");
    return at == NULL ? 0 : strtoul(at + 17, NULL, 10);
}

/* Read one request whole.  NULL where the peer or the test ends first. */
static char *read_request(const struct sentry *sentry, int fd)
{
    char *text = calloc(1, REQUEST_BYTES);
    size_t length = 0;
    while (text != NULL && wait_for(sentry, fd)) {
        ssize_t n = recv(fd, text + length, REQUEST_BYTES - 1 - length, 0);
        if (n <= 0) {
            break;
        }
        length += (size_t)n;
        const char *end = strstr(text, "\r\n\r\n");
        if (end != NULL && length >= (size_t)(end + 4 - text) + body_length(text)) {
            return text;
        }
    }
    free(text);
    return NULL;
}

static void keep(struct sentry *sentry, char *request)
{
    pthread_mutex_lock(&sentry->lock);
    if (sentry->n < REQUESTS_MAX) {
        sentry->requests[sentry->n++] = request;
    } else {
        free(request);
    }
    pthread_cond_broadcast(&sentry->came);
    pthread_mutex_unlock(&sentry->lock);
}

static void serve(struct sentry *sentry, int fd)
{
    char answer[512];
    char *request = read_request(sentry, fd);
    if (request == NULL) {
        return;
    }
    if (sentry->answer == NULL) {
        keep(sentry, request);
        IGNORE(wait_for(sentry, fd)); /* until the peer gives up, or the test does */
        return;
    }
    int n = snprintf(answer, sizeof answer, "%sContent-Length: 2\r\nConnection: close\r\n\r\n{}",
                     sentry->answer);
    keep(sentry, request); /* before whoever sent it knows that it came */
    IGNORE(send(fd, answer, (size_t)n, MSG_NOSIGNAL) < 0); /* then the peer is gone */
}

static void *sentry_main(void *arg)
{
    struct sentry *sentry = arg;
    while (wait_for(sentry, sentry->listen_fd)) {
        int fd = accept(sentry->listen_fd, NULL, NULL);
        if (fd >= 0) {
            serve(sentry, fd);
            close(fd);
        }
    }
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------- */

struct sentry *sentry_start(const char *answer)
{
    struct sentry *sentry = calloc(1, sizeof *sentry);
    assert_non_null(sentry);
    sentry->answer = answer;
    sentry->listen_fd = sock_listen("tcp:127.0.0.1:0");
    sentry->stop_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(sentry->listen_fd >= 0 && sentry->stop_fd >= 0);
    assert_i64(pthread_mutex_init(&sentry->lock, NULL), 0);
    assert_i64(pthread_cond_init(&sentry->came, NULL), 0);
    assert_i64(pthread_create(&sentry->thread, NULL, sentry_main, sentry), 0);
    return sentry;
}

void sentry_stop(struct sentry *sentry)
{
    uint64_t one = 1;
    assert_i64(write(sentry->stop_fd, &one, sizeof one), sizeof one);
    assert_i64(pthread_join(sentry->thread, NULL), 0);
    close(sentry->listen_fd);
    close(sentry->stop_fd);
    for (unsigned i = 0; i < sentry->n; i++) {
        free(sentry->requests[i]);
    }
    free(sentry);
}

const char *sentry_dsn(const struct sentry *sentry)
{
    return testkit_format("http://abc123@127.0.0.1:%u/7", sock_port(sentry->listen_fd));
}

/* --- what came -------------------------------------------------------------------------------- */

void sentry_wait(struct sentry *sentry, unsigned n)
{
    struct timespec until;
    int rc = 0;
    assert_i64(clock_gettime(CLOCK_MONOTONIC, &until), 0);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&sentry->lock);
    while (sentry->n < n && rc == 0) {
        rc = pthread_cond_clockwait(&sentry->came, &sentry->lock, CLOCK_MONOTONIC, &until);
    }
    unsigned got = sentry->n;
    pthread_mutex_unlock(&sentry->lock);
    if (got < n) {
        testkit_fail("%u requests came, not %u", got, n);
    }
}

unsigned sentry_count(struct sentry *sentry)
{
    pthread_mutex_lock(&sentry->lock);
    unsigned n = sentry->n;
    pthread_mutex_unlock(&sentry->lock);
    return n;
}

const char *sentry_request(struct sentry *sentry, unsigned i)
{
    pthread_mutex_lock(&sentry->lock);
    const char *text = i < sentry->n ? testkit_format("%s", sentry->requests[i]) : NULL;
    pthread_mutex_unlock(&sentry->lock);
    assert_non_null(text);
    return text;
}

/* The LENGTH bytes at TEXT as JSON, all of them. */
static json_object *parse(const char *text, size_t length)
{
    json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object *object = json_tokener_parse_ex(tokener, text, (int)length);
    if (json_tokener_get_error(tokener) != json_tokener_success ||
        json_tokener_get_parse_end(tokener) != length) {
        testkit_fail("not JSON: %.*s", (int)length, text);
    }
    json_tokener_free(tokener);
    return object;
}

static json_object *take_line(const char **at)
{
    size_t length = strcspn(*at, "\n");
    json_object *object = parse(*at, length);
    assert_true((*at)[length] == '\n');
    *at += length + 1;
    return object;
}

static void check_head(const char *request)
{
    assert_memory_equal(request, "POST /api/7/envelope/ HTTP/1.1\r\n", 32);
    assert_contains(request, "\r\nContent-Type: application/x-sentry-envelope\r\n");
    assert_contains(request, "\r\nX-Sentry-Auth: Sentry sentry_version=7, sentry_client=billingd/");
    assert_contains(request, ", sentry_key=abc123\r\n");
}

json_object *sentry_event(struct sentry *sentry, unsigned i)
{
    const char *request = sentry_request(sentry, i);
    check_head(request);
    const char *at = strstr(request, "\r\n\r\n") + 4;
    json_object *head = take_line(&at);
    json_object *item = take_line(&at);
    json_object *length;
    assert_string_equal(sentry_text(item, "type"), "event");
    assert_true(json_object_object_get_ex(item, "length", &length));
    size_t bytes = (size_t)json_object_get_int64(length);
    assert_string_equal(at + bytes, "\n");
    json_object *event = parse(at, bytes);
    const char *id = sentry_text(event, "event_id");
    assert_string_equal(sentry_text(head, "event_id"), id);
    assert_u64(strlen(id), 32);
    assert_u64(strspn(id, "0123456789abcdef"), 32);
    json_object_put(head);
    json_object_put(item);
    return event;
}

const char *sentry_text(json_object *event, const char *path)
{
    json_object *at = event;
    for (const char *name = path; name != NULL; name = strchr(name, '.')) {
        name += *name == '.';
        const char *member = testkit_format("%.*s", (int)strcspn(name, "."), name);
        if (!json_object_object_get_ex(at, member, &at)) {
            testkit_fail("there is no %s in %s", path, json_object_to_json_string(event));
        }
    }
    return json_object_get_string(at);
}
