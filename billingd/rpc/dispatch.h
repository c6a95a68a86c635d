/* The desk behind both doors: looks a request's method up, decodes, sends it to its lane, and
 * sees that it is answered.  Loop thread only. */
#pragma once

#include "billingd/commit/committer.h"
#include "billingd/commit/jobs.h"
#include "billingd/commit/readers.h"
#include "billingd/rpc/company.h"
#include "billingd/rpc/key_log.h"
#include "billingd/rpc/request.h"
#include "billingd/rpc/request_log.h"
#include "billingd/rpc/request_stats.h"

enum lane {
    LANE_HERE,  /* answered at once on the loop thread, from memory */
    LANE_READ,  /* a reader thread */
    LANE_WRITE, /* the committer */
    /* A reader prepares, then the committer carries out, from what was prepared; where too much
     * has changed meanwhile, it is prepared again.  What is next is request->next. */
    LANE_PREPARED_WRITE,
};

/* A call of the protocol.  Adding one is a row in methods.c and a handler. */
struct method {
    const char *name;                    /* "CreateUsage" */
    Billing__V1__Request__CallCase call; /* also the field number of its message and its reply */
    enum lane lane;
    enum role role;     /* the least that may call it */
    bool every_service; /* it writes what concerns all: refused to a key of some services */
    bool heavy;         /* what a reader does for it may take seconds */
    bool acts; /* it begins or ends something, though it does not write: what is wrong with it is a
                  field, not a query */

    /* Loop thread: turn request->message into request->args.  Wrong fields go to
     * request->errors.  Returns 0 or a STATUS_* that refuses the request as a whole. */
    int (*decode)(struct request *request);

    /* Worker thread, by lane; see struct op. */
    int (*announce)(struct request *request, struct store_txn *txn);
    int (*apply)(struct request *request, struct store_txn *txn, const struct ledger_env *env);
    int (*query)(struct request *request, struct store_view *view, const struct ledger_env *env);

    /* Loop thread: turn request->args into request->response. */
    void (*encode)(struct request *request);
};

/* The row of CALL, or NULL. */
const struct method *method_find(Billing__V1__Request__CallCase call);

struct dispatch_options {
    struct committer *committer;
    struct readers *readers;
    struct keyring *keyring;
    struct jobs *jobs;
    bool require_request_id;         /* refuse writes that bring none, instead of making one */
    const char *version;             /* of the program */
    int64_t started_at_us;           /* wall clock */
    const char *currency;            /* static memory */
    int64_t requests_per_second_max; /* of one asker; 0: any number */
    size_t memory_max;               /* of requests and the doors' buffers; 0: no bound */
    struct request_log_options log;
};

struct dispatch_stats {
    uint64_t requests; /* that came in */
    uint64_t replays;
    uint64_t refusals;  /* answered with a problem, whatever it was */
    size_t in_flight;   /* submitted and not yet answered */
    size_t connections; /* set by the doors, as all below */
    size_t open[REQUEST__DOORS];
};

struct dispatch {
    struct dispatch_options options;
    uint64_t id_key; /* of the store: keys the check digits of ids */
    struct dispatch_stats stats;
    struct request_stats counts;
    struct request_log log;
    struct request_spares spares;
    struct key_log key_log;
    struct askers askers;
    struct memory_use memory;
    struct company company; /* who asks beside whom */
    bool draining;          /* no new request is taken */
    bool closed;            /* the workers are going */
};

/* Ready DISPATCH; OPTIONS are copied. */
void dispatch_init(struct dispatch *dispatch, const struct dispatch_options *options,
                   uint64_t id_key);

/* Free what DISPATCH owns, once all requests and connections are gone. */
void dispatch_done(struct dispatch *dispatch);

/* Carry REQUEST out, whose message is filled.  Where nobody has called gate_identify() yet, whom
 * the door takes its caller for is request->who, and a token in the message says otherwise.  Its
 * reply() is called once: now, or after the next dispatch_flush(). */
void dispatch_submit(struct dispatch *dispatch, struct request *request);

/* Have a worker read the BYTES that have arrived into REQUEST's message by READING (static memory),
 * before it is submitted: a long text would keep the loop from everybody else.  READING->done() is
 * called once: now, where the workers have too much to do or the daemon is ending; or later, and
 * then it is carried out, since it came before the end. */
void dispatch_read(struct dispatch *dispatch, struct request *request, size_t bytes,
                   const struct request_reading *reading);

/* Asked before REQUEST's message is taken, once gate_identify() was called and request->method is
 * set: whether the message may come.  Whether it may be carried out is asked again when it has.
 * Where it may not come, REQUEST is answered here, and counts as one that came. */
bool dispatch_invites(struct dispatch *dispatch, struct request *request);

/* Answer REQUEST now with a problem: for what a door refuses before there is a message. */
__attribute__((format(printf, 3, 4))) void dispatch_refuse(struct request *request, int status,
                                                           const char *format, ...);

/* Likewise with STATUS, in the words that it has wherever it comes from. */
void dispatch_fail(struct request *request, int status);

/* Count and log that REQUEST is answered as its response has it.  Each door calls it once a
 * request, where it knows what the client is told, before it frees it. */
void dispatch_answered(struct request *request);

/* Log what is due by time.  About once a second. */
void dispatch_tick(struct dispatch *dispatch);

/* Let the committer begin the writes that were submitted, and note which keys were used.  At the
 * end of each turn of the loop. */
void dispatch_flush(struct dispatch *dispatch);

/* Whether the doors should stop reading from the connections of ASKER for now. */
bool dispatch_is_pressed(struct dispatch *dispatch, const struct asker *asker);

/* Take no more: what comes is refused with STATUS_SHUTTING_DOWN. */
void dispatch_drain(struct dispatch *dispatch);

/* The workers are about to be destroyed, one after the other: take no more, as dispatch_drain(),
 * hand nothing that is prepared on to any of them, and write down which keys were used. */
void dispatch_close(struct dispatch *dispatch);
