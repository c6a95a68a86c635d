/* Who asks for writes beside whom, and how much of each then comes in a turn of the loop.
 *
 * One that is alone is heard as it comes.  Beside others nobody fills a turn alone; and while one
 * of them waits for few answers at a time, turns are short, since that one waits through each.
 * Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "billingd/rpc/askers.h"

enum {
    COMPANY_TURN = 64,       /* requests of one in a turn of the loop, beside others */
    COMPANY_SHORT_TURN = 16, /* while one of them waits for few */
};

struct company {
    const struct asker *last; /* who asked last */
    int64_t until_us;         /* monotonic; before it, several ask */
    int64_t few_until_us;     /* and one of them waits for few answers */
};

/* ASKER asks for a write at NOW_US. */
void company_note(struct company *company, struct asker *asker, int64_t now_us);

/* ASKER is heard once more in this TURN of the loop. */
void company_heard(struct asker *asker, uint64_t turn);

/* How many requests of one are heard in a turn at NOW_US; 0: as many as come. */
unsigned company_turn(const struct company *company, int64_t now_us);

/* Whether at NOW_US one that waits for few answers asks beside others. */
bool company_has_few(const struct company *company, int64_t now_us);
