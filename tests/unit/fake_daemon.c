#include "tests/unit/fake_daemon.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/frame.h"
#include "tests/lib/testkit.h"
#include "tests/unit/fake_answers.h"

enum {
    CONNECTIONS_MAX = 32,
    FRAME_MAX = 64 * 1024 * 1024,
};

struct peer {
    int fd;     /* -1: this place is free */
    int number; /* counted from 1 */
    struct frame_reader reader;
    Billing__V1__Request *held; /* waits for another request */
    bool finished;              /* to be closed */
};

struct fake_daemon {
    const char *path; /* NULL: TCP */
    const char *url;
    const struct fake_step *script;
    size_t steps;
    pthread_t thread;
    int listener;
    int stop[2]; /* a pipe: closed to end the thread */

    /* --- the fake's thread --- */
    size_t step;
    struct peer peers[CONNECTIONS_MAX];

    /* --- guarded by lock --- */
    pthread_mutex_t lock;
    size_t requests;
    int connections;
    struct fake_seen seen[FAKE_REQUESTS_MAX];
};

/* --- sending ---------------------------------------------------------------------------------- */

static void send_bytes(struct peer *peer, const void *data, size_t bytes)
{
    for (const char *at = data; bytes > 0;) {
        ssize_t n = send(peer->fd, at, bytes, MSG_NOSIGNAL);
        if (n <= 0) {
            peer->finished = true;
            return;
        }
        at += n;
        bytes -= (size_t)n;
    }
}

/* What is done with the frame of an answer. */
struct sending {
    struct peer *peer;
    enum fake_act act;
};

static void send_response(const Billing__V1__Response *response, void *arg)
{
    const struct sending *sending = arg;
    size_t bytes = billing__v1__response__get_packed_size(response);
    uint8_t *frame = malloc(FRAME_HEADER_BYTES + bytes);
    if (frame == NULL) {
        return;
    }
    frame_header_write(frame, (uint32_t)bytes);
    billing__v1__response__pack(response, frame + FRAME_HEADER_BYTES);
    size_t whole = FRAME_HEADER_BYTES + bytes;
    if (sending->act == FAKE_DRIBBLE) {
        for (size_t i = 0; i < whole; i++) {
            send_bytes(sending->peer, frame + i, 1);
        }
    } else {
        send_bytes(sending->peer, frame, sending->act == FAKE_CUT ? whole / 2 : whole);
    }
    free(frame);
}

static void send_other_call(const Billing__V1__Response *response, void *arg)
{
    Billing__V1__Response other = *response;
    other.call_id += 1000;
    send_response(&other, arg);
}

static void send_payload(struct peer *peer, const struct fake_step *step)
{
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_write(header, (uint32_t)step->length);
    send_bytes(peer, header, sizeof header);
    send_bytes(peer, step->bytes, step->length);
}

static void send_other_result(struct peer *peer, const Billing__V1__Request *request)
{
    struct sending sending = {.peer = peer, .act = FAKE_ANSWER};
    Billing__V1__Request other = BILLING__V1__REQUEST__INIT;
    Billing__V1__CheckHealth health = BILLING__V1__CHECK_HEALTH__INIT;
    Billing__V1__GetServerInfo info = BILLING__V1__GET_SERVER_INFO__INIT;
    other.call_id = request->call_id;
    if (request->call_case == BILLING__V1__REQUEST__CALL_CHECK_HEALTH) {
        other.call_case = BILLING__V1__REQUEST__CALL_GET_SERVER_INFO;
        other.get_server_info = &info;
    } else {
        other.call_case = BILLING__V1__REQUEST__CALL_CHECK_HEALTH;
        other.check_health = &health;
    }
    fake_answer(&other, false, send_response, &sending);
}

/* --- the script ------------------------------------------------------------------------------- */

static const struct fake_step proper = {.act = FAKE_ANSWER};

/* The step that is next; it stays so. */
static const struct fake_step *next_step(const struct fake_daemon *fake)
{
    return fake->step < fake->steps ? &fake->script[fake->step] : &proper;
}

static void perform(struct peer *peer, const struct fake_step *step,
                    const Billing__V1__Request *request)
{
    struct sending sending = {.peer = peer, .act = step->act};
    switch (step->act) {
    case FAKE_ANSWER:
    case FAKE_REPLAY:
    case FAKE_DRIBBLE:
    case FAKE_CUT:
    case FAKE_ANSWER_HANG_UP:
        fake_answer(request, step->act == FAKE_REPLAY, send_response, &sending);
        break;
    case FAKE_OTHER_CALL:
        fake_answer(request, false, send_other_call, &sending);
        break;
    case FAKE_OTHER_RESULT:
        send_other_result(peer, request);
        break;
    case FAKE_REFUSE_NEW:
    case FAKE_PROBLEM:
        fake_problem(request, step, send_response, &sending);
        break;
    case FAKE_PAYLOAD:
        send_payload(peer, step);
        break;
    case FAKE_BYTES:
        send_bytes(peer, step->bytes, step->length);
        break;
    case FAKE_CLOSE_NEW:
    case FAKE_HANG_UP:
    case FAKE_SILENCE:
    case FAKE_HOLD:
        break;
    }
    peer->finished |= step->act == FAKE_CUT || step->act == FAKE_ANSWER_HANG_UP ||
                      step->act == FAKE_HANG_UP || step->act == FAKE_CLOSE_NEW ||
                      step->act == FAKE_REFUSE_NEW;
}

static void note(struct fake_daemon *fake, const struct peer *peer,
                 const Billing__V1__Request *request, const uint8_t *payload, size_t bytes)
{
    pthread_mutex_lock(&fake->lock);
    if (fake->requests < FAKE_REQUESTS_MAX) {
        struct fake_seen *seen = &fake->seen[fake->requests];
        ProtobufCBinaryData id = fake_request_id(request);
        *seen = (struct fake_seen){
            .call_id = request->call_id,
            .timeout_ms = request->timeout_ms,
            .call = (int)request->call_case,
            .connection = peer->number,
            .bytes = bytes,
            .frame = malloc(bytes),
        };
        if (id.len > 0 && id.len < sizeof seen->request_id) {
            memcpy(seen->request_id, id.data, id.len);
        }
        if (seen->frame != NULL) {
            memcpy(seen->frame, payload, bytes);
        }
    }
    fake->requests++;
    pthread_mutex_unlock(&fake->lock);
}

static void release_held(struct fake_daemon *fake)
{
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        struct peer *peer = &fake->peers[i];
        if (peer->held != NULL) {
            perform(peer, &proper, peer->held);
            billing__v1__request__free_unpacked(peer->held, NULL);
            peer->held = NULL;
        }
    }
}

static void take_request(struct fake_daemon *fake, struct peer *peer, const uint8_t *payload,
                         size_t bytes)
{
    const struct fake_step *step = next_step(fake);
    Billing__V1__Request *request = billing__v1__request__unpack(NULL, bytes, payload);
    if (request == NULL) {
        peer->finished = true;
        return;
    }
    note(fake, peer, request, payload, bytes);
    fake->step++;
    release_held(fake);
    if (step->act == FAKE_HOLD) {
        peer->held = request;
        return;
    }
    perform(peer, step, request);
    billing__v1__request__free_unpacked(request, NULL);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void read_peer(struct fake_daemon *fake, struct peer *peer)
{
    uint8_t *space;
    const uint8_t *payload;
    size_t bytes;
    if (frame_reader_space(&peer->reader, 65536, &space, &bytes) != 0) {
        return;
    }
    ssize_t n = recv(peer->fd, space, bytes, 0);
    if (n <= 0) {
        peer->finished = true;
        return;
    }
    frame_reader_fed(&peer->reader, (size_t)n);
    while (!peer->finished && frame_reader_next(&peer->reader, &payload, &bytes) == 0) {
        take_request(fake, peer, payload, bytes);
    }
}

static void close_peer(struct peer *peer)
{
    if (peer->held != NULL) {
        billing__v1__request__free_unpacked(peer->held, NULL);
    }
    frame_reader_done(&peer->reader);
    close(peer->fd);
    *peer = (struct peer){.fd = -1};
}

static void accept_peer(struct fake_daemon *fake)
{
    int fd = accept(fake->listener, NULL, NULL);
    for (int i = 0; fd >= 0 && i < CONNECTIONS_MAX; i++) {
        struct peer *peer = &fake->peers[i];
        if (peer->fd >= 0) {
            continue;
        }
        pthread_mutex_lock(&fake->lock);
        *peer = (struct peer){.fd = fd, .number = ++fake->connections};
        pthread_mutex_unlock(&fake->lock);
        frame_reader_init(&peer->reader, FRAME_MAX);
        const struct fake_step *step = next_step(fake);
        if (step->act == FAKE_CLOSE_NEW || step->act == FAKE_REFUSE_NEW) {
            fake->step++;
            perform(peer, step, NULL);
        }
        return;
    }
    close(fd);
}

static void *run(void *arg)
{
    struct fake_daemon *fake = arg;
    for (;;) {
        struct pollfd fds[CONNECTIONS_MAX + 2];
        for (int i = 0; i < CONNECTIONS_MAX; i++) {
            if (fake->peers[i].fd >= 0 && fake->peers[i].finished) {
                close_peer(&fake->peers[i]);
            }
            fds[i] = (struct pollfd){.fd = fake->peers[i].fd, .events = POLLIN};
        }
        fds[CONNECTIONS_MAX] = (struct pollfd){.fd = fake->listener, .events = POLLIN};
        fds[CONNECTIONS_MAX + 1] = (struct pollfd){.fd = fake->stop[0], .events = POLLIN};
        if (poll(fds, CONNECTIONS_MAX + 2, -1) < 0 || fds[CONNECTIONS_MAX + 1].revents != 0) {
            return NULL;
        }
        for (int i = 0; i < CONNECTIONS_MAX; i++) {
            if (fds[i].revents != 0) {
                read_peer(fake, &fake->peers[i]);
            }
        }
        if (fds[CONNECTIONS_MAX].revents != 0) {
            accept_peer(fake);
        }
    }
}

/* --- for the main thread ---------------------------------------------------------------------- */

/* A socket that is bound to ADDRESS. */
static int bind_to(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, address, size), 0);
    assert_int_equal(listen(fd, CONNECTIONS_MAX), 0);
    return fd;
}

static struct fake_daemon *start(const struct fake_step *script, size_t count, int listener)
{
    struct fake_daemon *fake = testkit_alloc(sizeof *fake);
    fake->script = script;
    fake->listener = listener;
    fake->steps = count;
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        fake->peers[i].fd = -1;
    }
    assert_int_equal(pthread_mutex_init(&fake->lock, NULL), 0);
    assert_int_equal(pipe(fake->stop), 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, run, fake), 0);
    return fake;
}

struct fake_daemon *fake_start_at(const char *path, const struct fake_step *script, size_t count)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int listener = bind_to((const struct sockaddr *)&address, sizeof address);
    struct fake_daemon *fake = start(script, count, listener);
    fake->path = path;
    fake->url = testkit_format("unix://%s", path);
    return fake;
}

struct fake_daemon *fake_start_tcp(const struct fake_step *script, size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = bind_to((const struct sockaddr *)&address, sizeof address);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    struct fake_daemon *fake = start(script, count, listener);
    fake->url = testkit_format("tcp://127.0.0.1:%d", ntohs(address.sin_port));
    return fake;
}

struct fake_daemon *fake_start(const struct fake_step *script, size_t count)
{
    return fake_start_at(testkit_format("%s/billingd.sock", testkit_tmpdir()), script, count);
}

const char *fake_url(const struct fake_daemon *fake)
{
    return fake->url;
}

size_t fake_requests(struct fake_daemon *fake)
{
    pthread_mutex_lock(&fake->lock);
    size_t requests = fake->requests;
    pthread_mutex_unlock(&fake->lock);
    return requests;
}

struct fake_seen fake_request(struct fake_daemon *fake, size_t index)
{
    assert_true(index < fake_requests(fake) && index < FAKE_REQUESTS_MAX);
    pthread_mutex_lock(&fake->lock);
    struct fake_seen seen = fake->seen[index];
    pthread_mutex_unlock(&fake->lock);
    return seen;
}

int fake_connections(struct fake_daemon *fake)
{
    pthread_mutex_lock(&fake->lock);
    int connections = fake->connections;
    pthread_mutex_unlock(&fake->lock);
    return connections;
}

void fake_stop(struct fake_daemon *fake)
{
    close(fake->stop[1]);
    pthread_join(fake->thread, NULL);
    if (fake->path != NULL) {
        unlink(fake->path);
    }
    close(fake->listener);
    close(fake->stop[0]);
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        if (fake->peers[i].fd >= 0) {
            close_peer(&fake->peers[i]);
        }
    }
    for (size_t i = 0; i < FAKE_REQUESTS_MAX; i++) {
        free(fake->seen[i].frame);
    }
    pthread_mutex_destroy(&fake->lock);
}
