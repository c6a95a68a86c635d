#include "billingd/net/newcomers.h"

#include "billingd/base/assert.h"
#include "proto/status.h"

void newcomers_make_way(struct newcomers *newcomers)
{
    if (newcomers->n >= newcomers->n_max) {
        IGNORE(newcomers_turn_away(newcomers)); /* whether there was one */
    }
}

void newcomers_enter(struct newcomers *newcomers, struct newcomer *newcomer, int64_t now_us)
{
    REQUIRE(newcomer->among == NULL);
    newcomer->among = newcomers;
    newcomer->since_us = now_us;
    newcomer->younger = NULL;
    newcomer->older = newcomers->youngest;
    if (newcomer->older == NULL) {
        newcomers->oldest = newcomer;
    } else {
        newcomer->older->younger = newcomer;
    }
    newcomers->youngest = newcomer;
    newcomers->n++;
}

void newcomers_leave(struct newcomer *newcomer)
{
    struct newcomers *newcomers = newcomer->among;
    if (newcomers == NULL) {
        return;
    }
    if (newcomer->older == NULL) {
        newcomers->oldest = newcomer->younger;
    } else {
        newcomer->older->younger = newcomer->younger;
    }
    if (newcomer->younger == NULL) {
        newcomers->youngest = newcomer->older;
    } else {
        newcomer->younger->older = newcomer->older;
    }
    newcomers->n--;
    newcomer->among = NULL;
}

bool newcomers_turn_away(struct newcomers *newcomers)
{
    struct newcomer *oldest = newcomers->oldest;
    if (oldest == NULL) {
        return false;
    }
    oldest->turn_away(oldest->connection);
    INVARIANT(oldest->among == NULL);
    return true;
}
