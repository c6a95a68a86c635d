/* What clients know of each request that they sent: one of the two things that the checker
 * compares, the other being the recovered store.
 *
 * A client logs a request before its first byte goes out, and what it was answered after the last
 * byte of the answer came in; tries again are the same request.  So whatever happens in between, to
 * the daemon or to the client, the log says no more than is certain.
 *
 * It only grows.  Every change has a number, its tick, so that one log tells what was known at any
 * moment: an image of the disk from the middle of a run is judged by what was known then.
 *
 * Any thread, but for create, load and destroy.  A log may be kept in a file as well, for a client
 * that is killed itself.  What is impossible (a text with a tab or a newline) aborts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request_log;

/* In the file: never renumber. */
enum logged_kind {
    LOGGED_CUSTOMER = 1,
    LOGGED_USAGE = 2,
    LOGGED_VOID = 3,
    LOGGED_ADJUSTMENT = 4,
    LOGGED_INVOICE = 5,
};

/* What was asked for.  Texts that do not belong to the kind, or are left out, are NULL, times 0.
 * Numbers are in canonical text ("0.05"), so that they are compared as texts. */
struct logged_payload {
    enum logged_kind kind;
    const struct logged_request *customer; /* the creation of the one it is about; of one: NULL */
    const struct logged_request *usage;    /* of a void: the creation of what it voids */
    const char *name;                      /* of a customer */
    const char *external_id;               /* likewise */
    const char *service;                   /* of usage or an adjustment */
    const char *units;                     /* of usage */
    const char *price;                     /* likewise */
    const char *label;                     /* likewise: the value of its one label, LOGGED_LABEL */
    const char *amount;                    /* of an adjustment */
    const char *reason;                    /* of a void or an adjustment */
    int64_t occurred_at_us;                /* of usage or an adjustment */
    int64_t start_us;                      /* of an invoice */
    int64_t end_us;                        /* likewise */
};

#define LOGGED_LABEL "note"

/* What the daemon said of what it recorded. */
struct logged_answer {
    const char *id;        /* of what was recorded; of an invoice, its number; NULL: see seq */
    uint64_t seq;          /* its sequence number, for clients who have no ids; 0: see id */
    int64_t created_at_us; /* 0: it did not say */
    int64_t bills_at_us;   /* likewise */
    bool replayed;
};

enum logged_outcome {
    LOGGED_UNKNOWN,      /* there or not: at most once */
    LOGGED_ACKNOWLEDGED, /* there, once */
    LOGGED_REFUSED,      /* not there */
};

struct logged_request {
    size_t index; /* from 0, in the order of being sent */
    uint64_t sent_tick;
    const char *request_id;
    struct logged_payload payload;
    /* --- guarded by the log's lock while clients run --- */
    enum logged_outcome outcome;
    uint64_t settled_tick; /* of the first answer that settled it; 0: none did */
    struct logged_answer answer;
    const char *code;          /* of the refusal */
    const char *contradiction; /* in words, where two answers do not agree; else NULL */
};

/* An empty log; with PATH (else NULL) also in that file, which must not exist. */
struct request_log *request_log_create(const char *path);

/* The log that is in the file at PATH, whose last line may be cut short.  It is not written to. */
struct request_log *request_log_load(const char *path);

void request_log_destroy(struct request_log *log);

/* A request is about to be sent for the first time, with REQUEST_ID, which its name space (its
 * customer, or all customers' creations) has not seen yet.  Everything is copied, but for the
 * requests that PAYLOAD points to, which are LOG's.  The result is LOG's and stays in place. */
struct logged_request *request_log_send(struct request_log *log, const char *request_id,
                                        const struct logged_payload *payload);

/* It was answered: it is recorded.  Again and again, it has to be the same answer. */
void request_log_acknowledge(struct request_log *log, struct logged_request *request,
                             const struct logged_answer *answer);

/* It was refused for good, with CODE: no try of it is recorded.  Not for a daemon that is busy,
 * which says nothing of earlier tries. */
void request_log_refuse(struct request_log *log, struct logged_request *request, const char *code);

/* How many changes there were so far: the tick of the last. */
uint64_t request_log_tick(struct request_log *log);

size_t request_log_count(struct request_log *log);

/* The request with INDEX, below the count. */
struct logged_request *request_log_at(struct request_log *log, size_t index);

/* What was known of REQUEST at TICK (UINT64_MAX: in the end). */
enum logged_outcome logged_outcome_at(const struct logged_request *request, uint64_t tick);
