#include "billingd/rpc/company.h"

enum {
    COMPANY_US = 100 * 1000, /* so long others are expected to come again */
    FEW_REQUESTS = 64,       /* or less in flight: each answer is waited for */
    FULL_TURNS = FEW_REQUESTS / COMPANY_SHORT_TURN,
};

void company_note(struct company *company, struct asker *asker, int64_t now_us)
{
    bool has_many = asker->holders - asker->connections > FEW_REQUESTS;
    if (has_many || asker->full_turns >= FULL_TURNS) {
        asker->many_until_us = now_us + COMPANY_US;
    }
    if (company->last == asker) {
        return;
    }
    if (company->last != NULL) {
        company->until_us = now_us + COMPANY_US;
        if (asker->many_until_us < now_us) {
            company->few_until_us = now_us + COMPANY_US;
        }
    }
    company->last = asker;
}

void company_heard(struct asker *asker, uint64_t turn)
{
    if (asker->turn != turn) {
        bool was_full = asker->turn + 1 == turn && asker->in_turn >= COMPANY_SHORT_TURN;
        asker->full_turns = was_full ? asker->full_turns + 1 : 0;
        asker->turn = turn;
        asker->in_turn = 0;
    }
    asker->in_turn++;
}

unsigned company_turn(const struct company *company, int64_t now_us)
{
    if (now_us < company->few_until_us) {
        return COMPANY_SHORT_TURN;
    }
    return now_us < company->until_us ? COMPANY_TURN : 0;
}

bool company_has_few(const struct company *company, int64_t now_us)
{
    return now_us < company->few_until_us;
}
