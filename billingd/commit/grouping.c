#include "billingd/commit/grouping.h"

enum {
    PROMPT_US_MAX = 5000,
};

int grouping_init(struct grouping *grouping)
{
    *grouping = (struct grouping){
        .short_pace = {.longer = PACE_EIGHTH},
        .level_pace = {.longer = PACE_HALF},
    };
    return expected_init(&grouping->expected);
}

void grouping_done(struct grouping *grouping)
{
    expected_done(&grouping->expected);
}

/* --- before a group --------------------------------------------------------------------------- */

/* Within this time those who are expected are back, or are not waited for: a part of what the
 * smallest group takes, though not of one that hung. */
static int64_t prompt_us(const struct grouping *grouping)
{
    int64_t us = grouping->short_pace.small_us / 2;
    return us < PROMPT_US_MAX ? us : PROMPT_US_MAX;
}

int64_t grouping_wait_us(const struct grouping *grouping, const struct fair_queue *queue,
                         enum committer_company company, int64_t now_us)
{
    if (company != COMMITTER_FEW) {
        return 0;
    }
    int64_t us = expected_wait_us(&grouping->expected, queue, prompt_us(grouping), now_us);
    int64_t rest_us = rest_wait_us(&grouping->rest, now_us);
    if (rest_us > us && !fair_queue_has_small(queue, grouping->short_pace.bytes_max)) {
        us = rest_us;
    }
    return us;
}

/* A short group; of what is large only where that need not rest, or nothing else is there. */
static void take_short(struct grouping *grouping, struct fair_queue *queue,
                       const struct grouping_bounds *bounds, int64_t now_us, struct op_list *group)
{
    size_t pace_bytes = pace_next(&grouping->short_pace);
    size_t bytes_max = pace_bytes < bounds->bytes_max ? pace_bytes : bounds->bytes_max;
    size_t small_max = grouping->short_pace.bytes_max;
    if (rest_wait_us(&grouping->rest, now_us) > 0) {
        fair_queue_take_small(queue, bounds->ops_max, bytes_max, small_max, group);
    }
    if (group->count == 0) {
        fair_queue_take(queue, bounds->ops_max, bytes_max, group);
    }
    grouping->is_large = group->bytes > small_max;
    expected_taken(&grouping->expected, group, queue, prompt_us(grouping));
}

void grouping_take(struct grouping *grouping, struct fair_queue *queue,
                   const struct grouping_bounds *bounds, enum committer_company company,
                   int64_t now_us, struct op_list *group)
{
    grouping->company = company;
    grouping->is_large = false;
    switch (company) {
    case COMMITTER_ALONE:
        fair_queue_take(queue, bounds->ops_max, bounds->bytes_max, group);
        break;
    case COMMITTER_MANY:
        fair_queue_take_level(queue, bounds->ops_max, bounds->bytes_max,
                              pace_next(&grouping->level_pace), group);
        break;
    case COMMITTER_FEW:
        take_short(grouping, queue, bounds, now_us, group);
        break;
    }
}

/* --- behind it -------------------------------------------------------------------------------- */

void grouping_note_commit(struct grouping *grouping, size_t bytes, int64_t us)
{
    pace_note(&grouping->short_pace, bytes, us);
    pace_note(&grouping->level_pace, bytes, us);
}

void grouping_note_end(struct grouping *grouping, int64_t took_us, int64_t now_us)
{
    if (grouping->is_large) {
        rest_begin(&grouping->rest, took_us, now_us);
    }
}

void grouping_note_answers(struct grouping *grouping, int64_t now_us)
{
    expected_answered(&grouping->expected, now_us);
    if (grouping->company == COMMITTER_FEW && !grouping->is_large &&
        expected_has_few(&grouping->expected)) {
        rest_note_little(&grouping->rest, now_us);
    }
}

bool grouping_is_urgent(const struct grouping *grouping, const struct op *op)
{
    return grouping->company == COMMITTER_FEW && !op->in_order &&
           expected_is_few(&grouping->expected, op->asker);
}
