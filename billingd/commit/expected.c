#include "billingd/commit/expected.h"

#include <stdlib.h>

int expected_init(struct expected *expected)
{
    *expected = (struct expected){.of = calloc(OP_ASKERS_MAX, sizeof *expected->of)};
    return expected->of == NULL ? STATUS_NO_MEMORY : 0;
}

void expected_done(struct expected *expected)
{
    free(expected->of);
    *expected = (struct expected){0};
}

static bool is_noted(const struct expected *expected, unsigned asker)
{
    unsigned i = 0;
    while (i < expected->n && expected->askers[i] != asker) {
        i++;
    }
    return i < expected->n;
}

/* ASKER, whose SHARE is what was left in the queue, has OPS more in the group. */
static void note(struct expected *expected, unsigned asker, size_t ops,
                 const struct fair_share *share, int64_t prompt_us)
{
    struct expected_asker *it = &expected->of[asker];
    if (is_noted(expected, asker)) {
        it->ops += ops;
    } else if (expected->n < EXPECTED_MAX) {
        it->is_prompt = it->answered_us != 0 && share->since_us - it->answered_us <= prompt_us;
        it->ops = ops + share->ops.count;
        expected->askers[expected->n++] = asker;
    } else {
        it->ops = SIZE_MAX;
    }
}

void expected_taken(struct expected *expected, const struct op_list *group,
                    const struct fair_queue *queue, int64_t prompt_us)
{
    const struct op *op = group->first;
    expected->n = 0;
    while (op != NULL) {
        unsigned asker = op->asker;
        size_t ops = 0;
        for (; op != NULL && op->asker == asker; op = op->next) {
            ops++;
        }
        note(expected, asker, ops, &queue->shares[asker], prompt_us);
    }
}

void expected_answered(struct expected *expected, int64_t now_us)
{
    expected->answered_us = now_us;
    for (unsigned i = 0; i < expected->n; i++) {
        expected->of[expected->askers[i]].answered_us = now_us;
    }
}

bool expected_is_few(const struct expected *expected, unsigned asker)
{
    return expected->of[asker].ops <= EXPECTED_OPS_MAX;
}

bool expected_has_few(const struct expected *expected)
{
    unsigned i = 0;
    while (i < expected->n && !expected_is_few(expected, expected->askers[i])) {
        i++;
    }
    return i < expected->n;
}

int64_t expected_wait_us(const struct expected *expected, const struct fair_queue *queue,
                         int64_t prompt_us, int64_t now_us)
{
    int64_t left_us = expected->answered_us + prompt_us - now_us;
    bool missing = false;
    for (unsigned i = 0; i < expected->n && !missing; i++) {
        unsigned asker = expected->askers[i];
        missing = expected->of[asker].is_prompt && expected_is_few(expected, asker) &&
                  queue->shares[asker].ops.first == NULL;
    }
    return missing && left_us > 0 ? left_us : 0;
}
