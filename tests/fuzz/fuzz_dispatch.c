/* Sequences of calls at the desk, over a ledger in memory.  After each: the answer is well formed;
 * what was refused, or only asked, has recorded nothing; and the same request id once more gives
 * the same answer and records nothing.  At the end every bill is the sum of the records behind it,
 * and every invoice is verified.  See script.h for how bytes become calls. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/counter.h"
#include "tests/fuzz/invariants.h"
#include "tests/fuzz/script.h"
#include "tests/lib/memory_store.h"

enum {
    CALLS_MAX = 64,
};

#define RESULT(name) BILLING__V1__RESPONSE__RESULT_##name

static uint64_t records(struct counter *counter)
{
    return counter_info(counter).last_seq;
}

static bool writes(const Billing__V1__Response *response)
{
    const struct method *method =
        method_find((Billing__V1__Request__CallCase)response->result_case);
    return method != NULL && (method->lane == LANE_WRITE || method->lane == LANE_PREPARED_WRITE);
}

/* A batch was recorded once: each item that was is replayed, each other refused as before. */
static void check_batch_again(const Billing__V1__UsageBatchReply *first,
                              const Billing__V1__UsageBatchReply *again)
{
    FUZZ_CHECK(first->n_results == again->n_results);
    for (size_t i = 0; i < first->n_results; i++) {
        const Billing__V1__UsageBatchResult *a = first->results[i];
        const Billing__V1__UsageBatchResult *b = again->results[i];
        bool refused = a->status == BILLING__V1__USAGE_BATCH_RESULT__STATUS__REFUSED;
        FUZZ_CHECK(b->status == (refused ? BILLING__V1__USAGE_BATCH_RESULT__STATUS__REFUSED
                                         : BILLING__V1__USAGE_BATCH_RESULT__STATUS__REPLAYED));
        FUZZ_CHECK(a->id.len == b->id.len);
        FUZZ_CHECK(a->id.len == 0 || memcmp(a->id.data, b->id.data, a->id.len) == 0);
    }
}

/* The answers to a request and its retry, but for the mark of the replay. */
static void check_same(Billing__V1__Response *first, Billing__V1__Response *again)
{
    first->has_replayed = again->has_replayed = false;
    first->replayed = again->replayed = false;
    size_t size = billing__v1__response__get_packed_size(first);
    FUZZ_CHECK(size == billing__v1__response__get_packed_size(again));
    uint8_t *a = malloc(size + 1);
    uint8_t *b = malloc(size + 1);
    FUZZ_CHECK(a != NULL && b != NULL);
    billing__v1__response__pack(first, a);
    billing__v1__response__pack(again, b);
    FUZZ_CHECK(memcmp(a, b, size) == 0);
    free(a);
    free(b);
}

/* Whether the request at PACKED carries the request id under which it was recorded. */
static bool names_its_id(struct slice packed, const Billing__V1__Response *response)
{
    ProtobufCBinaryData id = response->request_id;
    return response->has_request_id && memmem(packed.data, packed.length, id.data, id.len) != NULL;
}

static void retry(struct counter *counter, struct slice packed, Billing__V1__Response *first)
{
    uint64_t before = records(counter);
    bool batch = first->result_case == RESULT(CREATE_USAGE_BATCH);
    if (!batch && !names_its_id(packed, first)) {
        return;
    }
    Billing__V1__Response *again =
        counter_call(counter, (const uint8_t *)packed.data, packed.length);
    FUZZ_CHECK(records(counter) == before);
    FUZZ_CHECK(again->result_case == first->result_case);
    if (batch) {
        check_batch_again(first->create_usage_batch, again->create_usage_batch);
    } else {
        FUZZ_CHECK(again->has_replayed && again->replayed);
        check_same(first, again);
    }
    billing__v1__response__free_unpacked(again, NULL);
}

static void call(struct counter *counter, struct script *script, struct slice packed)
{
    uint64_t before = records(counter);
    counter->now_us = script->now_us;
    Billing__V1__Response *response =
        counter_call(counter, (const uint8_t *)packed.data, packed.length);
    uint64_t recorded = records(counter) - before;
    check_response(response);
    FUZZ_CHECK(recorded == 0 || writes(response));
    FUZZ_CHECK(recorded == 0 || !response->replayed);
    script_note(script, response);
    if (writes(response)) {
        retry(counter, packed, response);
    }
    billing__v1__response__free_unpacked(response, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory_store *memory = memory_store_create();
    struct counter counter;
    struct script script;
    struct slice packed;
    script_init(&script, data, size);
    counter_open(&counter, memory_store_handle(memory), script.now_us);
    uint8_t mode = fuzz_byte(&script.input);
    counter.catalogue_listed = (mode & 1) != 0;
    counter.sweep_max = (mode & 2) != 0 ? 1 : 1000;
    script.tokens = (mode & 4) != 0;
    for (int calls = 0; calls < CALLS_MAX && script_next(&script, &packed); calls++) {
        call(&counter, &script, packed);
    }
    check_money(&counter);
    counter_close(&counter);
    script_done(&script);
    memory_store_destroy(memory);
    return 0;
}
