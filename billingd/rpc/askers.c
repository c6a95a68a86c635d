#include "billingd/rpc/askers.h"

#include <stdlib.h>

#include <xxhash.h>

#include "billingd/base/assert.h"

enum {
    SECOND_NS = 1000000000,
};

static bool is_called(const struct asker *asker, struct slice name)
{
    return asker->name_bytes == name.length && memcmp(asker->name, name.data, name.length) == 0;
}

static unsigned *chain_of(struct askers *askers, struct slice name)
{
    return &askers->first_of[XXH3_64bits(name.data, name.length) % OP_ASKERS_MAX];
}

static struct asker *look_up(struct askers *askers, struct slice name)
{
    unsigned place = *chain_of(askers, name);
    while (place != 0 && !is_called(askers->places[place - 1], name)) {
        place = askers->places[place - 1]->next;
    }
    return place == 0 ? NULL : askers->places[place - 1];
}

/* --- places ----------------------------------------------------------------------------------- */

static void set_name(struct askers *askers, struct asker *asker, struct slice name)
{
    unsigned *chain = chain_of(askers, name);
    asker->name = malloc(name.length + 1);
    INVARIANT(asker->name != NULL);
    memcpy(asker->name, name.data, name.length);
    asker->name_bytes = name.length;
    asker->next = *chain;
    *chain = asker->place + 1;
}

static void unlink_asker(struct askers *askers, const struct asker *asker)
{
    unsigned *at = chain_of(askers, (struct slice){asker->name, asker->name_bytes});
    while (*at != asker->place + 1) {
        at = &askers->places[*at - 1]->next;
    }
    *at = asker->next;
}

/* Another one at the end. */
static struct asker *add_place(struct askers *askers)
{
    struct asker *asker = calloc(1, sizeof *asker);
    INVARIANT(asker != NULL);
    asker->place = askers->n;
    askers->places[askers->n++] = asker;
    return asker;
}

/* One that has nothing open, as another one's place; NULL where there is none.  Who has asked too
 * much is kept a while: it would begin anew. */
static struct asker *take_place(struct askers *askers, int64_t now_us)
{
    for (unsigned i = 0; i < OP_ASKERS_MAX; i++) {
        struct asker *asker = askers->places[askers->looked_at];
        askers->looked_at = (askers->looked_at + 1) % OP_ASKERS_MAX;
        if (asker->holders == 0 && asker->rested_ns <= now_us * 1000) {
            unlink_asker(askers, asker);
            free(asker->name);
            *asker = (struct asker){.place = asker->place};
            return asker;
        }
    }
    return NULL;
}

struct asker *askers_find(struct askers *askers, struct slice name, int64_t now_us)
{
    if (askers->last != NULL && is_called(askers->last, name)) {
        return askers->last;
    }
    struct asker *asker = look_up(askers, name);
    if (asker == NULL) {
        asker = askers->n < OP_ASKERS_MAX ? add_place(askers) : take_place(askers, now_us);
        if (asker == NULL) {
            return askers->places[OP_ASKERS_MAX - 1];
        }
        set_name(askers, asker, name);
    }
    askers->last = asker;
    return asker;
}

void askers_done(struct askers *askers)
{
    for (unsigned i = 0; i < askers->n; i++) {
        free(askers->places[i]->name);
        free(askers->places[i]);
    }
    *askers = (struct askers){0};
}

/* --- how often -------------------------------------------------------------------------------- */

void askers_forgive(struct askers *askers)
{
    for (unsigned i = 0; i < askers->n; i++) {
        askers->places[i]->rested_ns = 0;
    }
}

bool asker_may_ask(struct asker *asker, int64_t a_second, size_t n, int64_t now_us,
                   int64_t *ret_wait_us)
{
    if (a_second == 0) {
        return true;
    }
    int64_t now_ns = now_us * 1000;
    int64_t one_ns = (SECOND_NS + a_second - 1) / a_second;
    int64_t rested_ns = asker->rested_ns > now_ns ? asker->rested_ns : now_ns;
    int64_t wait_ns = rested_ns - now_ns - (SECOND_NS - one_ns);
    if (wait_ns > 0) {
        *ret_wait_us = (wait_ns + 999) / 1000;
        return false;
    }
    asker->rested_ns = rested_ns + (int64_t)n * SECOND_NS / a_second;
    return true;
}
