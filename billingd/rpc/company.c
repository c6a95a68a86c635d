#include "billingd/rpc/company.h"

enum {
    COMPANY_US = 100 * 1000, /* so long others are expected to come again */
    FEW_REQUESTS = 64,       /* or less in flight: each answer is waited for */
    FULL_TURNS = FEW_REQUESTS / COMPANY_SHORT_TURN,
};

static void note(struct company_circle *circle, struct asker *asker, int64_t now_us)
{
    bool has_many = asker->holders - asker->connections > FEW_REQUESTS;
    if (has_many || asker->full_turns >= FULL_TURNS) {
        asker->many_until_us = now_us + COMPANY_US;
    }
    if (circle->last == asker) {
        return;
    }
    if (circle->last != NULL) {
        circle->until_us = now_us + COMPANY_US;
        if (asker->many_until_us < now_us) {
            circle->few_until_us = now_us + COMPANY_US;
        }
    }
    circle->last = asker;
}

void company_note(struct company *company, struct asker *asker, int64_t now_us)
{
    note(&company->all, asker, now_us);
}

void company_note_write(struct company *company, struct asker *asker, int64_t now_us)
{
    note(&company->writes, asker, now_us);
}

void company_heard(struct asker *asker, uint64_t turn, size_t bytes)
{
    if (asker->turn != turn) {
        bool was_full = asker->turn + 1 == turn && asker->in_turn >= COMPANY_SHORT_TURN;
        asker->full_turns = was_full ? asker->full_turns + 1 : 0;
        asker->turn = turn;
        asker->in_turn = 0;
    }
    asker->in_turn += 1 + (unsigned)(bytes / COMPANY_UNIT_BYTES);
}

unsigned company_turn(const struct company *company, int64_t now_us)
{
    if (now_us < company->all.few_until_us) {
        return COMPANY_SHORT_TURN;
    }
    return now_us < company->all.until_us ? COMPANY_TURN : COMPANY_LONE_TURN;
}

bool company_is_alone(const struct company *company, int64_t now_us)
{
    return now_us >= company->all.until_us;
}

bool company_writes_alone(const struct company *company, int64_t now_us)
{
    return now_us >= company->writes.until_us;
}

bool company_has_few(const struct company *company, int64_t now_us)
{
    return now_us < company->writes.few_until_us;
}
