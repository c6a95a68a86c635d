/* The desk behind both doors, without a door: dispatch with its committer and readers over a
 * memory store, and a test that is the loop.  Requests are packed and unpacked on their way in, and
 * answers on their way out, as a door would.
 *
 * Main thread; what fails here fails the test. */
#pragma once

#include "billingd/rpc/dispatch.h"
#include "tests/lib/bell.h"
#include "tests/lib/memory_store.h"
#include "tests/lib/raw_client.h"

struct desk_answer;

struct desk {
    struct memory_store *memory;
    struct bell bell;
    struct completions completions;
    struct committer *committer;
    struct readers *readers;
    struct keyring *keyring;
    struct jobs *jobs;
    struct dispatch dispatch;
    struct identity who;         /* of the requests to come: "tester", ROLE_ADMIN */
    struct desk_answer *answers; /* all, newest first; freed with the desk */
};

struct desk_options {
    size_t queue_ops_max; /* 0: roomy */
    bool require_request_id;
    bool catalogue_listed;
    uint64_t id_key;
    void (*wake)(void *arg); /* instead of the desk's own; then the test drains */
    void *wake_arg;
};

struct desk_answer {
    struct desk_answer *next;
    bool done;
    Billing__V1__Response *response;
    uint8_t *packed; /* the same as it goes over the wire */
    size_t packed_bytes;
    size_t arena_bytes; /* what the request took from the heap */
};

/* OPTIONS may be NULL. */
struct desk *desk_open(const struct desk_options *options);

/* Shut down as the daemon does, and free it all. */
void desk_close(struct desk *desk);

/* Hand a request over; its answer is filled when it is done. */
struct desk_answer *desk_submit(struct desk *desk, const Billing__V1__Request *request);

/* Take back what the workers are done with, and hand on what that has led to, as a turn of the loop
 * does.  Returns how many there were. */
size_t desk_drain(struct desk *desk);

/* Wait until it is. */
Billing__V1__Response *desk_wait(struct desk *desk, struct desk_answer *answer);

/* Both. */
Billing__V1__Response *desk_call(struct desk *desk, const Billing__V1__Request *request);

/* --- requests --------------------------------------------------------------------------------- */

/* M->FIELD = TEXT, unless that is NULL. */
#define DESK_SET(m, field, text)                                                                   \
    do {                                                                                           \
        const char *desk_text = (text);                                                            \
        if (desk_text != NULL) {                                                                   \
            (m)->has_##field = true;                                                               \
            (m)->field = raw_bytes(desk_text);                                                     \
        }                                                                                          \
    } while (0)

/* A request that holds MESSAGE, of the type that CALL has.  The kit's memory, as MESSAGE. */
Billing__V1__Request *desk_request(Billing__V1__Request__CallCase call, void *message);

/* New messages; what is NULL is left out. */
Billing__V1__CreateCustomer *desk_customer_input(const char *name, const char *external_id,
                                                 const char *request_id);
Billing__V1__UsageInput *desk_usage_input(const char *customer_id, const char *service,
                                          const char *units, const char *price,
                                          const char *request_id);
Billing__V1__CreateUsageBatch *desk_batch_input(Billing__V1__UsageInput **items, size_t n,
                                                const char *request_id);

/* Add a label to INPUT. */
void desk_add_label(Billing__V1__UsageInput *input, const char *name, const char *value);

/* Create a customer, and return its id. */
const char *desk_add_customer(struct desk *desk, const char *external_id);

/* Record "Database Hosting", 58 x 0.05, under REQUEST_ID, and return the usage's id. */
const char *desk_add_usage(struct desk *desk, const char *customer_id, const char *request_id);

/* --- answers ---------------------------------------------------------------------------------- */

/* A field's text, the kit's. */
const char *desk_text(ProtobufCBinaryData field);

/* RESPONSE is a problem of STATUS, in all that follows from it.  Returns it. */
const Billing__V1__Problem *desk_problem(const Billing__V1__Response *response, int status);

/* PROBLEM is one of STATUS. */
void desk_check_problem(const Billing__V1__Problem *problem, int status);

/* PROBLEM names FIELD, with the code of STATUS.  Returns its message. */
const char *desk_field(const Billing__V1__Problem *problem, const char *field, int status);
