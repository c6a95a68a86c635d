/* What comes into the next group, who is waited for before it, and who of it is answered first.
 *
 * One who asks alone has whatever waits in a group.  While several ask, each with many in flight,
 * groups are level: nobody gets more than the others have there, but for what makes a group hardly
 * longer than a small one.  While one of them waits for few, groups are short (pace.h), those who
 * are soon back are waited for (expected.h), and what is too large for a short group rests in
 * between (rest.h).
 *
 * Pure: times are handed in.  Committer thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "billingd/commit/expected.h"
#include "billingd/commit/fair_queue.h"
#include "billingd/commit/pace.h"
#include "billingd/commit/rest.h"

/* Who asks beside whom. */
enum committer_company {
    COMMITTER_ALONE, /* one, or none */
    COMMITTER_MANY,  /* several, each with many in flight */
    COMMITTER_FEW,   /* several, and one of them waits for few answers */
};

struct grouping {
    struct pace short_pace;         /* of groups while one waits for few */
    struct pace level_pace;         /* of what one gets in them beyond the others, who have many */
    struct expected expected;       /* those who are waited for */
    struct rest rest;               /* of what is large */
    enum committer_company company; /* as it was when the last group was taken */
    bool is_large;                  /* the last group: longer than short_pace lets groups be */
};

/* Ready GROUPING; it knows nothing yet.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int grouping_init(struct grouping *grouping);

/* Free what GROUPING owns. */
void grouping_done(struct grouping *grouping);

/* How long the next group is to wait for others than those who have something in QUEUE, at NOW_US
 * in COMPANY; 0: it is to be taken now. */
int64_t grouping_wait_us(const struct grouping *grouping, const struct fair_queue *queue,
                         enum committer_company company, int64_t now_us);

/* What there may be in a group. */
struct grouping_bounds {
    size_t ops_max;
    size_t bytes_max; /* but any one op fits */
};

/* Move the next group from QUEUE into GROUP, which is empty, at NOW_US in COMPANY. */
void grouping_take(struct grouping *grouping, struct fair_queue *queue,
                   const struct grouping_bounds *bounds, enum committer_company company,
                   int64_t now_us, struct op_list *group);

/* A transaction of BYTES took US, to the end of its sync. */
void grouping_note_commit(struct grouping *grouping, size_t bytes, int64_t us);

/* The last group has been carried out at NOW_US, and took so long. */
void grouping_note_end(struct grouping *grouping, int64_t took_us, int64_t now_us);

/* Those of the last group, or one of them, are about to be answered. */
void grouping_note_answers(struct grouping *grouping, int64_t now_us);

/* Whether OP of the last group is to be answered before others. */
bool grouping_is_urgent(const struct grouping *grouping, const struct op *op);
