/* A daemon for tests of the client library that does as it is told: a thread that listens on a Unix
 * socket, reads real frames and goes through a script, one step a request (or a connection).  When
 * the script is over, every request gets a proper answer (fake_answers.h).
 *
 * Everything here is for the main thread; the fake's thread only collects, and nothing of it fails
 * a test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_act {
    /* Having read a request. */
    FAKE_ANSWER,         /* properly */
    FAKE_REPLAY,         /* properly, marked as replayed */
    FAKE_PROBLEM,        /* with a problem */
    FAKE_HANG_UP,        /* close the connection without an answer */
    FAKE_CUT,            /* send half of the answer and close */
    FAKE_SILENCE,        /* nothing, ever */
    FAKE_HOLD,           /* nothing, until another request arrives; then answer both */
    FAKE_DRIBBLE,        /* properly, one byte a send */
    FAKE_ANSWER_HANG_UP, /* properly, and close: the client's kept connection is stale */
    FAKE_OTHER_CALL,     /* the right result under another call id */
    FAKE_OTHER_RESULT,   /* the result of another kind of call */
    FAKE_PAYLOAD,        /* the bytes of the step in a frame */
    FAKE_BYTES,          /* the bytes of the step as they are */
    /* Instead of reading what a new connection sends; the steps above let it be. */
    FAKE_CLOSE_NEW,  /* close it */
    FAKE_REFUSE_NEW, /* send a problem that names no call, and close it */
};

struct fake_step {
    enum fake_act act;
    uint32_t http;           /* problem: HTTP status */
    const char *code;        /* problem: as "busy" */
    uint32_t retry_after_ms; /* problem: 0 for none */
    const char *existing_id; /* problem: NULL for none */
    const void *bytes;       /* FAKE_PAYLOAD, FAKE_BYTES */
    size_t length;
    bool unknown; /* problem: recorded is unknown rather than no */
};

enum {
    FAKE_REQUESTS_MAX = 64, /* that are remembered */
};

/* What came with a request. */
struct fake_seen {
    char request_id[136]; /* "" if none */
    uint64_t call_id;
    uint32_t timeout_ms;
    int call;       /* its number in billing.proto */
    int connection; /* counted from 1 */
    size_t bytes;   /* of its frame, without the length */
    uint8_t *frame; /* those bytes */
};

struct fake_daemon;

/* Start a fake with COUNT steps at SCRIPT, which must outlive it; fails the test if it cannot. */
struct fake_daemon *fake_start(const struct fake_step *script, size_t count);

/* As fake_start(), listening at PATH. */
struct fake_daemon *fake_start_at(const char *path, const struct fake_step *script, size_t count);

/* As fake_start(), on a free TCP port of 127.0.0.1. */
struct fake_daemon *fake_start_tcp(const struct fake_step *script, size_t count);

/* Its URL: unix://PATH or tcp://127.0.0.1:PORT. */
const char *fake_url(const struct fake_daemon *fake);

/* How many requests came so far, and what request INDEX brought: fails the test behind the end. */
size_t fake_requests(struct fake_daemon *fake);
struct fake_seen fake_request(struct fake_daemon *fake, size_t index);

/* How many connections came so far. */
int fake_connections(struct fake_daemon *fake);

/* End the fake: its socket is gone and its connections are closed. */
void fake_stop(struct fake_daemon *fake);
