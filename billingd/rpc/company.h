/* Who asks beside whom, and how much of each then comes in a turn of the loop.
 *
 * Nobody fills a turn alone, since whoever comes meanwhile waits through it: one that is alone has
 * long turns, beside others none has more than a share; and while one of them waits for few answers
 * at a time, turns are short, since that one waits through each.  Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "billingd/rpc/askers.h"

/* What is heard of one in a turn of the loop: requests, of which a large one counts for several. */
enum {
    COMPANY_LONE_TURN = 1024, /* of one that is alone: some milliseconds */
    COMPANY_TURN = 64,        /* beside others */
    COMPANY_SHORT_TURN = 16,  /* while one of them waits for few */
    COMPANY_UNIT_BYTES = 512, /* each so many bytes of a request count for one more */
};

/* Who asks for something, beside whom. */
struct company_circle {
    const struct asker *last; /* who asked last */
    int64_t until_us;         /* monotonic; before it, several ask */
    int64_t few_until_us;     /* and one of them waits for few answers */
};

/* A struct of zeroes is one in which nobody asks. */
struct company {
    struct company_circle all;    /* for whatever it is */
    struct company_circle writes; /* for writes */
};

/* ASKER asks for anything, or for a write, at NOW_US. */
void company_note(struct company *company, struct asker *asker, int64_t now_us);
void company_note_write(struct company *company, struct asker *asker, int64_t now_us);

/* ASKER is heard once more in this TURN of the loop, with a request of BYTES. */
void company_heard(struct asker *asker, uint64_t turn, size_t bytes);

/* How much of one is heard in a turn at NOW_US. */
unsigned company_turn(const struct company *company, int64_t now_us);

/* Whether nobody asks beside another at NOW_US: for anything, or for writes. */
bool company_is_alone(const struct company *company, int64_t now_us);
bool company_writes_alone(const struct company *company, int64_t now_us);

/* Whether at NOW_US one that waits for few answers asks for writes beside others. */
bool company_has_few(const struct company *company, int64_t now_us);
