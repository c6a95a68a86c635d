/* Who is soon to come again: those whose ops the last group answered, and who have come back at
 * once before.  One that waits for each answer before it asks again would else come just behind the
 * beginning of a group of the others', and wait through that one and its own.
 *
 * Pure: times are handed in.  Committer thread. */
#pragma once

#include <stdbool.h>

#include "billingd/commit/fair_queue.h"

enum {
    EXPECTED_MAX = 64,     /* at a time; others are not waited for */
    EXPECTED_OPS_MAX = 16, /* of each: who has more at a time does not wait for each answer */
};

struct expected_asker {
    int64_t answered_us; /* 0: never */
    size_t ops;          /* in the last group, and waiting when it was taken */
    bool is_prompt;      /* it was back within PROMPT_US the last time */
};

struct expected {
    struct expected_asker *of;     /* owned; OP_ASKERS_MAX */
    unsigned askers[EXPECTED_MAX]; /* of the last group */
    unsigned n;
    int64_t answered_us;
};

/* Ready EXPECTED; nobody is expected yet.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int expected_init(struct expected *expected);

/* Free what EXPECTED owns. */
void expected_done(struct expected *expected);

/* GROUP was taken from QUEUE: note whose it is, and who of them was back within PROMPT_US. */
void expected_taken(struct expected *expected, const struct op_list *group,
                    const struct fair_queue *queue, int64_t prompt_us);

/* All of the last group are about to be answered. */
void expected_answered(struct expected *expected, int64_t now_us);

/* Whether ASKER, of whom there are ops in the last group, had no more than few. */
bool expected_is_few(const struct expected *expected, unsigned asker);

/* Whether any of the last group had no more than few. */
bool expected_has_few(const struct expected *expected);

/* How long to wait for those that are expected and have nothing in QUEUE, at NOW_US; 0: nobody is,
 * or PROMPT_US have passed since they were answered. */
int64_t expected_wait_us(const struct expected *expected, const struct fair_queue *queue,
                         int64_t prompt_us, int64_t now_us);
