/* Segments of a few records: how often the engine has sealed, merged and removed some, and tests in
 * which all of that comes to pass.  Main thread.  Linked with sealing.c and its -Wl,--wrap=. */
#pragma once

#include <sched.h>

#include "tests/store/fixture.h"

enum {
    SEALING_COMMITS_MAX = 1000, /* of which some are merged, with the smallest of segments */
};

/* Since the program began. */
struct sealing {
    uint64_t seals;
    uint64_t merges;
    uint64_t removals;
};

struct sealing sealing_count(void);

/* Whether the stores that are opened here have segments of a few records: HEAD_RECORDS and
 * MERGE_WIDTH of `fixture_uri`. */
static inline uint64_t sealing_head_records(void)
{
    static const char option[] = "head_records=";
    const char *given = strstr(fixture_uri, option);
    return given == NULL ? UINT64_MAX : strtoull(given + sizeof option - 1, NULL, 10);
}

/* Wait until nothing in STORE is on its way into a segment: fewer than make the head full are left,
 * or one more was sealed than the SEALS before the last commit. */
static inline void sealing_await(struct store *store, uint64_t seals)
{
    uint64_t full = sealing_head_records();
    struct store_stats stats;
    do {
        store_abort(begin(store, birth_us)); /* lest the sealer wait for a commit to ride along */
        sched_yield();
        store_stats(store, &stats);
        assert_int_equal(stats.sealer_status, 0);
    } while (stats.head_records >= full && sealing_count().seals == seals);
}

/* Go on recording a service that is deleted at once until all that STORE had, which is MODEL, was
 * sealed and some of it merged.  Nothing where the segments are not of a few records. */
static inline void settle(struct store *store, struct model *model)
{
    struct sealing before = sealing_count();
    int commits = 0;
    struct record put = service_put(SLICE("filler"), "");
    struct record deleted = service_deleted(SLICE("filler"));
    while (sealing_head_records() < UINT64_MAX && sealing_count().merges == before.merges) {
        uint64_t seals = sealing_count().seals;
        struct store_txn *txn = begin(store, birth_us);
        append(txn, model, &put, birth_us);
        append(txn, model, &deleted, birth_us);
        assert_ok(store_commit(txn));
        sealing_await(store, seals);
        assert_true(++commits < SEALING_COMMITS_MAX);
    }
}

/* Setup and teardown of a test in which, where segments are of a few records, at least one seal and
 * one merge are to take place. */
static inline int sealing_begin(void **state)
{
    static struct sealing before;
    before = sealing_count();
    *state = &before;
    return 0;
}

static inline int sealing_end(void **state)
{
    const struct sealing *before = *state;
    struct sealing now = sealing_count();
    if (sealing_head_records() < UINT64_MAX) {
        assert_true(now.seals > before->seals);
        assert_true(now.merges > before->merges);
    }
    return 0;
}

#define sealing_test(test) cmocka_unit_test_setup_teardown(test, sealing_begin, sealing_end)
